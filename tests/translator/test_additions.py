import json
from typing import Any

import msgspec
import pytest

from diglot.translator import Profile, ServeChat, preset, request
from diglot.translator.additions import SEALED, refused

ALL = Profile(encrypted_reasoning=True, reasoning_summary="auto", derive_prompt_cache_key=True)


def serve(profile: Profile = ALL, new_id: Any = str, **more: Any) -> ServeChat:
    body = {"model": "m", "messages": [{"role": "user", "content": "Go"}], **more}
    return ServeChat(body, profile=profile, new_id=new_id, clock=lambda: 1.0)


def error(message: str, param: str | None = None, code: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "param": param, "code": code}}).encode()


@pytest.mark.parametrize(
    ("body", "off"),
    [
        (error("Encrypted content is not supported with this model.", "include"), "encrypted_reasoning"),
        (error("Unknown parameter: 'include'."), "encrypted_reasoning"),
        (error("Input should be ... reasoning.encrypted_content", "body.x"), "encrypted_reasoning"),
        (error("Unsupported parameter", "reasoning.summary"), "reasoning_summary"),
        (error("Your organization must be verified to generate reasoning summaries."), "reasoning_summary"),
        (error("Unknown parameter", "prompt_cache_key"), "derive_prompt_cache_key"),
    ],
)
@pytest.mark.parametrize("status", [400, 422, 500])
def test_what_is_refused_is_not_added_again(body: bytes, off: str, status: int) -> None:
    """A refusal that speaks of an addition turns that setting off, and no other."""
    learned = serve().learned(status, body)
    if status == 500:
        assert learned is None
        return
    assert learned is not None
    assert learned == msgspec.structs.replace(ALL, **{off: getattr(Profile(), off)})
    assert len(serve(learned).request) == len(serve().request) - 1


@pytest.mark.parametrize(
    "more",
    [
        {"include": [SEALED], "reasoning": {"summary": "auto"}, "prompt_cache_key": "k"},
        {"include": [SEALED], "reasoning_effort": {"summary": "auto"}, "prompt_cache_key": "k"},
    ],
)
def test_what_the_client_asked_for_is_its_own_affair(more: dict[str, Any]) -> None:
    """A refusal of what was not added turns no setting off; what can be left out without harm is (`OMITTABLE`)."""
    for param in ("include", "reasoning.summary"):
        assert serve(**more).learned(400, error("Unknown parameter", param, "unknown_parameter")) is None
    learned = serve(**more).learned(400, error("Unknown parameter", "prompt_cache_key", "unknown_parameter"))
    assert learned is not None
    assert learned.derive_prompt_cache_key
    assert learned.responses_unsupported == {"prompt_cache_key"}


def test_encrypted_reasoning_is_for_live_exchanges() -> None:
    """Where only a request is translated, no answer brings it back to the client, and the request stays as it was."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Go"}]}
    assert "include" in serve().request
    assert "include" not in request.to_responses(body, profile=ALL)


def test_other_refusals_teach_what_they_taught() -> None:
    """Such as that `store` is not known."""
    learned = serve().learned(400, error("Unknown parameter: 'store'.", "store", "unknown_parameter"))
    assert learned is not None
    assert learned.responses_unsupported == {"store"}
    assert refused((), ALL, 400, error("Unknown parameter", "include")) is None


@pytest.mark.parametrize("path", ["instructions", "instructions.x"])
def test_instructions_that_were_system_messages(path: str) -> None:
    """An error about them names the messages, unless the client has instructions of its own."""
    system = {"role": "system", "content": "x"}
    profile = preset("chatgpt")
    one = serve(profile, messages=[system, {"role": "user", "content": "Go"}])
    assert one.error(400, error("No.", path)).param == "messages"
    assert serve(profile, instructions="x").error(400, error("No.", path)).param == "instructions"


def test_keys_tell_conversations_apart() -> None:
    """By model, system texts and the first question; what follows does not matter, and nothing can be read in them."""
    first, later = {"role": "user", "content": "secret"}, {"role": "assistant", "content": "Yes."}
    system = {"role": "system", "content": "secret"}

    def key(*messages: Any, **more: Any) -> str:
        return serve(messages=list(messages), **more).request["prompt_cache_key"]

    same = key(system, first)
    assert same == key(system, first, later, first) == key(system, first, later, {"role": "user", "content": "x"})
    others = [key(first), key(system, first, model="n"), key(system, {**first, "content": "x"})]
    others.append(key(system, first, instructions="x"))
    assert len({same, *others}) == len(others) + 1
    assert all("secret" not in one and len(one) <= 64 for one in others)


@pytest.mark.parametrize("content", [None, 5, [], [5], [{"type": "input_text", "text": 5}], [{"type": "input_image"}]])
@pytest.mark.parametrize("role", ["system", "user", 5])
def test_items_may_be_anything(content: Any, role: Any) -> None:
    """Where a client sends items, nobody has looked at them."""
    profile = msgspec.structs.replace(ALL, system_as_instructions=True)
    item = {"type": "message", "role": role, "content": content}
    made = serve(profile, messages=None, input=[item, {"type": "x"}]).request
    assert made["instructions"] == ""
    assert len(made["input"]) == 2
    assert isinstance(made["prompt_cache_key"], str)
