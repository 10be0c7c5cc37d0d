"""Streams of Responses events through the transducer for chat clients, before the judges."""

from __future__ import annotations

from typing import Any

from diglot.translator.stream.to_chat.transducer import ToChat
from diglot.translator.wire import sse

from chat_judges import judge_chunks, judge_completion


def response(*output: Any, status: Any = "completed", **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m-1",
        "status": status,
        **more,
        "output": list(output),
    }


def run(transducer: ToChat, *events: Any, clean: bool | None = None) -> list[dict[str, Any]]:
    """The chunks of a whole stream, which the judges have taken; the end of it is told if *clean* is given."""
    chunks = [chunk for event in events for chunk in ([] if transducer.ended else transducer.feed(event))]
    chunks += transducer.finish(clean) if clean is not None and not transducer.ended else []
    assert transducer.ended
    judge_chunks([*map(sse.data, chunks), sse.DONE])
    if "error" not in chunks[-1]:
        judge_completion(transducer.answer)
    return chunks
