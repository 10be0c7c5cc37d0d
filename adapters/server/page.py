"""The page at `/`, for people who open the server in a browser."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>diglot</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 50em; margin: 3em auto; padding: 0 1em; color-scheme: light dark }}
td {{ padding: .2em 1.5em .2em 0 }}
pre {{ overflow-x: auto }}
</style>
<h1>diglot {version}</h1>
<p>This server offers both of OpenAI's text APIs, Chat Completions and Responses, in front of an upstream that may
implement only one of them. It is an API for programs; there is nothing to click.</p>
<table>
{rows}
</table>
<p>Answered by <code>{upstreams}</code>.
Status: <a href="/healthz">/healthz</a>.</p>
<pre>{clients}</pre>
</html>
"""


def page(version: str, upstreams: list[str], routes: list[tuple[str, str]], clients: list[str]) -> HTMLResponse:
    """Return the page; *routes* are the served routes, each with how it is served, *clients* how to use it."""
    rows = "\n".join(f"<tr><td><code>{escape(path)}</code><td>{escape(how)}" for path, how in routes)
    filled = _PAGE.format(
        version=escape(version),
        rows=rows,
        upstreams="</code>; <code>".join(map(escape, upstreams)),
        clients=escape("\n".join(clients)),
    )
    return HTMLResponse(filled, headers=_HEADERS)
