import gc
from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Profile, ProtocolMisuse, ServeResponses, ToResponses, UpstreamError, preset
from diglot.translator.parts import reasoning
from diglot.translator.wire import json, sse

from judges import judge_answer, judge_order

Serve = Callable[..., ServeResponses]
TOOLS = [{"type": "function", "name": "f"}, {"type": "shell"}]


def delta(fields: Any = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields or {}, "finish_reason": finish, **more}]}


def call(index: Any = 0, call_id: Any = "c", name: Any = "f", arguments: Any = "{}", **more: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function, **more}]}


def run(transducer: ToResponses, *chunks: Any, clean: bool = True) -> dict[str, Any]:
    """The answer of a whole stream, which the judges have taken."""
    events = [event for chunk in chunks for event in ([] if transducer.ended else transducer.feed(chunk))]
    events += [] if transducer.ended else transducer.finish(clean)
    judge_order(events)
    judge_answer(transducer.answer)
    return transducer.answer


def kinds(answer: dict[str, Any]) -> list[str]:
    return [item["type"] for item in answer["output"]]


# --- the contract ----------------------------------------------------------------------------------------------------


def test_nothing_is_said_before_something_came(serve: Serve) -> None:
    """Chunks without a choice do not begin the answer: an error may still become an HTTP error."""
    transducer = serve().transducer()
    assert transducer.feed({"choices": [], "model": "m-1", "prompt_filter_results": []}) == []
    assert transducer.feed({"usage": {"prompt_tokens": 1}}) == []
    assert transducer.feed({"choices": "x"}) == []
    assert transducer.feed({"choices": [None, "x"]}) == []
    assert not transducer.started
    transducer.feed(delta())
    assert transducer.started
    assert transducer.answer["model"] == "m-1"


def test_start_is_said_once(serve: Serve) -> None:
    """Ahead of the first chunk or with it, never twice."""
    transducer = serve().transducer()
    assert [event["type"] for event in transducer.start()] == ["response.created", "response.in_progress"]
    assert transducer.start() == []
    assert transducer.feed(delta({"content": "Hi"}))[0]["type"] == "response.output_item.added"


@pytest.mark.parametrize(
    "verb",
    [
        lambda t: t.start(),
        lambda t: t.feed({}),
        lambda t: t.finish(),
        lambda t: t.fail(UpstreamError("late")),
    ],
)
@pytest.mark.parametrize("end", [lambda t: t.finish(True), lambda t: t.fail(UpstreamError("It broke."))])
def test_after_the_end_every_verb_is_misuse(
    serve: Serve, end: Callable[[Any], Any], verb: Callable[[Any], Any]
) -> None:
    """The contract is broken by the calling code, and it is told."""
    transducer = serve().transducer()
    transducer.feed(delta({"content": "Hi"}, "stop"))
    end(transducer)
    with pytest.raises(ProtocolMisuse, match="has ended"):
        verb(transducer)


def test_finishing_is_between_reason_and_end(serve: Serve) -> None:
    """Then only usage is outstanding, and the items are closed already."""
    transducer = serve().transducer()
    transducer.feed(delta(call()))
    assert not transducer.finishing
    events = transducer.feed(delta(finish="tool_calls"))
    assert events[-1]["type"] == "response.output_item.done"
    assert transducer.finishing
    transducer.finish()
    assert not transducer.finishing


def test_an_error_before_the_start_is_raised(serve: Serve) -> None:
    """Its status is the upstream's, and the answer may still be made by another try."""
    transducer = serve().transducer()
    with pytest.raises(UpstreamError, match="Slow down") as raised:
        transducer.feed({"error": {"message": "Slow down.", "code": 429}})
    assert raised.value.status == 429
    with pytest.raises(UpstreamError, match="before it began"):
        transducer.finish()


