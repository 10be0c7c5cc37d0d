"""docs/upstreams.md: made of PRESETS, of what the source says about each setting, and of docs/upstreams.json."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diglot.adapters.cli.field_docs import field_docs
from diglot.translator import PRESETS, Profile, encode_json

DOCS = Path(__file__).parent.parent / "docs"
PAGE, DATA = DOCS / "upstreams.md", DOCS / "upstreams.json"

_HEAD = """\
# Upstreams

What is known of upstreams, how each is read, and what it is sent. `--profile NAME` (or `profile="NAME"`) chooses one;
`--set KEY=VALUE` changes a setting. Without a profile the most widely understood form of everything is sent.

This page is generated: the settings are rows of `PRESETS` in `translator/presets.py`, the words and the evidence are
in [upstreams.json](upstreams.json). What many servers do wrong in their own way (thoughts under other names, calls
without an index, usage in odd places) is read without any setting. Tool loops with most of them are golden files, in
`tests/golden/serve_responses/*/upstreams/`.

## How each is read
"""
_SETTINGS = """
## Settings

What differs from the defaults (`+` and `-`: members of a set); `diglot profiles NAME` lists all of one.
"""
_MEANING = """
## What the settings mean
"""


def facts() -> dict[str, dict[str, Any]]:
    """What is said of each upstream in docs/upstreams.json."""
    return json.loads(DATA.read_text())


def page() -> str:
    """The whole page."""
    return "\n".join([*_lines()]) + "\n"


def _lines() -> Iterator[str]:
    yield from _HEAD.splitlines()
    yield from ("", "| Profile | Upstream | How it is read | Evidence |", "| --- | --- | --- | --- |")
    for name, fact in facts().items():
        links = ", ".join(f"[{i}]({link})" for i, link in enumerate(fact["evidence"], 1))
        yield f"| `{name}` | {fact['upstream']} | {fact['read']} | {links} |"
    yield from _SETTINGS.splitlines()
    yield from ("", "| Profile | Settings |", "| --- | --- |")
    for name, profile in PRESETS.items():
        yield f"| `{name}` | {', '.join(_special(profile)) or 'the defaults'} |"
    yield from _MEANING.splitlines()
    yield from ("", "| Setting | Default | |", "| --- | --- | --- |")
    docs = field_docs(Profile)
    for key in Profile.__struct_fields__[1:]:
        yield f"| `{key}` | `{_shown(getattr(Profile(), key))}` | {docs[key]} |"


def _special(profile: Profile) -> Iterator[str]:
    for key in Profile.__struct_fields__[1:]:
        value, default = getattr(profile, key), getattr(PRESETS["default"], key)
        if value == default:
            continue
        if isinstance(value, frozenset) and value and default:
            changes = [
                f"{sign}{_shown(names)}" for sign, names in (("+", value - default), ("-", default - value)) if names
            ]
            yield f"`{key}` {' '.join(f'`{change}`' for change in changes)}"
        else:
            yield f"`{key}={_shown(value)}`"


def _shown(value: Any) -> str:
    return encode_json(sorted(value) if isinstance(value, frozenset) else value).decode()
