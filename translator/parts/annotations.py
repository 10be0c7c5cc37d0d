"""Annotations of text: chat nests their fields, Responses does not (protocol 2.10)."""

from __future__ import annotations

from typing import Any

Annotation = dict[str, Any]


def to_responses(annotations: Any) -> list[Annotation]:
    """Return the URL citations among a chat message's `annotations`, flattened."""
    entries = annotations if isinstance(annotations, list) else []
    return [cited for entry in entries if isinstance(entry, dict) and (cited := _citation(entry))]


def _citation(entry: dict[str, Any]) -> Annotation | None:
    inner = entry.get("url_citation")
    fields = inner if isinstance(inner, dict) else entry
    url = fields.get("url")
    if not isinstance(url, str):
        return None
    title, start, end = fields.get("title"), fields.get("start_index"), fields.get("end_index")
    return {
        "type": "url_citation",
        "url": url,
        "title": title if isinstance(title, str) else "",
        "start_index": start if isinstance(start, int) else 0,
        "end_index": end if isinstance(end, int) else 0,
    }


def to_chat(annotation: Any, shift: int) -> Annotation | None:
    """Return a URL citation as chat nests it, its place moved by *shift*; None for what chat has no word for."""
    if not isinstance(annotation, dict) or annotation.get("type", "url_citation") != "url_citation":
        return None
    cited = _citation(annotation)
    if cited is None:
        return None
    places = {name: cited[name] + shift for name in ("start_index", "end_index")}
    return {"type": "url_citation", "url_citation": {"url": cited["url"], "title": cited["title"], **places}}


def from_links(links: Any) -> list[Annotation]:
    """D37: links at the top of an answer (Perplexity), bare or with titles, say where, not about which words."""
    return to_responses(
        [{"url": link} if isinstance(link, str) else link for link in links] if isinstance(links, list) else []
    )
