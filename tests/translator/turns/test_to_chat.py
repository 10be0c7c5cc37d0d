from typing import Any

import pytest

from diglot.translator import Loss, Profile, Report, RequestError, preset
from diglot.translator.context import Context
from diglot.translator.parts import reasoning
from diglot.translator.parts.catalog import Catalog
from diglot.translator.turns.message_list import MessageList
from diglot.translator.turns.to_chat import HANDLERS, MessageBuilder

USER = {"role": "user", "content": "Go"}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "x"}
SAID = {
    "role": "assistant",
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
SAID_CALL = [{**SAID, "content": None}, {"role": "tool", "tool_call_id": "c", "content": "x"}]


def turned(given: Any, profile: Profile | None = None, **settings: Any) -> tuple[MessageList, list[Loss]]:
    """The turns of an input, and what was lost."""
    context = Context(profile or Profile(**settings), Report())
    builder = MessageBuilder(Catalog({}), context, "m")
    builder.add(given)
    builder.conversation.finish()
    return builder.conversation, list(context.report)


def messages(given: Any, profile: Profile | None = None, **settings: Any) -> list[dict[str, Any]]:
    return turned(given, profile, **settings)[0].messages


def kinds(losses: list[Loss]) -> list[tuple[str, str]]:
    return [(loss.path, loss.kind) for loss in losses]


def test_a_string_is_a_message_of_the_user() -> None:
    """Its origin is the whole input."""
    turns, losses = turned("Go")
    assert (turns.messages, turns.origins, losses) == ([USER], ["input"], [])


def test_every_message_knows_its_item() -> None:
    """Errors of the upstream about a message are told with the path of the client's item."""
    turns, _ = turned([USER, CALL, {"role": "assistant", "content": "Hm"}, OUTPUT, USER])
    assert [message["role"] for message in turns.messages] == ["user", "assistant", "tool", "user"]
    assert turns.origins == ["input[0]", "input[1]", "input[3]", "input[4]"]


@pytest.mark.parametrize(
    ("role", "openai", "default"),
    [
        ("user", "user", "user"),
        ("system", "system", "system"),
        ("developer", "developer", "system"),
        ("tool", "user", "user"),
        ("function", "user", "user"),
        ("assistant", "assistant", "assistant"),
    ],
)
def test_roles(role: str, openai: str, default: str) -> None:
    """A developer is the system where the upstream knows none; a tool's message without a call is the user's."""
    given = [{"type": "message", "role": role, "content": "Go"}]
    assert messages(given, preset("openai")) == [{"role": openai, "content": "Go"}]
    assert messages(given) == [{"role": default, "content": "Go"}]


@pytest.mark.parametrize("name", ["Ann", None, 5])
def test_a_name_is_kept(name: Any) -> None:
    """A message may say who speaks."""
    (message,) = messages([{**USER, "name": name}])
    assert message == {**USER, **({"name": "Ann"} if name == "Ann" else {})}


@pytest.mark.parametrize(
    ("item", "param", "code"),
    [
        ("x", "input[0]", "invalid_type"),
        (None, "input[0]", "missing_required_parameter"),
        ({}, "input[0].type", "missing_required_parameter"),
        ({"type": 5}, "input[0].type", "invalid_type"),
        ({"role": "critic", "content": "x"}, "input[0].role", "invalid_value"),
        ({"role": None, "content": "x"}, "input[0].role", "invalid_value"),
        ({"role": ["user"], "content": "x"}, "input[0].role", "invalid_value"),
        ({"role": "user"}, "input[0].content", "missing_required_parameter"),
        ({"role": "assistant", "content": 5}, "input[0].content", "invalid_type"),
        ({"role": "assistant", "content": [5]}, "input[0].content[0]", "invalid_type"),
        ({"id": "msg_1"}, "input[0]", "unsupported_value"),
        ({"type": "item_reference", "id": "msg_1"}, "input[0]", "unsupported_value"),
        ({"type": "compaction"}, "input[0].encrypted_content", "missing_required_parameter"),
        ({"type": "compaction", "encrypted_content": 5}, "input[0].encrypted_content", "invalid_type"),
        (
            {"type": "compaction", "encrypted_content": "foreign"},
            "input[0].encrypted_content",
            "invalid_encrypted_content",
        ),
        (
            {"type": "compaction", "encrypted_content": reasoning.seal({"text": "x"})},
            "input[0].encrypted_content",
            "invalid_encrypted_content",
        ),
        ({"type": "compaction_trigger"}, "input[0]", "invalid_value"),
        ({"type": "function_call_output", "name": 5, "output": "x"}, "input[0].name", "invalid_type"),
        ({"type": "function_call_output", "name": "f"}, "input[0].output", "missing_required_parameter"),
    ],
)
def test_items_that_are_refused(item: Any, param: str | None, code: str) -> None:
    """What is no item, or needs what is not here, is a 400 with its path."""
    with pytest.raises(RequestError) as raised:
        turned([item])
    assert (raised.value.param, raised.value.code) == (param, code)


@pytest.mark.parametrize("given", [5, {"role": "user"}, None])
def test_an_input_is_a_string_or_a_list(given: Any) -> None:
    """Anything else is a 400."""
    with pytest.raises(RequestError) as raised:
        turned(given)
    assert raised.value.param == "input"


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        *(
            ({"type": name, "id": "x"}, "dropped")
            for name in ("mcp_list_tools", "mcp_approval_request", "program_output")
        ),
        ({"type": "vendor:x"}, "dropped"),
        ({"type": "web_search_call", "id": "ws", "action": {}}, "dropped"),
        ({"type": "image_generation_call", "id": "ig", "result": None}, "dropped"),
        ({"type": "reasoning", "id": "rs", "summary": []}, "dropped"),
        ({"type": "reasoning", "id": "rs", "encrypted_content": "foreign"}, "dropped"),
        ({"type": "tool_search_call", "execution": "server"}, "dropped"),
        ({"type": "configuration_update"}, "approximated"),
        ({"type": "additional_tools", "role": "developer", "tools": []}, "emulated"),
    ],
)
def test_items_without_a_message_are_reported(item: dict[str, Any], kind: str) -> None:
    """Nothing is left out in silence."""
    turns, losses = turned([item, USER])
    assert turns.messages == [USER]
    assert kinds(losses) == [("input[0]", kind)]


