"""What the tests of both fast paths share: frames with and without the path, and texts and tokens to send."""

import itertools
import json
from typing import Any

from hypothesis import strategies as st

from diglot.translator import Exchange, Profile, ServeChat
from diglot.translator.wire import sse

TEXT = st.text(max_size=6) | st.sampled_from(['"', "\\", "\n", "%d", "é\U0001f600", "\x00"])


def token(text: str, **more: Any) -> dict[str, Any]:
    return {"token": text, "logprob": -0.5, **more}


TOKEN = st.builds(
    lambda text, top, more: token(text, **top, **more),
    TEXT,
    st.fixed_dictionaries({}, optional={"top_logprobs": st.lists(st.builds(token, TEXT), max_size=2) | st.none()}),
    st.fixed_dictionaries({}, optional={"bytes": st.sampled_from([[97], [], None, [1.5]]), "x": TEXT}),
)


def frames_of(x: Exchange, reads: list[bytes], fast: bool) -> tuple[list[bytes], int]:
    """The frames of *reads* and the answer that they add up to, and how many events the fast path took."""
    stream = x.stream()
    taken = 0
    if fast:
        inner: Any = stream._fast_path

        class Counted:
            def take(self, event: sse.Event) -> bytes | None:
                nonlocal taken
                found = inner.take(event)
                taken += found is not None
                return found

        stream._fast_path = Counted()
    else:
        stream._fast_path = None
    frames = [frame for read in reads for frame in stream.feed(read)]
    if not stream.ended:
        frames += stream.finish()
    return [*frames, sse.data(stream.answer)], taken


def data(chunk: Any, **options: Any) -> bytes:
    return b"data: " + json.dumps(chunk, **options).encode("utf-8", "surrogatepass") + b"\n\n"


def cut_at(whole: bytes, sizes: list[int]) -> list[bytes]:
    """*whole* in pieces of these sizes, over and over."""
    marks = [0, *itertools.takewhile(lambda at: at < len(whole), itertools.accumulate(itertools.cycle(sizes)))]
    return [whole[a:b] for a, b in itertools.pairwise([*marks, len(whole)])]


def chat_exchange(**more: Any) -> ServeChat:
    count = itertools.count(1)
    body = {"model": "m", "messages": [{"role": "user", "content": "Go"}], "stream": True, **more}
    return ServeChat(body, profile=Profile(), new_id=lambda p: f"{p}_{next(count)}", clock=lambda: 1.0)


def event(kind: str, **fields: Any) -> bytes:
    body = json.dumps({"type": f"response.{kind}", **fields}).encode("utf-8", "surrogatepass")
    return b"event: response.%b\ndata: %b\n\n" % (kind.encode(), body)


def said(text: str, **more: Any) -> bytes:
    place = {"item_id": "a", "output_index": 0, "content_index": 0}
    return event("output_text.delta", **{**place, "delta": text, **more})


def thought(text: str, kind: str = "reasoning_summary_text.delta", index: str = "summary_index") -> bytes:
    return event(kind, item_id="r", output_index=1, delta=text, **{index: 0})