@pytest.mark.parametrize("flavour", ["openai", "openresponses"])
def test_an_error_after_the_start_is_the_end(serve: Serve, flavour: Any) -> None:
    """What came before stays in the answer; Open Responses has an event of its own for it (I17)."""
    transducer = serve(profile=Profile(events=flavour)).transducer()
    transducer.feed(delta({"content": "Hi"}))
    events = transducer.feed({"error": {"message": "Slow down.", "code": 429}})
    assert [event["type"] for event in events][-2:] == [
        "response.output_item.done" if flavour == "openai" else "error",
        "response.failed",
    ]
    assert transducer.answer["error"] == {"code": "rate_limit_exceeded", "message": "Slow down."}
    assert transducer.answer["output"][0]["status"] == "incomplete"


def test_the_clock_is_asked_where_the_upstream_says_no_time(serve: Serve) -> None:
    """`created` is the upstream's, or ours."""
    assert run(serve().transducer(), delta({"content": "a"}, "stop"))["created_at"] == 1_700_000_000
    assert run(serve().transducer(), {**delta({"content": "a"}, "stop"), "created": 5})["created_at"] == 5


# --- endings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chunks", "clean", "status"),
    [
        ([delta({"content": "Hi"}, "stop")], False, "completed"),
        ([delta({"content": "Hi"})], True, "completed"),
        ([delta({"content": "Hi"})], False, "failed"),
        ([delta()], True, "failed"),
        ([delta(call(name="shell", arguments='{"commands":["ls"]}'))], True, "completed"),
        ([delta(call()), "garbage", delta(finish="stop")], True, "failed"),
        ([delta({"content": "Hi"}, "tool_calls")], True, "failed"),
        ([delta(call(), "stop")], True, "completed"),
        ([delta(call(), "tool_calls"), delta(finish="stop")], True, "completed"),
        ([delta(call(name=None)), delta(finish="tool_calls")], True, "failed"),
        ([delta(call(call_id="a", name=None)), delta(call(call_id="b")), delta(finish="tool_calls")], True, "failed"),
        (
            [
                delta(call(arguments='{"a":1}')),
                delta({"content": "Hi"}),
                delta(call(arguments='{"b":1}', name=None)),
                delta(finish="stop"),
            ],
            True,
            "failed",
        ),
        (
            [delta(call()), delta({"content": "Hi"}), delta(call(arguments="{}", name=None)), delta(finish="stop")],
            True,
            "completed",
        ),
        (
            [delta(call()), delta({"content": "Hi"}), delta(call(arguments=" ", name=None)), delta(finish="stop")],
            True,
            "completed",
        ),
        ([delta({"content": "Hi"}), delta(error={"message": "x"})], True, "failed"),
    ],
)
def test_how_it_ends(serve: Serve, chunks: list[Any], clean: bool, status: str) -> None:
    """A cut, damaged or contradictory stream never ends as completed."""
    assert run(serve({"tools": TOOLS}).transducer(), *chunks, clean=clean)["status"] == status


def test_other_choices_are_dropped(serve: Serve) -> None:
    """A Response is one answer (D40); the report says it once."""
    exchange = serve()
    other = {"choices": [{"index": 1, "delta": {"content": "No"}}]}
    answer = run(exchange.transducer(), delta({"content": "Hi"}), other, other, delta(finish="stop"))
    assert answer["output"][0]["content"][0]["text"] == "Hi"
    assert [(loss.path, loss.kind) for loss in exchange.report] == [("choices", "dropped")]


# --- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "output"),
    [
        ("Hi", ["message"]),
        ("", []),
        (None, []),
        (5, []),
        ([{"type": "text", "text": "Hi"}, {"type": "image"}, "x", {"text": 5}], ["message"]),
        (
            [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"text": "Hi"}],
            ["reasoning", "message"],
        ),
        ([{"type": "thinking", "thinking": "hm"}], ["reasoning"]),
    ],
)
def test_content_in_all_forms(serve: Serve, content: Any, output: list[str]) -> None:
    """A string, or parts; what is empty opens nothing."""
    answer = run(serve().transducer(), delta({"content": content}), delta(finish="stop"))
    assert kinds(answer) == output