@pytest.mark.parametrize(
    "item",
    [
        {"role": "user", "content": None},
        {"role": "developer", "content": None},
        {"type": "agent_message", "author": "/lead", "content": []},
        {"type": "context_compaction", "encrypted_content": None},
    ],
)
def test_items_that_say_nothing(item: dict[str, Any]) -> None:
    """W21: they stay out, and part no turn."""
    turns, losses = turned([USER, CALL, item, OUTPUT])
    assert turns.messages == [USER, *SAID_CALL]
    assert kinds(losses)[0] == ("input[2]", "dropped")


def test_what_another_agent_says_is_the_users() -> None:
    """W20: with its text, whoever wrote that."""
    task = [{"type": "input_text", "text": "Do"}, {"type": "encrypted_content", "encrypted_content": "this."}]
    turns, losses = turned(
        [USER, {"type": "agent_message", "author": "/lead", "recipient": "/lead/a", "content": task}]
    )
    assert turns.messages == [USER, {"role": "user", "content": "Message from /lead to /lead/a:\nDo\nthis."}]
    assert turns.origins == ["input[0]", "input[1]"]
    assert kinds(losses) == [("input[1]", "emulated")]


@pytest.mark.parametrize("kind", ["compaction", "context_compaction"])
def test_a_compaction_of_others_is_refused(kind: str) -> None:
    """Without it, the context is gone."""
    with pytest.raises(RequestError) as refused:
        messages([{"type": kind, "encrypted_content": "gAAAAABmZm9vYmFy"}, USER])
    assert refused.value.body()["error"] == {
        "message": "The encrypted content gAAA...YmFy could not be verified. "
        "Reason: Encrypted content could not be decrypted or parsed.",
        "type": "invalid_request_error",
        "param": "input[0].encrypted_content",
        "code": "invalid_encrypted_content",
    }


