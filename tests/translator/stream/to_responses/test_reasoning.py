from typing import Any

import pytest

from diglot.translator import Report
from diglot.translator.stream.to_responses.items import Reasoning
from diglot.translator.stream.to_responses.output import Output
from diglot.translator.stream.to_responses.reasoning import ReasoningWriter


def writer(show: str = "content") -> tuple[ReasoningWriter, Output, Report]:
    out, report = Output({"output": []}, lambda prefix: f"{prefix}_1", "openai"), Report()
    return ReasoningWriter(out, report, show, lambda fields: str(fields), lambda value: value != "deep"), out, report


def sealed(out: Output) -> Any:
    out.close_all("completed")
    return [item["encrypted_content"] for item in out.answer["output"]]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning_text", "thinking", "think", "chain_of_thought"])
def test_thoughts_have_many_names(name: str) -> None:
    """They are one text, and the whole again has nothing new (W8, W3)."""
    thoughts, out, report = writer()
    thoughts.add({name: "h"})
    thoughts.add({name: [{"type": "text", "text": "m"}]})
    thoughts.add_whole({name: "hm"}, loose=False)
    thoughts.add_whole({name: "other"}, loose=False)
    kept = {} if name == "reasoning_content" else {"field": name}
    assert sealed(out) == [str({"text": "hm", **kept})]
    assert [loss.path for loss in report] == ["reasoning"]


def test_details_are_taken_once() -> None:
    """Those that cannot be carried are not."""
    thoughts, out, _ = writer()
    details = [{"type": "reasoning.text", "text": "hm"}]
    thoughts.add({"reasoning_details": details, "thinking_blocks": "deep", "reasoning_opaque": "x"})
    thoughts.add_whole({"reasoning_details": details, "reasoning_opaque": "x"}, loose=True)
    assert sealed(out) == [str({"text": "hm", "reasoning_opaque": "x", "reasoning_details": details})]


def test_what_is_not_shown_may_still_go_back() -> None:
    """Texts do not, structures do."""
    thoughts, out, _ = writer("off")
    thoughts.add({"reasoning": "hm"})
    assert out.last is None
    thoughts.add({"reasoning": "hm", "thinking_blocks": [{"type": "thinking", "thinking": "hm"}]})
    assert isinstance(out.last, Reasoning)
    assert thoughts.current_item() is out.last
