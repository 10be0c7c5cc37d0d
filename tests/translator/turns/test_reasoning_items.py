"""What of the reasoning that a client sends back goes to the upstream."""

from typing import Any

import pytest

from diglot.translator import Profile, Report, RequestError
from diglot.translator.context import Context
from diglot.translator.parts import reasoning
from diglot.translator.turns.reasoning_items import ReasoningItems

USER = {"role": "user", "content": "Go"}
SIGNED = {"c": {"google": {"thought_signature": "s"}}}
Read = tuple[tuple[str, dict[str, Any]], list[tuple[str, str]], list[dict[str, Any]]]


def item(encrypted: Any = None, text: str = "", **more: Any) -> dict[str, Any]:
    parts = [{"type": "reasoning_text", "text": text}] if text else []
    return {"type": "reasoning", "id": "rs_1", "content": parts, "encrypted_content": encrypted, **more}


def state(model: str | None, **fields: Any) -> str:
    return reasoning.seal({"text": "hm", "model": model, **fields})


def read(*items: dict[str, Any], strict: bool = False, policy: Any = "tool_loop") -> Read:
    """What of the last one goes back, what was reported, and what the answer lists."""
    context = Context(Profile(reasoning_replay=policy), Report(), strict=strict)
    reader = ReasoningItems([*items], context, "m", False)
    back = reader.read(len(items) - 1, items[-1], "input[1]")
    return back, [(loss.path, loss.kind) for loss in context.report], reader.transformations


def listed(reason: str, item_id: str = "rs_1") -> list[dict[str, Any]]:
    return [{"type": "reasoning", "id": item_id, "action": "removed", "reason": reason}]


@pytest.mark.parametrize(
    ("given", "back", "loss"),
    [
        (item("gAAAA"), ("", {}), ("input[1]", "dropped")),
        (item("gAAAA", "hm"), ("hm", {}), ("input[1].encrypted_content", "dropped")),
        (item(5), ("", {}), ("input[1]", "dropped")),
    ],
)
def test_what_cannot_be_opened(given: dict[str, Any], back: Any, loss: Any) -> None:
    """It stays behind, is reported and listed; its text is still sent."""
    assert read(USER, given) == (back, [loss], listed("organization_mismatch"))


def test_what_has_no_id_is_listed_too() -> None:
    """The type wants an id."""
    assert read(USER, {"type": "reasoning", "encrypted_content": "x"})[2] == listed("organization_mismatch", "")


@pytest.mark.parametrize(("content", "code"), [("gAAAAforeign", "invalid_encrypted_content"), (5, "invalid_type")])
def test_strict_mode_refuses_it(content: Any, code: str) -> None:
    """Clients strip it when they see the code, and try again."""
    with pytest.raises(RequestError) as refused:
        read(USER, item(content, "hm"), strict=True)
    assert refused.value.code == code


@pytest.mark.parametrize("model", ["m", None])
def test_the_state_of_this_model(model: str | None) -> None:
    """It goes back whole."""
    (text, given), losses, transformations = read(USER, item(state(model, calls=SIGNED)))
    assert (text, given["calls"], losses, transformations) == ("hm", SIGNED, [], [])


@pytest.mark.parametrize(
    "fields", [{"calls": SIGNED}, {"reasoning_details": [{}]}, {"thinking_blocks": [{}]}, {"reasoning_opaque": "x"}]
)
@pytest.mark.parametrize("strict", [True, False])
def test_the_state_of_another_model(fields: dict[str, Any], strict: bool) -> None:
    """Only its text is sent, under the name that it came with."""
    back, losses, transformations = read(USER, item(state("other", field="reasoning", **fields)), strict=strict)
    assert back == ("hm", {"field": "reasoning"})
    assert losses == [("input[1].encrypted_content", "dropped")]
    assert transformations == listed("model_mismatch")


def test_the_text_of_another_model_is_no_state() -> None:
    """Nothing of it stays behind."""
    (text, _), losses, transformations = read(USER, item(state("other")))
    assert (text, losses, transformations) == ("hm", [], [])


@pytest.mark.parametrize(
    ("fields", "kinds"), [({}, ["emulated"]), ({"calls": SIGNED}, ["emulated", "dropped"])], ids=["text", "signed"]
)
def test_an_upstream_that_takes_only_its_own(fields: dict[str, Any], kinds: list[str]) -> None:
    """`same_model`: the item is listed once."""
    back, losses, transformations = read(USER, item(state("other", **fields)), policy="same_model")
    assert (back, [kind for _, kind in losses]) == (("", {}), kinds)
    assert transformations == listed("model_mismatch")


@pytest.mark.parametrize(
    ("fields", "losses"), [({"calls": SIGNED}, []), ({"calls": SIGNED, "model": "other"}, ["dropped"])]
)
def test_signatures_go_back_whatever_happens_to_thoughts(fields: dict[str, Any], losses: list[str]) -> None:
    """D5: they belong to the calls, but only to those of their model."""
    back, found, _ = read(item(reasoning.seal({"text": "", **fields})), policy="never")
    assert back == ("", {} if losses else {"calls": SIGNED})
    assert [kind for _, kind in found] == losses


@pytest.mark.parametrize(("policy", "kind"), [("never", "dropped"), ("tool_loop", "emulated")])
def test_thoughts_that_do_not_go_back(policy: Any, kind: str) -> None:
    """The profile decides; that is no transformation."""
    context = Context(Profile(reasoning_replay=policy), Report())
    reader = ReasoningItems([item(None, "hm"), USER], context, "m", False)
    assert reader.read(0, item(None, "hm"), "input[0]") == ("", {})
    assert ([loss.kind for loss in context.report], reader.transformations) == ([kind], [])


def test_only_an_id() -> None:
    """Its content is not here."""
    assert read(USER, item()) == (("", {}), [("input[1]", "dropped")], [])
