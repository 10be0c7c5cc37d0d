"""Events of a Responses upstream on their way to a chat completion, for the tests of those who read them."""

from collections.abc import Callable
from typing import Any, NamedTuple

from diglot.translator import Report
from diglot.translator.stream.to_chat.completion import Completion
from diglot.translator.stream.to_chat.context import CompletionContext
from diglot.translator.stream.to_chat.events import EventReader
from diglot.translator.stream.to_chat.output_reader import OutputReader

CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}


class Stage(NamedTuple):
    reader: EventReader
    output: OutputReader
    out: Completion
    report: Report


def stages(make_context: Callable[..., CompletionContext]) -> Callable[..., Stage]:
    """Return what makes a stage, for stop sequences."""

    def make(*stops: str) -> Stage:
        context = make_context(*stops)
        out, report = Completion(context), context.context.report
        output = OutputReader(out, context)
        return Stage(EventReader(output, report), output, out, report)

    return make


def read(act: Stage, kind: str, **fields: Any) -> None:
    assert act.reader.read({"type": f"response.{kind}", **fields})


def message_of(act: Stage) -> dict[str, Any]:
    act.output.flush(whole=True)
    message = act.out.answer["choices"][0]["message"]
    return {name: value for name, value in message.items() if value and name != "role"}
