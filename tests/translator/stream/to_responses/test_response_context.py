from diglot.translator import ServeResponses

TOOLS = [{"type": "function", "name": "f", "parameters": {"type": "object"}}]


def test_a_released_context_knows_names_only() -> None:
    """The model and the tools by name and kind stay; declarations and places of the request do not."""
    about = ServeResponses({"model": "m", "input": "Hi", "tools": TOOLS}, profile="vllm")._response_context
    released = about.released()
    assert released.blank == {"model": "m"}
    assert [(tool.name, tool.kind, tool.chat) for tool in released.catalog] == [("f", "function", {})]
    assert (about.caller_path("messages[0]"), released.caller_path("messages[0]")) == ("input", None)
    assert released.new_id is about.new_id