def test_turns_and_parts_that_are_no_items() -> None:
    """W22, W24: they are read in their place."""
    told = {"role": "tool", "tool_call_id": "c", "content": "x"}
    turns, losses = turned([{"type": "text", "text": "Go"}, {**SAID, "content": None}, told])
    assert turns.messages == [USER, *SAID_CALL]
    assert turns.origins == ["input[0]", "input[1].tool_calls[0]", "input[2]"]
    assert turns.call_origins == {1: ["input[1].tool_calls[0]"]}
    assert kinds(losses) == [(f"input[{i}]", "approximated") for i in range(3)]


def test_an_unknown_field_of_an_item_is_reported() -> None:
    """The item is read, the field is named."""
    turns, losses = turned([{**USER, "mood": "good", "id": "msg_1", "status": None}])
    assert (turns.messages, kinds(losses)) == ([USER], [("input[0].mood", "dropped")])


def test_our_own_compaction_is_read() -> None:
    """The summary stands where the conversation was."""
    item = {"type": "compaction", "id": "cmp", "encrypted_content": reasoning.seal({"summary": "Done."})}
    assert messages([item, USER]) == [{"role": "system", "content": "Done."}, USER]
    assert messages([item, USER], preset("openai"))[0]["role"] == "developer"


def test_an_async_call_is_waited_for() -> None:
    """It is a call like any other, and that is told."""
    turns, losses = turned([{**CALL, "async": True}, OUTPUT])
    assert (turns.messages, kinds(losses)) == (SAID_CALL, [("input[0].async", "emulated")])


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("42", {"role": "system", "content": "Result of f: 42"}),
        (
            [{"type": "input_image", "image_url": "u"}],
            {
                "role": "user",
                "content": [{"type": "text", "text": "Result of f:"}, {"type": "image_url", "image_url": {"url": "u"}}],
            },
        ),
    ],
)
def test_an_output_that_names_its_tool_only(output: Any, message: dict[str, Any]) -> None:
    """There is no call that it could answer: it is told (new in SDK 3.52)."""
    turns, losses = turned([{"type": "function_call_output", "name": "f", "output": output}])
    assert turns.messages == [message]
    assert kinds(losses) == [("input[0]", "approximated")]


def test_a_generated_image_is_shown() -> None:
    """The user shows it, in its own format."""
    turns, losses = turned([{"type": "image_generation_call", "result": "QQ==", "output_format": "webp"}])
    assert turns.messages[0]["content"][1]["image_url"] == {"url": "data:image/webp;base64,QQ=="}
    assert kinds(losses) == [("input[0]", "approximated")]


def test_a_tool_of_the_server_is_told_with_its_result() -> None:
    """A call without an id gets one of its place; the turn ends, for it is answered."""
    item = {"type": "code_interpreter_call", "code": "1", "outputs": []}
    turns, losses = turned([USER, item, {"role": "assistant", "content": "Hm"}])
    assert [message["role"] for message in turns.messages] == ["user", "assistant", "tool", "assistant"]
    assert turns.messages[1]["tool_calls"][0]["id"] == turns.messages[2]["tool_call_id"] == "call_1"
    assert kinds(losses) == [("input[1]", "approximated")]


IMAGE = {"type": "input_image", "image_url": "u"}


@pytest.mark.parametrize(
    ("output", "told", "media"),
    [
        ([IMAGE], "(see the attachment below)", 1),
        ([{"type": "input_text", "text": "x"}, IMAGE], "x", 1),
        ([{"type": "input_text", "text": "x"}], "x", 0),
        ([], "", 0),
    ],
)
def test_media_follow_in_a_message_of_the_user(output: list[Any], told: str, media: int) -> None:
    """A tool's message is text; what it showed stands behind the last of them (protocol 2.8)."""
    turns, losses = turned([CALL, {**OUTPUT, "output": output}])
    assert turns.messages[1] == {"role": "tool", "tool_call_id": "c", "content": told}
    shown = [part["type"] for message in turns.messages[2:] for part in message["content"]]
    assert shown == ["text", "image_url"] * media
    assert kinds(losses) == [("input[1].output", "approximated")] * media


