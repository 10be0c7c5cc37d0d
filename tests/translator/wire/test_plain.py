"""What callers hand in becomes decoded JSON of our own, or is refused by name."""

import datetime
import enum
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pydantic
import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import ResponseFormatTextJSONSchemaConfig

from diglot.translator import RequestError, UpstreamError
from diglot.translator.wire import plain


class Role(enum.StrEnum):
    USER = "user"


class Inner(pydantic.BaseModel):
    text: str
    unset: str | None = None


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (None, None),
        ("a", "a"),
        ({"a": [1, 2.5, True, None]}, {"a": [1, 2.5, True, None]}),
        (MappingProxyType({"a": OrderedDict(b=(1, 2))}), {"a": {"b": [1, 2]}}),
        ([Inner(text="a")], [{"text": "a"}]),
        ({"role": Role.USER}, {"role": "user"}),
        (ResponseFormatTextJSONSchemaConfig(name="n", schema={}, type="json_schema"), "alias"),
    ],
)
def test_reading(given: Any, made: Any) -> None:
    """Mappings, sequences and models are read at any depth; fields have the names that they have in JSON."""
    if made == "alias":
        made = {"name": "n", "schema": {}, "type": "json_schema"}
    assert plain.read(given, "body", RequestError) == made


def test_the_copy_is_our_own() -> None:
    """Nothing that can be changed is shared with what was handed in."""
    given: dict[str, Any] = {"a": [{"b": []}]}
    made = plain.read(given, "body", RequestError)
    assert made == given
    made["a"][0]["b"].append(1)
    assert given == {"a": [{"b": []}]}


def test_objects_of_the_sdk_are_read_as_they_came() -> None:
    """Also those that are not what their types say: the SDK builds them without a check, and no warning is given."""
    body = {"id": "c", "choices": [{"index": 0, "message": {"role": "robot", "more": {"x": 1}}}], "created": "soon"}
    built = ChatCompletion.construct(**body)
    assert plain.read(built, "answer", UpstreamError) == body


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"{}", "request: bytes is not JSON"),
        ({"input": [{"when": datetime.date(2026, 1, 1)}]}, r"request.input\[0\].when: datetime.date is not JSON"),
        ({"tools": {"a"}}, "request.tools: set is not JSON"),
        ({"metadata": {1: "a"}}, "request.metadata: the keys of a JSON object must be strings, not int"),
        (Inner, "request: .*ModelMetaclass is not JSON"),
    ],
)
def test_what_is_no_json_is_named(given: Any, words: str) -> None:
    """The error says where, and what it is."""
    with pytest.raises(TypeError, match=words):
        plain.read(given, "request", RequestError)


def test_too_deep() -> None:
    """What contains itself, or might as well, is refused with an error of our own."""
    deep: list[Any] = []
    deep.append(deep)
    with pytest.raises(UpstreamError, match="The answer is nested too deeply"):
        plain.read(deep, "answer", UpstreamError)