@pytest.mark.parametrize("refusal", [5, ["no"]])
def test_a_refusal_is_a_string(serve: Serve, refusal: Any) -> None:
    """Anything else refuses nothing."""
    assert run(serve().transducer(), delta({"refusal": refusal}, "stop"))["output"] == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"audio": {"id": "a"}}, "audio"),
        ({"images": [{"url": "u"}]}, "images"),
        ({"annotations": [{"type": "file_citation"}]}, "annotations"),
        ({"annotations": "x"}, "annotations"),
    ],
)
def test_what_no_answer_can_hold_is_reported(serve: Serve, fields: dict[str, Any], path: str) -> None:
    """The text stays, the rest is named."""
    exchange = serve()
    assert kinds(run(exchange.transducer(), delta({"content": "Hi", **fields}, "stop"))) == ["message"]
    assert [(loss.path, loss.kind) for loss in exchange.report] == [(path, "dropped")]


CITED = {"type": "url_citation", "url_citation": {"url": "u"}}


@pytest.mark.parametrize(
    ("chunks", "urls"),
    [
        ([delta({"content": "Hi"}), delta({"annotations": [CITED]})], ["u"]),
        ([delta({"annotations": [CITED]}), delta({"content": "Hi"})], ["u"]),
        ([delta({"content": "Hi"}), {"citations": ["v"], "choices": []}], ["v"]),
    ],
)
def test_citations_belong_to_the_text(serve: Serve, chunks: list[Any], urls: list[str]) -> None:
    """Before, behind or beside it."""
    answer = run(serve().transducer(), *chunks, delta(finish="stop"))
    assert [a["url"] for a in answer["output"][0]["content"][0]["annotations"]] == urls


def test_citations_of_no_text_are_reported(serve: Serve) -> None:
    """A call cannot cite."""
    exchange = serve({"tools": TOOLS[:1]})
    assert kinds(run(exchange.transducer(), delta({"annotations": [CITED], **call()}, "stop"))) == ["function_call"]
    assert [loss.path for loss in exchange.report] == ["annotations"]


def test_logprobs_wait_for_their_text(serve: Serve) -> None:
    """They may come on a chunk without text (D38)."""
    tokens = {"content": [{"token": "Hi", "logprob": -1, "bytes": None, "top_logprobs": []}]}
    answer = run(serve().transducer(), delta({}, logprobs=tokens), delta({"content": "Hi"}, "stop"))
    assert [token["token"] for token in answer["output"][0]["content"][0]["logprobs"]] == ["Hi"]


# --- reasoning -------------------------------------------------------------------------------------------------------


def opened(answer: dict[str, Any]) -> dict[str, Any]:
    """What is sealed in the first item."""
    return reasoning.unseal(answer["output"][0].get("encrypted_content")) or {}


def test_text_is_sealed_when_asked_for(serve: Serve) -> None:
    """A client that keeps nothing but ciphertext gets the thoughts in it."""
    chunks = (delta({"reasoning": "hm"}), delta({"content": "Hi"}, "stop"))
    assert "encrypted_content" not in run(serve().transducer(), *chunks)["output"][0]
    asked = serve({"include": ["reasoning.encrypted_content"]})
    assert opened(run(asked.transducer(), *chunks)) == {"text": "hm", "field": "reasoning", "model": "m"}