@pytest.mark.parametrize(
    ("policy", "given", "expected"),
    [
        ("separate", "ssus", ["s:a", "s:b", "u:c", "s:d"]),
        ("leading", "ssus", ["s:a\n\nb", "u:c", "s:d"]),
        ("leading", "us", ["u:a", "s:b"]),
        ("one", "ssus", ["s:a\n\nb\n\nd", "u:c"]),
        ("one", "us", ["s:b", "u:a"]),
        ("one", "uus", ["s:c", "u:a", "u:b"]),
    ],
)
def test_system_messages(policy: Any, given: str, expected: list[str]) -> None:
    """They stay, those in front become one, or all become one (many chat templates take one)."""
    roles = {"s": "system", "u": "user"}
    items = [{"role": roles[r], "content": c} for r, c in zip(given, "abcd", strict=False)]
    turns, losses = turned(items, system_messages=policy)
    assert [f"{message['role'][0]}:{message['content']}" for message in turns.messages] == expected
    assert len(turns.origins) == len(turns.messages)
    moved = [f"input[{i}]" for i, r in enumerate(given) if r == "s" and "u" in given[:i]] if policy == "one" else []
    assert kinds(losses) == [(path, "approximated") for path in moved]


@pytest.mark.parametrize(
    "late",
    [
        {"role": "system", "content": "b", "name": "n"},
        {"role": "system", "content": [{"type": "input_text", "text": "b", "prompt_cache_breakpoint": {"mode": "x"}}]},
    ],
)
@pytest.mark.parametrize("policy", ["leading", "one"])
def test_system_messages_that_cannot_be_joined(late: dict[str, Any], policy: Any) -> None:
    """Names and lists of parts keep a message apart; nothing of it is lost."""
    profile = Profile(system_messages=policy, content_lists=frozenset({"system"}))
    first = {"role": "system", "content": "a"}
    made = messages([first, late], profile)
    assert made[0] == first
    assert len(made) == 2


THOUGHT = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
OLD = [THOUGHT, {"role": "assistant", "content": "A"}, USER]
NEW = [THOUGHT, CALL, OUTPUT]


@pytest.mark.parametrize(
    ("replay", "old", "new", "kind"),
    [
        ("always", True, True, None),
        ("same_model", True, True, None),
        ("tool_loop", False, True, "emulated"),
        ("never", False, False, "dropped"),
    ],
)
def test_which_thoughts_go_back(replay: Any, old: bool, new: bool, kind: str | None) -> None:
    """The profile decides; what stays behind is told."""
    turns, losses = turned([*OLD, *NEW], reasoning_replay=replay)
    assert ["reasoning_content" in turns.messages[i] for i in (0, 2)] == [old, new]
    left = [path for path, stays in (("input[0]", not old), ("input[3]", not new)) if stays]
    assert kinds(losses) == [(path, kind) for path in left]


@pytest.mark.parametrize(("model", "replayed"), [("m", True), (None, True), ("other", False)])
def test_thoughts_of_another_model_stay_behind(model: str | None, replayed: bool) -> None:
    """`same_model`: an envelope says whose thoughts they are."""
    item = {"type": "reasoning", "summary": [], "encrypted_content": reasoning.seal({"text": "hm", "model": model})}
    turns, losses = turned([item, {"role": "assistant", "content": "A"}], reasoning_replay="same_model")
    assert ("reasoning_content" in turns.messages[0]) is replayed
    assert bool(losses) is not replayed


@pytest.mark.parametrize("replay", ["always", "same_model"])
def test_the_client_may_ask_for_the_current_turn_only(replay: Any) -> None:
    """`reasoning.context: current_turn` leaves older thoughts behind."""
    context = Context(Profile(reasoning_replay=replay), Report())
    turns = MessageBuilder(Catalog({}), context, "m", current_turn_only=True)
    turns.add([*OLD, *NEW])
    assert ["reasoning_content" in turns.conversation.messages[i] for i in (0, 2)] == [False, True]


SIGNED = {"google": {"thought_signature": "s"}}
SEALED = {"type": "reasoning", "summary": [], "encrypted_content": reasoning.seal({"text": "", "calls": {"c": SIGNED}})}


@pytest.mark.parametrize("profile", [Profile(), preset("gemini"), preset("openai"), Profile(reasoning_replay="always")])
def test_signatures_go_back_whatever_happens_to_thoughts(profile: Profile) -> None:
    """D5: calls fail without them, so they belong to the calls."""
    turns, losses = turned([USER, SEALED, CALL, OUTPUT], profile)
    assert turns.messages[1]["tool_calls"][0]["extra_content"] == SIGNED
    assert losses == []


