"""Values of settings, one by one."""

from typing import Annotated, Any, Literal

import msgspec
import pytest

from diglot.adapters.server.setting_values import ConfigError, convert_values, possible, suggestion


class Inner(msgspec.Struct, frozen=True):
    size: Annotated[int, msgspec.Meta(gt=0)] = 1


class Outer(msgspec.Struct, frozen=True):
    text: str = ""
    maybe: str | None = None
    flag: bool = False
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    port: Annotated[int, msgspec.Meta(ge=0, le=9)] = 1
    seconds: Annotated[float, msgspec.Meta(gt=0)] = 1
    any_number: float = 1
    word: Literal["b", "a"] = "b"
    choice: Literal["x", "y"] | None = None
    names: tuple[str, ...] = ()
    tags: frozenset[Literal["think", "call"]] = frozenset()
    table: dict[str, Any] = {}
    inner: Inner = Inner()


def convert(**values: Any) -> dict[str, Any]:
    return convert_values(values, Outer, lambda name: f"<{name}>")


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"text": "x", "maybe": "y"}, {"text": "x", "maybe": "y"}),
        ({"flag": "true", "count": "3", "seconds": "0.5"}, {"flag": True, "count": 3, "seconds": 0.5}),
        ({"names": "a, b,"}, {"names": ("a", "b")}),
        ({"names": ["a"]}, {"names": ("a",)}),
        ({"tags": "think"}, {"tags": frozenset({"think"})}),
        ({"choice": "y"}, {"choice": "y"}),
        ({"table": {"a": 1}}, {"table": {"a": 1}}),
        ({"inner": {"size": "4"}}, {"inner": Inner(4)}),
        ({}, {}),
    ],
)
def test_values(given: dict[str, Any], made: dict[str, Any]) -> None:
    """They become what the fields are."""
    assert convert(**given) == made


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"flag": "perhaps"}, "<flag>: 'perhaps' is not true or false"),
        ({"count": 0}, "<count>: 0 is not a whole number, at least 1"),
        ({"port": 10}, "<port>: 10 is not a whole number from 0 to 9"),
        ({"seconds": 0}, "<seconds>: 0 is not a number above 0"),
        ({"seconds": float("inf")}, "<seconds>: inf is not a number above 0"),
        ({"any_number": "x"}, "<any_number>: 'x' is not a number"),
        ({"any_number": float("nan")}, "<any_number>: nan is not a number"),
        ({"word": "c"}, "<word>: 'c' is not one of b, a"),
        ({"choice": "z"}, "<choice>: 'z' is not one of x, y"),
        ({"text": 1}, "<text>: 1 is not a string"),
        ({"names": 1}, "<names>: 1 is not a list; each is a string"),
        ({"tags": ["thin"]}, "<tags>: ['thin'] is not a list; each is one of call, think"),
        ({"table": "x"}, "<table>: 'x' is not a table"),
        ({"inner": "x"}, "<inner>: 'x' is not a table"),
        ({"inner": {"size": 0}}, "<inner>: size: 0 is not a whole number above 0"),
        ({"inner": {"sise": 0}}, "<inner>: sise: unknown setting; did you mean size?"),
        ({"text": ["x" * 200]}, "<text>: ['" + "x" * 78 + "... is not a string"),
    ],
)
def test_wrong(given: dict[str, Any], words: str) -> None:
    """What is wrong, where, and what is possible, in the order in which it was written."""
    with pytest.raises(ConfigError) as caught:
        convert(**given)
    assert str(caught.value) == words


def test_suggestions() -> None:
    """The nearest name if there is a near one, otherwise all of them."""
    assert suggestion("potr", ["port", "host"]) == "; did you mean port?"
    assert suggestion("colour", ["port", "host"]) == ". Available: port, host"
    assert possible(bool) == "true or false"
