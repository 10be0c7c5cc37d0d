"""Output formats: `text.format` <-> `response_format`."""

from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import RequestError
from ..wire import json, plain_schema, validate


def to_chat(form: Any, path: str, context: Context) -> dict[str, Any] | None:
    """Return the chat response format: a schema is nested one level deeper; plain text is the default and left out."""
    form = validate.mapping(form, path)
    kind = form.get("type")
    if kind in ("text", "json_object"):
        return None if kind == "text" else form
    if kind != "json_schema":
        raise RequestError(
            f"Invalid value: '{kind}'. Supported values are: 'text', 'json_object' and 'json_schema'.", f"{path}.type"
        )
    schema = {key: value for key, value in _inner(form).items() if key != "type" and value is not None}
    if not context.profile.json_schema:
        context.report.emulated(path, "the schema is sent as an instruction; the upstream enforces only 'json_object'")
        return {"type": "json_object"}
    if "schema" in schema and context.profile.schemas == "clean":
        schema["schema"] = plain_schema.reported(schema["schema"], f"{path}.schema", context.report)
    return {"type": "json_schema", "json_schema": schema}


def to_responses(form: Any, path: str, context: Context) -> dict[str, Any]:
    """Return `text.format` for a chat response format: what is nested under `json_schema` comes out."""
    form = validate.mapping(form, path)
    kind = form.get("type")
    if kind in ("text", "json_object"):
        return form
    if kind != "json_schema":
        raise RequestError(
            f"Invalid value: '{kind}'. Supported values are: 'text', 'json_object' and 'json_schema'.", f"{path}.type"
        )
    made = {"type": kind, **{key: value for key, value in _inner(form).items() if key != "type" and value is not None}}
    if isinstance(form.get(kind), dict):
        context.report_unread(form, frozenset({"type", kind}), path)
        path = f"{path}.{kind}"
    if "schema" not in made:
        context.report.defaulted(f"{path}.schema", "a schema is required; an empty one allows everything")
    return {**made, "schema": validate.mapping(made.get("schema", {}), f"{path}.schema")}


def instruction(form: Any) -> str:
    """What a model is told that cannot be held to a schema (protocol 1.5j)."""
    return "Answer with one JSON value that matches this JSON schema:\n" + json.encode_text(
        _inner(form).get("schema") or {}
    )


def _inner(form: dict[str, Any]) -> dict[str, Any]:
    """What the format says of its schema; chat nests it one level deeper, and confused clients do too."""
    nested = form.get("json_schema")
    return nested if isinstance(nested, dict) else form


def asks_for_json(request: dict[str, Any]) -> bool:
    """Whether a Responses request asks for an answer that is JSON."""
    text = request.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    return isinstance(form, dict) and form.get("type") in ("json_schema", "json_object")