def test_thoughts_that_led_to_nothing_are_reported() -> None:
    """Without a message or a call behind them there is nothing to hang them on."""
    turns, losses = turned([USER, THOUGHT, USER])
    assert turns.messages == [USER, USER]
    assert [loss.why for loss in losses] == ["reasoning of finished turns is left out, as on a Responses server"]
    turns, losses = turned([USER, THOUGHT])
    assert turns.messages == [USER]
    assert [loss.why for loss in losses] == ["it is not followed by the item that it led to"]


@pytest.mark.parametrize("content", ["", [], None])
def test_an_empty_message_of_the_assistant(content: Any) -> None:
    """It becomes an empty message, or none that is reported."""
    turns, losses = turned([{"role": "assistant", "content": content}, USER])
    assert turns.messages[-1] == USER
    assert len(turns.messages) + len(losses) == 2


REFUSED = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}


@pytest.mark.parametrize(
    ("refusals", "message", "losses"),
    [(True, {"content": None, "refusal": "No."}, []), (False, {"content": "No."}, [("input[0]", "approximated")])],
)
def test_a_refusal_may_have_to_be_text(refusals: bool, message: dict[str, Any], losses: list[Any]) -> None:
    """Where the upstream knows none, it is told as what was said."""
    turns, found = turned([REFUSED], refusals=refusals)
    assert (turns.messages, kinds(found)) == ([{"role": "assistant", **message}], losses)


def test_messages_and_calls_of_one_turn_are_one_message() -> None:
    """Their order is lost, and that is told; texts of two messages stand on lines of their own."""
    said = {"role": "assistant", "content": "A"}
    turns, losses = turned([CALL, said, {**said, "content": "B"}, OUTPUT])
    assert turns.messages[0] == {**SAID, "content": "A\n\nB"}
    assert [(loss.path, loss.why) for loss in losses] == [
        ("input[1]", "chat does not keep the order of text and calls in a turn"),
        ("input[2]", "chat does not keep the order of text and calls in a turn"),
        ("input[2]", "messages of one turn are merged"),
    ]


def test_handlers_are_named_as_on_the_wire() -> None:
    """The table is by the items' types."""
    assert all(name == name.lower() and " " not in name for name in HANDLERS)


def test_ids_of_calls_as_the_upstream_takes_them() -> None:
    """A call and its result have the same short id, and a signature still finds its call."""
    sealed = reasoning.seal({"calls": {"call_1": {"google": {}}}})
    thought = {"type": "reasoning", "summary": [], "encrypted_content": sealed}
    calls = [{**CALL, "call_id": f"call_{i}"} for i in (1, 2)]
    outputs = [{**OUTPUT, "call_id": f"call_{i}"} for i in (2, 1)]
    made = messages([USER, thought, *calls, *outputs], call_ids="nine_alphanumeric")
    first, second = made[1]["tool_calls"]
    assert [(len(call["id"]), call["id"].isalnum()) for call in (first, second)] == [(9, True)] * 2
    assert [message["tool_call_id"] for message in made[2:]] == [first["id"], second["id"]]
    assert ("extra_content" in first, "extra_content" in second) == (True, False)


def test_roles_take_turns() -> None:
    """The messages and the paths that they came from stay together."""
    said = {"role": "assistant", "content": "Hi"}
    turns, losses = turned([said, USER, USER, CALL, OUTPUT, USER], alternating_roles=True)
    assert [message["role"] for message in turns.messages] == [
        *("user", "assistant", "user", "assistant", "tool", "assistant", "user"),
    ]
    assert turns.origins == [f"input[{i}]" for i in (0, 0, 1, 3, 4, 5, 5)]
    assert turns.call_origins == {3: ["input[3]"]}
    assert [(loss.path, loss.kind) for loss in losses] == [(f"input[{i}]", "approximated") for i in (0, 2, 5)]


def test_other_names_of_calls_are_reported() -> None:
    """What history calls may not be declared any more: the report names the call."""
    odd = {**CALL, "name": "a.b"}
    assert [(loss.path, loss.kind) for loss in turned([USER, odd, OUTPUT])[1]] == [("input[1].name", "emulated")]
    assert turned([USER, {**odd, "namespace": "ns"}, OUTPUT])[1] == []