def test_hidden_thoughts_are_hidden(serve: Serve) -> None:
    """With `off` there is no item, unless a call needs its signature back."""
    exchange = serve({"tools": TOOLS}, Profile(reasoning_expose="off"))
    chunks = delta({"reasoning_content": "hm"}), delta({"content": "Hi"}), delta(finish="stop")
    assert kinds(run(exchange.transducer(), *chunks)) == ["message"]
    signed = run(exchange.transducer(), delta({"reasoning_content": "hm", **call(extra_content={"a": 1})}, "stop"))
    assert kinds(signed) == ["reasoning", "function_call"]
    assert (opened(signed)["calls"], opened(signed)["text"]) == ({"c": {"a": 1}}, "")


SIGNED = {"google": {"thought_signature": "s"}}


@pytest.mark.parametrize("name", ["default", "gemini", "openai"])
@pytest.mark.parametrize("call_id", ["c", None])
def test_a_signature_goes_there_and_back(serve: Serve, name: str, call_id: str | None) -> None:
    """D5: what came with a call goes back on that call in the next turn, whatever the client understands of it."""
    exchange = serve({"tools": TOOLS}, preset(name))
    answer = run(exchange.transducer(), delta(call(call_id=call_id, extra_content=SIGNED)), delta(finish="tool_calls"))
    made = answer["output"][-1]["call_id"]
    outputs = [{"type": "function_call_output", "call_id": made, "output": "x"}]
    following = serve({"tools": TOOLS, "input": [*answer["output"], *outputs]}, preset(name))
    (sent,) = following.chat["messages"][0]["tool_calls"]
    assert (sent["id"], sent["extra_content"]) == (made, SIGNED)


def test_a_signature_that_is_too_late_is_reported(serve: Serve) -> None:
    """The item that would carry it stands before the call."""
    exchange = serve({"tools": TOOLS[:1]})
    late = {"tool_calls": [{"index": 0, "extra_content": SIGNED}]}
    assert kinds(run(exchange.transducer(), delta(call()), delta(late), delta(finish="stop"))) == ["function_call"]
    assert [(loss.path, loss.kind) for loss in exchange.report] == [("tool_calls", "dropped")]


DETAILS = [
    {"type": "reasoning.text", "text": "I ", "index": 0, "format": "x"},
    {"type": "reasoning.text", "text": "think", "index": 0},
    {"type": "reasoning.text", "signature": "s", "index": 0},
    {"type": "reasoning.encrypted", "data": "abc", "index": 1},
]
JOINED = [
    {"type": "reasoning.text", "text": "I think", "index": 0, "format": "x", "signature": "s"},
    {"type": "reasoning.encrypted", "data": "abc", "index": 1},
]


def test_structures_go_there_and_back(serve: Serve) -> None:
    """D4: OpenRouter's fragments are joined, sealed, and sent back as one list."""
    exchange = serve({"tools": TOOLS}, preset("openrouter"))
    chunks = [delta({"reasoning_details": [entry]}) for entry in DETAILS]
    answer = run(exchange.transducer(), *chunks, delta(call()), delta(finish="tool_calls"))
    assert answer["output"][0]["content"] == [{"type": "reasoning_text", "text": "I think"}]
    assert opened(answer)["reasoning_details"] == JOINED
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    following = serve({"tools": TOOLS, "input": [*answer["output"], output]}, preset("openrouter"))
    message = following.chat["messages"][0]
    assert message["reasoning_details"] == JOINED
    assert message["reasoning"] == "I think"


# --- calls -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"tool_calls": call()["tool_calls"][0]},
        {"tool_calls": ["x", None, call()["tool_calls"][0]]},
        {"function_call": {"name": "f", "arguments": "{}"}},
    ],
)
def test_calls_in_all_forms(serve: Serve, fields: dict[str, Any]) -> None:
    """A list, one alone, or the deprecated field; what is no object is no call."""
    answer = run(serve({"tools": TOOLS}).transducer(), delta(fields), delta(finish="stop"))
    assert [(item["type"], item["name"], item["arguments"]) for item in answer["output"]] == [
        ("function_call", "f", "{}")
    ]


