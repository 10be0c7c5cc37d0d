"""The properties of design.md, under hypothesis: what must hold for every input, not only for the golden ones."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from diglot.translator import PRESETS, Profile, ServeResponses, TranslationError, decode_json, encode_json
from diglot.translator.fields import REQUEST
from diglot.translator.mapping import is_one_of
from diglot.translator.stream.to_responses.wrapped_input import WrappedInputDecoder
from diglot.translator.wire import sse

from judges import judge_answer, judge_chat, judge_stream

TEXT = st.text(max_size=12)
SCALAR = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | TEXT
JSON = st.recursive(SCALAR, lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXT, v, max_size=4), max_leaves=12)


def serve(body: Any, profile: Profile | None = None, **settings: Any) -> ServeResponses:
    count = itertools.count(1)
    return ServeResponses(body, profile=profile, new_id=lambda p: f"{p}_{next(count)}", clock=lambda: 1.0, **settings)


def pieces_of(whole: Any, cuts: list[int]) -> list[Any]:
    marks = sorted({0, len(whole), *(cut % (len(whole) + 1) for cut in cuts)})
    return [whole[a:b] for a, b in itertools.pairwise(marks)]


CUTS = st.lists(st.integers(0, 10_000), max_size=8)

# --- requests

TYPES = st.sampled_from(
    """message reasoning function_call function_call_output custom_tool_call custom_tool_call_output local_shell_call
    local_shell_call_output shell_call shell_call_output apply_patch_call apply_patch_call_output tool_search_call
    tool_search_output additional_tools configuration_update compaction item_reference computer_call
    computer_call_output mcp_call image_generation_call program file_search_call code_interpreter_call vendor:x
    function custom namespace tool_search shell apply_patch local_shell web_search mcp input_text output_text refusal
    input_image input_file input_audio summary_text reasoning_text allowed_tools json_schema text""".split()
)
KEYS = st.sampled_from(
    """type role content id call_id name namespace arguments input output tools summary encrypted_content action
    operation text image_url file_data file_id detail parameters strict format status execution command commands
    environment mode effort schema verbosity reasoning result queries error""".split()
)
ROLES = st.sampled_from(["user", "assistant", "system", "developer", "tool"])
IDS = st.sampled_from(["call_1", "call_2", "call_3"])
WILD = st.recursive(
    SCALAR | ROLES | TYPES | IDS,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS | TEXT, v, max_size=6),
    max_leaves=20,
)
NAMES = st.sampled_from([row.responses.split(".")[0] for row in REQUEST if row.responses])
ANY_BODY = st.fixed_dictionaries({"model": TEXT, "input": WILD}, optional={"tools": WILD, "tool_choice": WILD})
PROFILES = st.sampled_from(list(PRESETS.values()))


@given(JSON | ANY_BODY | st.dictionaries(NAMES | TEXT, WILD, max_size=8), PROFILES)
@example({"model": "m", "input": [{"type": []}]}, Profile())
def test_any_json_is_converted_or_refused(body: Any, profile: Profile) -> None:
    """Whatever a client sends is translated, or raises from our own tree; the input stays as it was."""
    before = copy.deepcopy(body)
    try:
        made = serve(body, profile)
    except TranslationError as error:
        assert 400 <= error.status < 500
        assert error.body()["error"]["message"]
    else:
        encode_json(made.chat)
        encode_json(list(made.report))
        made.report.header().encode("ascii")
    assert body == before


@given(st.dictionaries(NAMES | st.text(alphabet="abz_"), JSON, max_size=8), PROFILES)
def test_every_field_arrives_or_is_reported(more: dict[str, Any], profile: Profile) -> None:
    """Nothing is lost in silence: every top-level field is in the chat request, harmless, or in the losses."""
    body = {**more, "model": "m", "input": "hi", "tools": [], "include": [], "instructions": "x"}
    body.pop("tool_choice", None)
    try:
        made = serve(body, profile)
    except TranslationError:
        return
    reported = {loss.path.split(".")[0].split("[")[0] for loss in made.report}
    ways = {row.responses or row.chat or "": row.to_chat for row in REQUEST if row.to_chat}
    by_code = {name.split(".")[0] for name, way in ways.items() if way.how == "by code"}
    harmless = {name: way.harmless for name, way in ways.items()}
    for name, value in body.items():
        arrived = profile.renamed.get(name, name) in made.chat
        if arrived or name in reported or name in by_code or is_one_of(value, harmless.get(name, (None,))):
            continue
        assert isinstance(value, dict) or name == "max_output_tokens", f"{name} is gone"


CALL = st.builds(lambda i, a: {"type": "function_call", "call_id": i, "name": "f", "arguments": a}, IDS, TEXT)
OUTPUT = st.builds(
    lambda i, o: {"type": "function_call_output", "call_id": i, "output": o},
    IDS,
    TEXT | st.lists(st.sampled_from([{"type": "input_text", "text": "t"}, {"type": "input_image", "image_url": "u"}])),
)
MESSAGE = st.builds(lambda r, t: {"role": r, "content": t}, ROLES, TEXT)
THOUGHT = st.builds(lambda t: {"type": "reasoning", "summary": [{"type": "summary_text", "text": t}]}, TEXT)


@given(st.lists(CALL | OUTPUT | MESSAGE | THOUGHT, min_size=1, max_size=12), PROFILES)
def test_every_legal_order_of_items_is_a_legal_order_of_messages(items: list[Any], profile: Profile) -> None:
    """However calls, outputs and messages are mixed: outputs stand right behind their calls, or it is refused."""
    try:
        made = serve({"model": "m", "input": items}, profile)
    except TranslationError as error:
        assert error.param is not None
        return
    if made.chat["messages"]:
        for message in made.chat["messages"]:
            for call in message.get("tool_calls", []):
                call["function"]["arguments"] = "{}"  # what a client sent as arguments is not ours to mend
        judge_chat(made.chat)
    sent = encode_json(made.chat).decode()
    for item in items:
        if item.get("type") is None and item["content"] and item["role"] != "assistant":
            assert json.dumps(item["content"], ensure_ascii=False)[1:-1] in sent


# --- streams

WORDS = st.text(min_size=1, max_size=8)
ARGUMENTS = st.dictionaries(TEXT, SCALAR, max_size=3).map(json.dumps)
TOOLS = [
    {"type": "function", "name": "f", "parameters": {}},
    {"type": "custom", "name": "c"},
    {"type": "tool_search", "execution": "client"},
    {"type": "shell"},
    {"type": "namespace", "name": "ns", "description": "d", "tools": [{"type": "function", "name": "g"}]},
]
STEP = st.one_of(
    st.tuples(st.just("content"), WORDS),
    st.tuples(st.just("reasoning_content"), WORDS),
    st.tuples(st.just("refusal"), WORDS),
    st.tuples(st.sampled_from(["f", "ns__g", "unknown", "shell", "tool_search"]), ARGUMENTS),
    st.tuples(st.just("c"), TEXT.map(lambda t: json.dumps({"input": t})) | ARGUMENTS),
    st.tuples(st.just("shell"), st.just('{"commands":["ls"]}')),
)
ENDS = st.sampled_from(["stop", "tool_calls", "length", "content_filter", "error", "strange", None])
PLAIN = ("content", "reasoning_content", "refusal")


def chunks_for(
    steps: list[tuple[str, str]], cuts: list[int], end: str | None, interleave: bool
) -> list[dict[str, Any]]:
    """A chat stream that says *steps* in pieces; *interleave*: the fragments of its calls are mixed."""
    deltas: list[dict[str, Any]] = []
    calls: list[list[dict[str, Any]]] = []
    for kind, text in steps:
        if kind in PLAIN:
            deltas += [{kind: piece} for piece in pieces_of(text, cuts)]
            continue
        at = len(calls)
        head = {"index": at, "id": f"call_{at}", "type": "function", "function": {"name": kind, "arguments": ""}}
        tail = [{"index": at, "function": {"arguments": piece}} for piece in pieces_of(text, cuts)]
        calls.append([head, *tail])
        if not interleave:
            deltas += [{"tool_calls": [fragment]} for fragment in calls[-1]]
    if interleave:
        for row in itertools.zip_longest(*calls):
            deltas += [{"tool_calls": [fragment]} for fragment in row if fragment]
    chunks: list[dict[str, Any]] = [{"model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": end}]})
    return [*chunks, {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}]


def sse_of(chunks: list[dict[str, Any]]) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


def run(body: dict[str, Any], pieces: list[bytes], profile: Profile | None = None) -> tuple[Any, list[bytes]]:
    stream = serve({**body, "stream": True}, profile).stream()
    frames: list[bytes] = []
    try:
        for piece in pieces:
            frames += [] if stream.ended else stream.feed(piece)
        frames += [] if stream.ended else stream.finish()
    except TranslationError as error:
        assert not stream.started
        return error.body(), frames
    return stream.answer, frames


def without_ids(answer: dict[str, Any]) -> Any:
    """Ids are handed out in the order of events, which differs where pieces differ; their order of items does not."""
    return {**answer, "id": None, "output": [{**item, "id": None} for item in answer["output"]]}


def calls_of(answer: dict[str, Any]) -> list[Any]:
    return [item for item in without_ids(answer)["output"] if "call_id" in item]


ASKED = {"model": "m", "input": "hi", "tools": TOOLS, "reasoning": {"summary": "auto"}}


@given(st.lists(STEP, max_size=6), CUTS, CUTS, ENDS, st.booleans(), st.sampled_from(["openai", "openresponses"]))
def test_a_stream_in_any_pieces_is_the_same_answer(
    steps: list[Any], cuts: list[int], byte_cuts: list[int], end: str | None, interleave: bool, flavour: Any
) -> None:
    """Pieces of text, pieces of bytes, mixed calls: the answer is the same, and every judge takes the stream."""
    profile = Profile(events=flavour)
    plain, frames = run(ASKED, [sse_of(chunks_for(steps, [], end, False))], profile)
    if "error" in plain and "output" not in plain:
        assert not frames
        return
    judge_stream(frames, ASKED)
    cut = sse_of(chunks_for(steps, cuts, end, False))
    assert without_ids(run(ASKED, pieces_of(cut, byte_cuts), profile)[0]) == without_ids(plain)
    mixed, frames = run(ASKED, [sse_of(chunks_for(steps, cuts, end, interleave))], profile)
    judge_stream(frames, ASKED)
    if plain["status"] == "completed":  # otherwise the last item is the one that was cut
        assert calls_of(mixed) == calls_of(plain)


@given(
    st.lists(STEP, max_size=6, unique_by=lambda s: s[0] if s[0] in PLAIN else s), st.sampled_from(["stop", "length"])
)
def test_whole_and_streamed_answers_are_the_same(steps: list[Any], end: str) -> None:
    """One truth: a finished answer and the stream of the same words have equal output, status and usage."""
    order = ("reasoning_content", "content", "refusal")
    steps = sorted(steps, key=lambda step: order.index(step[0]) if step[0] in order else len(order))
    message: dict[str, Any] = {"role": "assistant", "content": None}
    for kind, text in steps:
        if kind in PLAIN:
            message[kind] = text
        else:
            calls = message.setdefault("tool_calls", [])
            call = {"id": f"call_{len(calls)}", "type": "function", "function": {"name": kind, "arguments": text}}
            calls.append(call)
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    whole = serve(ASKED).answer(
        {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": end}], "usage": usage}
    )
    judge_answer(whole)
    streamed, _ = run(ASKED, [sse_of(chunks_for(steps, [1, 3], end, False))])
    assert without_ids(streamed) == without_ids(whole)


@given(st.lists(JSON | st.dictionaries(st.sampled_from(["choices", "error", "usage"]), WILD), max_size=5), WILD)
def test_any_json_from_an_upstream_is_an_answer_or_an_upstream_error(chunks: list[Any], delta: Any) -> None:
    """Whatever an upstream sends becomes a well-formed stream, or an error before anything went out."""
    chunks = [*chunks, {"choices": [{"delta": delta}]}]
    _, frames = run(ASKED, [b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)])
    if frames:
        judge_stream(frames, ASKED)
    for body in chunks:
        try:
            judge_answer(serve(ASKED).answer(body))
        except TranslationError as error:
            assert 400 <= error.status < 600


CALL_DELTA = st.fixed_dictionaries(
    {},
    optional={
        "index": st.integers(0, 2) | st.none(),
        "id": st.sampled_from(["a", "b", "", None]),
        "function": st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from(["f", "c", "", None]),
                "arguments": st.sampled_from(["{", "}", "{}", ""]),
            },
        ),
        "custom": st.fixed_dictionaries({}, optional={"name": st.just("c"), "input": TEXT}),
    },
)
DELTA = st.fixed_dictionaries(
    {},
    optional={
        "content": TEXT,
        "reasoning": TEXT,
        "tool_calls": st.lists(CALL_DELTA, max_size=2),
        "annotations": st.just([{"type": "url_citation", "url_citation": {"url": "u"}}]),
        "function_call": st.fixed_dictionaries({"name": st.just("f"), "arguments": st.just("{}")}),
    },
)


@given(st.lists(DELTA, min_size=1, max_size=10), ENDS, st.booleans())
def test_damaged_calls_never_break_the_stream(deltas: list[Any], end: str | None, done: bool) -> None:
    """Missing and repeated indexes, ids and names (D7-D14): the stream stays well-formed and ends as it must."""
    chunks: list[dict[str, Any]] = [{"choices": [{"delta": delta}]} for delta in deltas]
    data = sse_of([*chunks, {"choices": [{"delta": {}, "finish_reason": end}]}])
    answer, frames = run(ASKED, [data if done else data.removesuffix(b"data: [DONE]\n\n")])
    judge_stream(frames, ASKED)
    assert end is not None or done or answer["status"] == "failed"


# --- bytes

LINES = st.sampled_from(["\n", "\r\n", "\r"])


@given(st.lists(st.text(max_size=20), max_size=6), LINES, CUTS, st.booleans())
def test_events_cut_anywhere_are_the_same_events(texts: list[str], end: str, cuts: list[int], mark: bool) -> None:
    """SSE bytes in any pieces, with any line ends, with a byte order mark or without, decode alike."""
    data = ("\ufeff" if mark else "").encode()
    for text in texts:
        data += f": note{end}event: e{end}data: {json.dumps(text)}{end}data:2{end}{end}".encode()
    decoder = sse.Decoder()
    events = [event for piece in pieces_of(data, cuts) for event in decoder.feed(piece)] + decoder.flush()
    assert events == [sse.Event("e", json.dumps(text).encode() + b"\n2") for text in texts]


@given(st.text(max_size=20), CUTS, st.booleans())
def test_free_form_input_is_decoded_in_any_pieces(text: str, cuts: list[int], ascii_only: bool) -> None:
    """The input inside wrapped arguments comes out whole, however escapes and surrogate pairs were cut."""
    decoder = WrappedInputDecoder()
    arguments = json.dumps({"input": text}, ensure_ascii=ascii_only)
    assert "".join(map(decoder.feed, pieces_of(arguments, cuts))) + decoder.flush() == text


@given(st.text(alphabet='{}"\\ud83de00input: x\n', max_size=30), CUTS)
def test_broken_arguments_are_decoded_alike_in_any_pieces(text: str, cuts: list[int]) -> None:
    """Arguments that are no JSON give the same input whole and in pieces."""
    for head in ("", '{"input": "'):
        whole, cut = WrappedInputDecoder(), WrappedInputDecoder()
        expected = whole.feed(head + text) + whole.flush()
        assert "".join(map(cut.feed, pieces_of(head + text, cuts))) + cut.flush() == expected


@given(st.binary(max_size=40) | JSON.map(lambda v: json.dumps(v).encode()))
@example(b'"\\ud83d"')
@example(b'{"a": NaN, "b": 123456789012345678901234567890}')
@example(b"[" * 100_000)
def test_any_bytes_are_json_or_a_value_error(data: bytes) -> None:
    """Bytes decode to a value that can be sent on, or raise ValueError."""
    try:
        value = decode_json(data)
    except ValueError:
        return
    assert decode_json(encode_json(value)) == value
