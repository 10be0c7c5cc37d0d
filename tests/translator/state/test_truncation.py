"""The oldest whole turns go."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diglot.translator import ServeResponses
from diglot.translator.state import pairing, truncation

from costs import assert_linear

SYSTEM = {"role": "system", "content": "Be brief."}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def reply(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def call(call_id: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"}


def output(call_id: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": "x" * 100}


def test_turns() -> None:
    """Each begins with what the user said; instructions belong to none."""
    items = [SYSTEM, user("A"), user("B"), reply("C"), call("1"), output("1"), user("D"), SYSTEM, reply("E"), user("F")]
    assert truncation.turns_of(items) == [[1, 2, 3, 4, 5], [6, 8], [9]]
    assert truncation.turns_of([reply("A"), user("B")]) == [[0], [1]]
    assert truncation.turns_of([]) == []


def test_calls_connect_turns() -> None:
    """An output that comes two turns later keeps all three together."""
    items = [user("A"), reply("a"), user("B"), call("1"), user("C"), reply("c"), user("D"), output("1"), user("E")]
    assert truncation.turns_of(items) == [[0, 1], [2, 3, 4, 5, 6, 7], [8]]
    repeated = [user("A"), call("1"), output("1"), user("B"), call("1"), output("1"), user("C")]
    assert truncation.turns_of(repeated) == [[0, 1, 2], [3, 4, 5], [6]]
    crossed = [user("A"), call("1"), user("B"), call("2"), user("C"), output("2"), user("D"), output("1")]
    assert truncation.turns_of(crossed) == [[0, 1, 2, 3, 4, 5, 6, 7]]


def test_half_goes_without_numbers() -> None:
    """As long as a turn is left; the rest of the request stays."""
    body: Any = {"model": "m", "instructions": "Be brief.", "input": [SYSTEM]}
    for i in range(8):
        body["input"] += [user(f"{i}" * 100), reply("x" * 100)]
    made = truncation.shortened(body)
    assert made is not None
    assert made.dropped == list(range(1, 9))
    assert made.body == {**body, "input": [SYSTEM, *body["input"][9:]]}
    assert len(body["input"]) == 17


def test_the_last_turn_stays() -> None:
    """And then there is nothing that may go."""
    one = truncation.shortened({"input": [user("A" * 1_000), user("B"), reply("C"), user("D")]})
    assert one is not None
    assert one.body["input"] == [user("D")]
    assert truncation.shortened(one.body) is None
    assert truncation.shortened({"input": "A" * 1_000}) is None
    assert truncation.shortened({"input": [SYSTEM]}) is None


@pytest.mark.parametrize(
    ("message", "share"),
    [
        ("", 0.5),
        ("It is too long.", 0.5),
        (
            "This model's maximum context length is 4,000 tokens. However, your messages resulted in 8000 tokens.",
            0.45,
        ),
        (
            "This model's maximum context length is 2048 tokens. However, you requested 4096 tokens (3996 in the "
            "messages, 100 in the completion).",
            0.45,
        ),
        ("prompt is too long: 400000 tokens > 200000 maximum", 0.45),
        ("the request exceeds the available context size (8192 tokens), try increasing it: 16384 tokens", 0.45),
        ("input token count 2000 exceeds the limit of 1000", 0.45),
        ("maximum context length is 4000 tokens, but 3000 were sent", 0.5),
    ],
)
def test_numbers_of_the_upstream(message: str, share: float) -> None:
    """They say how much fits, with a margin."""
    assert truncation.share_kept(message) == pytest.approx(share)


ITEMS = st.lists(
    st.sampled_from([user("A" * 50), reply("B" * 200), SYSTEM]).map(dict)
    | st.builds(call, st.integers(0, 99).map(str)),
    max_size=12,
    unique_by=lambda item: item.get("call_id") or id(item),
)


@given(ITEMS, st.randoms(use_true_random=False))
def test_what_is_left_is_a_request(items: list[dict[str, Any]], random: Any) -> None:
    """However often it is made shorter: no half pair, and all instructions."""
    names = {name for item in items for names in pairing.calls_of(item) for name in names}
    for name in sorted(names):
        last = max(i for i, item in enumerate(items) if item.get("call_id") == name)
        items.insert(random.randint(last + 1, len(items)), output(name))
    body: dict[str, Any] = {"model": "m", "input": items}
    for _ in range(20):
        made = truncation.shortened(body)
        if made is None:
            break
        assert made.dropped
        pairing.check(made.body["input"])
        ServeResponses(made.body)
        assert made.body["input"].count(SYSTEM) == items.count(SYSTEM)
        body = made.body
    else:
        raise AssertionError("it never ended")


def test_it_is_linear() -> None:
    """Also where every turn is connected with the first."""

    def make(size: int) -> Any:
        items = [item for i in range(size) for item in (user("x" * 300), reply("y" * 300), call(f"{i}"), output("0"))]
        return lambda: truncation.shortened({"input": [user("a"), reply("b"), *items, user("c")]})

    assert_linear(make)