@pytest.mark.parametrize(
    "deltas",
    [
        [call(call_id="a"), call(call_id="b"), call(call_id="a")],
        [call(call_id="a"), call(1, None), call(1, "a", None, "")],
    ],
)
def test_no_two_calls_have_one_id(serve: Serve, deltas: list[Any]) -> None:
    """Whatever a server repeats, every call can be answered."""
    answer = run(serve({"tools": TOOLS}).transducer(), *map(delta, deltas), delta(finish="stop"))
    ids = [item["call_id"] for item in answer["output"]]
    assert len(ids) == len(set(ids)) >= 2


# --- markup ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("<think>hm</think>Hi", ["reasoning", "message"]),
        ("<think>hm", ["reasoning"]),
        ('<tool_call>{"name":"f","arguments":{}}</tool_call>', ["function_call"]),
        ('Hi<tool_call>{"name":"f"}', ["message", "function_call"]),
        ("<tool_call>no call</tool_call>", ["message"]),
        ("a <thi", ["message"]),
    ],
)
@pytest.mark.parametrize("size", [1, 100])
def test_markup_is_read_on_demand(serve: Serve, text: str, output: list[str], size: int) -> None:
    """Thoughts and calls that a server left in the text (D42); what is none stays text."""
    profile = Profile(markup=frozenset({"think", "tool_call"}))
    chunks = [delta({"content": text[i : i + size]}) for i in range(0, len(text), size)]
    answer = run(serve({"tools": TOOLS}, profile).transducer(), *chunks, delta(finish="stop"))
    assert kinds(answer) == output
    if output == ["message"]:
        assert answer["output"][0]["content"][0]["text"] == text
    assert kinds(run(serve().transducer(), *chunks, delta(finish="stop"))) == ["message"]


# --- what is said twice, and elsewhere -------------------------------------------------------------------------------


def texts_of(answer: dict[str, Any]) -> list[str]:
    """What the items of an answer say, in short."""
    return [
        item.get("name", "")
        + item.get("arguments", "")
        + item.get("input", "")
        + "".join(part.get("text", part.get("refusal", "")) for part in item.get("content", ()))
        for item in answer["output"]
    ]


def message(finish: Any = None, kind: str = "chat.completion", **words: Any) -> dict[str, Any]:
    return {"object": kind, "choices": [{"index": 0, "message": words, "finish_reason": finish}]}


A = '{"a":1}'
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": A}}
NATIVE = {"id": "n", "type": "custom", "custom": {"name": "c", "input": "ls"}}


@pytest.mark.parametrize(
    ("chunks", "output"),
    [
        ([delta({"content": "Hel"}), delta({"content": "lo"}), message("stop", content="Hello")], ["Hello"]),
        ([delta({"content": "Hel"}), message("stop", content="Hello")], ["Hello"]),
        ([delta({"content": "Hel"}), message("stop", content=[{"type": "text", "text": "Hello"}])], ["Hello"]),
        ([delta({"content": "Hello"}), message("stop", content="Hel")], ["Hello"]),
        ([delta({"content": "Hello"}), message("stop", content="Other")], ["Hello"]),
        ([message(kind="chunk", content="Hel"), message("stop", kind="chunk", content="lo")], ["Hello"]),
        ([delta({"refusal": "N"}), delta({"refusal": "o"}), message("stop", refusal="No.")], ["No."]),
        ([delta({"reasoning": "hm"}), message("stop", reasoning="hmm", content="Hi")], ["hmm", "Hi"]),
        (
            [delta({"reasoning": "hm"}), delta({"content": "Hi"}), message("stop", reasoning="hm", content="Hi!")],
            ["hm", "Hi!"],
        ),
        (
            [delta({"content": "A"}), delta(call(arguments=A)), delta({"content": "B"}), message("stop", content="AB")],
            ["A", "f" + A, "B"],
        ),
        (
            [delta({"content": "A"}), delta(call(arguments=A)), delta({"content": "B"}), message("stop", content="B!")],
            ["A", "f" + A, "B!"],
        ),
        (
            [
                delta({"reasoning": "A"}),
                delta({"content": "x"}),
                delta({"reasoning": "B"}),
                message("stop", reasoning="B!", content="x"),
            ],
            ["A", "x", "B!"],
        ),
        (
            [delta(call(arguments='{"a"')), delta({"content": "Hi"}), message("stop", content="Hi", tool_calls=[CALL])],
            ["f" + A, "Hi"],
        ),
        ([delta(call(arguments='{"a":')), message("tool_calls", tool_calls=[CALL])], ["f" + A]),
        ([delta(call(arguments=A)), message("tool_calls", tool_calls=[{**CALL, "id": "other"}])], ["f" + A]),
        ([delta(call(arguments='{"b":1}')), message("stop", tool_calls=[{**CALL, "id": "d"}])], ['f{"b":1}', "f" + A]),
        ([delta(call(arguments=A)), message("tool_calls", function_call=CALL["function"])], ["f" + A]),
        ([delta({"function_call": CALL["function"]}), message("stop", tool_calls=[CALL])], ["f" + A]),
        ([delta({"function_call": CALL["function"]}), delta({"tool_calls": [{"index": 0, **CALL}]})], ["f" + A]),
        ([delta({"tool_calls": [{"index": 0, **CALL}]}), delta({"tool_calls": [{"index": 1, **CALL}]})], ["f" + A]),
        ([delta({"tool_calls": [NATIVE]}), message("stop", tool_calls=[NATIVE])], ["cls"]),
        ([delta({"tool_calls": [NATIVE]}), message("stop", tool_calls=[NATIVE, CALL])], ["cls", "f" + A]),
        ([{"choices": [{"text": "Hel"}]}, {"choices": [{"text": "lo", "finish_reason": "stop"}]}], ["Hello"]),
        ([{"choices": [{"index": 1, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}], ["Hi"]),
        (
            [
                {
                    "choices": [
                        {"index": 0, "message": {"content": "Hi"}, "finish_reason": "tool_calls"},
                        {"index": 1, "message": {"tool_calls": [CALL]}, "finish_reason": "tool_calls"},
                        {"index": 2, "message": {"tool_calls": [{**CALL, "id": "d"}]}},
                        {"index": 3, "message": {"tool_calls": [NATIVE]}},
                        {"index": 4, "message": {"content": "Hey", "tool_calls": [NATIVE]}},
                        {"index": 4, "delta": {"reasoning": "hm"}},
                    ]
                }
            ],
            ["Hi", "f" + A, "cls"],
        ),
    ],
)
def test_nothing_is_added_twice(serve: Serve, chunks: list[Any], output: list[str]) -> None:
    """The whole message again, one call under two names, parts of an answer in several choices (W3 to W6)."""
    answer = run(serve({"tools": TOOLS}).transducer(), *chunks, delta(finish="stop"), clean=True)
    assert (answer["status"], texts_of(answer)) == ("completed", output)


@pytest.mark.parametrize(
    "chunks",
    [
        [
            delta(call(arguments='{"a"')),
            message("stop", tool_calls=[{"id": "c", "function": {"name": "f", "arguments": "{}"}}]),
        ],
        [delta(call(arguments=A)), delta(call(arguments='{"b"', name=None))],
    ],
)
def test_what_contradicts_itself_fails(serve: Serve, chunks: list[Any]) -> None:
    """Arguments that are not those which came."""
    answer = run(serve({"tools": TOOLS}).transducer(), *chunks, delta(finish="stop"), clean=True)
    assert (answer["status"], "more arguments" in answer["error"]["message"]) == ("failed", True)


@pytest.mark.parametrize("last", ["lss", "other", "ls"])
def test_free_form_input_once_more(serve: Serve, last: str) -> None:
    """What is new of it is added; what differs, or comes behind its end, is too much."""
    again: dict[str, Any] = {"tool_calls": [{**NATIVE, "custom": {"name": "c", "input": last}}]}
    answer = run(serve().transducer(), delta({"tool_calls": [NATIVE]}), message("stop", **again))
    assert texts_of(answer) == ["cls" + "s" * (last == "lss")]
    answer = run(serve().transducer(), delta({"tool_calls": [NATIVE]}), delta({"content": "Hi"}), message(**again))
    assert texts_of(answer)[0].startswith("cls")


def test_a_summary_once_more(serve: Serve) -> None:
    """Of a compaction, too."""
    compact = {"input": [{"type": "message", "role": "user", "content": "Go"}, {"type": "compaction_trigger"}]}
    answer = run(serve(compact).transducer(), delta({"content": "Short"}), message("stop", content="Short."))
    summary = reasoning.unseal(answer["output"][0]["encrypted_content"])
    assert summary == {"summary": "Short."}


def test_refusals_and_texts_once_more(serve: Serve) -> None:
    """Each kind has its own; what is no text is none."""
    chunks = [delta({"content": "A"}), delta({"refusal": "B"}), message(content="A", refusal="B")]
    odd = message("stop", content=[{"type": "refusal", "refusal": "BC"}], refusal=5)
    assert texts_of(run(serve().transducer(), *chunks, odd)) == ["ABC"]


def test_more_for_a_call_that_is_closed_fails(serve: Serve) -> None:
    """Clients have run it by then."""
    chunks = [delta(call(arguments=A)), delta({"content": "Hi"}), delta(call(arguments="more", name=None))]
    answer = run(serve().transducer(), *chunks, delta(finish="stop"))
    assert (answer["status"], "more arguments" in answer["error"]["message"]) == ("failed", True)


def test_what_differs_at_the_end_is_in_the_report(serve: Serve) -> None:
    """What was said cannot be taken back."""
    exchange = serve()
    answer = run(exchange.transducer(), delta({"content": "Hello"}), message("stop", content="Other"))
    assert texts_of(answer) == ["Hello"]
    assert [(loss.path, loss.kind) for loss in exchange.report] == [("content", "approximated")]


def test_what_is_no_text_at_the_end_is_in_the_report(serve: Serve) -> None:
    """As in any other content."""
    exchange = serve()
    parts = ["Hel", {"type": "text", "text": "lo"}, {"type": "image"}, 5]
    answer = run(exchange.transducer(), delta({"content": "Hello"}), message("stop", content=parts))
    assert texts_of(answer) == ["Hello"]
    assert [(loss.path, loss.kind) for loss in exchange.report] == [("content", "dropped")]


def test_the_whole_message_cites_nothing_twice(serve: Serve) -> None:
    """Annotations, details and log-probabilities are there once."""
    first, second = ({"type": "url_citation", "url_citation": {"url": u, "title": u}} for u in ("a", "b"))
    details: dict[str, Any] = {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}
    tokens = {"content": [{"token": "Hi", "logprob": -1.0}]}
    chunk = delta({"content": "Hi", "annotations": [first], **details})
    chunk["choices"][0]["logprobs"] = tokens
    last = message("stop", content="Hi", annotations=[first, second], **details)
    last["choices"][0]["logprobs"] = tokens
    exchange = serve()
    output = run(exchange.transducer(), chunk, last)["output"]
    part = output[1]["content"][0]
    assert ([a["url"] for a in part["annotations"]], len(part["logprobs"]), texts_of({"output": output})) == (
        ["a", "b"],
        1,
        ["hm", "Hi"],
    )
    assert list(exchange.report) == []


def test_pieces_that_repeat_what_came_before(serve: Serve) -> None:
    """With `cumulative_deltas`, each piece has all of it: texts, thoughts, and arguments."""
    words = [
        {"reasoning_content": "h"},
        {"reasoning_content": "hm"},
        {"reasoning_content": "hm", "content": "H"},
        {"content": "Hi"},
        {"content": "Hi", **call(arguments='{"a"')},
        {"content": "Hi", **call(arguments=A)},
        {"content": "Hi", **call(arguments=A)},
    ]
    exchange = serve({"tools": TOOLS[:1]}, profile=Profile(cumulative_deltas=True))
    answer = run(exchange.transducer(), *map(delta, words), delta(finish="tool_calls"))
    assert (texts_of(answer), list(exchange.report)) == (["hm", "Hi", "f" + A], [])
    assert exchange.transducer().fast_path() is None


def test_what_is_not_cumulative_is_more(serve: Serve) -> None:
    """Where a server does not repeat itself after all, nothing is lost."""
    exchange = serve(profile=Profile(cumulative_deltas=True))
    answer = run(exchange.transducer(), delta({"content": "Hel"}), delta({"content": "lo"}), delta(finish="stop"))
    assert texts_of(answer) == ["Hello"]


def test_what_was_used_before_a_failure_is_told(serve: Serve) -> None:
    """It is paid (W7); also where the choice has it."""
    used = {"prompt_tokens": 3, "completion_tokens": 2}
    answer = run(serve().transducer(), delta({"content": "Hi"}), {"error": {"message": "x"}, "usage": used})
    assert (answer["status"], answer["usage"]["total_tokens"]) == ("failed", 5)
    chunk = delta({"content": "Hi"}, "stop")
    chunk["choices"][0]["usage"] = used
    assert run(serve().transducer(), chunk)["usage"]["total_tokens"] == 5


# --- what stays behind -----------------------------------------------------------------------------------------------


TAGGED = '<think>hm</think>Hi<tool_call>{"name":"f"}</tool_call>'
CUSTOM = {"id": "d", "type": "function", "function": {"name": "c", "arguments": '{"input":"a\\nb"}'}}
MESSAGE = {"role": "assistant", "reasoning_content": "hm", "content": TAGGED, **call(), "refusal": None}


def leftovers(convert: Callable[[], Any]) -> int:
    """How many objects of a conversion wait for the cycle collector."""
    convert()
    gc.collect()
    gc.disable()
    try:
        convert()
        return gc.collect()
    finally:
        gc.enable()


def exchange_with_tools() -> ServeResponses:
    tools = [*TOOLS, {"type": "custom", "name": "c"}]
    profile = Profile(markup=frozenset({"think", "tool_call"}))
    return ServeResponses({"model": "m", "input": "Hi", "tools": tools}, profile=profile)


@pytest.mark.parametrize("calls", [[], [call()["tool_calls"][0], CUSTOM]])
def test_a_finished_answer_leaves_no_cycles(calls: list[Any]) -> None:
    """All of it is freed at once, without the cycle collector: at the end of each answer it would cost more than it."""
    exchange = exchange_with_tools()
    message = {**MESSAGE, "tool_calls": calls}
    completion = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}]}
    assert leftovers(lambda: exchange.answer(completion)) == 0


def test_a_stream_leaves_no_cycles() -> None:
    """Neither its transducer nor its fast path."""
    exchange = exchange_with_tools()
    pieces = [{"reasoning": "h"}, {"content": "Hi"}, {"content": "!"}, {"tool_calls": [{**CUSTOM, "index": 0}]}]
    chunks = [
        *map(delta, pieces),
        delta({"tool_calls": [{"index": 0, "function": {"arguments": " "}}]}),
        delta({}, "stop"),
    ]

    def convert() -> None:
        transducer = exchange.transducer()
        fast_path = transducer.fast_path()
        assert fast_path is not None
        for chunk in chunks:
            if fast_path.take(sse.Event("", json.encode(chunk))) is None:
                transducer.feed(chunk)
        transducer.finish(clean=True)

    assert leftovers(convert) == 0
