from typing import Any, get_args, get_origin, get_type_hints

import pytest
from openai.types.responses.response_input_item_param import ResponseInputItemParam
from openai.types.responses.tool_param import ToolParam

from diglot.translator.parts import content, tools
from diglot.translator.turns.to_chat import HANDLERS
from diglot.translator.wire.known_fields import ITEM_FIELDS, PART_FIELDS, TOOL_FIELDS

# What is dropped whole, refused whole, or told as it is: no field of these is reported on its own.
TOLD_WHOLE = {
    *("web_search_call", "file_search_call", "code_interpreter_call", "mcp_call", "image_generation_call"),
    *("mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "program", "program_output"),
    *("compaction_trigger", "item_reference"),
}


OF_CODEX = {"agent_message", "context_compaction"}  # the SDK does not know these


def types_of(union: Any) -> dict[str, set[str]]:
    """The fields of every member of a union of typed dictionaries, by the literal of their `type`."""
    found: dict[str, set[str]] = {}
    for member in get_args(union):
        hints = get_type_hints(member)
        for name in literals(hints.get("type")):
            found.setdefault(name, set()).update(hints)
    return found


def literals(hint: Any) -> list[str]:
    """The strings of a Literal, however deep it stands."""
    inner = [word for arg in get_args(hint) for word in ([arg] if isinstance(arg, str) else literals(arg))]
    return inner if get_origin(hint) is not None else []


SDK_ITEMS = types_of(ResponseInputItemParam)
SDK_TOOLS = types_of(ToolParam)


def test_the_sdk_is_read_right() -> None:
    """The walk over the SDK's unions finds items and tools."""
    assert {"message", "function_call", "item_reference", "compaction"} <= SDK_ITEMS.keys()
    assert {"function", "custom", "namespace", "mcp"} <= SDK_TOOLS.keys()
    assert {"call_id", "output"} <= SDK_ITEMS["function_call_output"]


@pytest.mark.parametrize("name", sorted(SDK_ITEMS))
def test_every_item_of_the_sdk_has_a_handler(name: str) -> None:
    """No item that a client may send is unknown."""
    assert name in HANDLERS


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_every_item_that_is_read_has_its_fields(name: str) -> None:
    """The table names all items that are read field by field, and only those."""
    assert (name in ITEM_FIELDS) is (name not in TOLD_WHOLE)


@pytest.mark.parametrize("name", sorted(ITEM_FIELDS.keys() - OF_CODEX))
def test_every_field_of_an_item_is_known(name: str) -> None:
    """A client that repeats an item with all its fields is told of no unknown field."""
    assert name in HANDLERS
    assert SDK_ITEMS[name] - ITEM_FIELDS[name] == set()


@pytest.mark.parametrize("name", sorted(PART_FIELDS.keys() | content.TO_CHAT))
def test_every_part_that_is_read_has_its_fields(name: str) -> None:
    """The table of parts and the readers of parts name the same."""
    assert name in PART_FIELDS
    assert name in content.TO_CHAT


@pytest.mark.parametrize("name", sorted(TOOL_FIELDS.keys() | tools.READERS))
def test_every_tool_that_is_read_has_its_fields(name: str) -> None:
    """The table of tools and the readers of tools name the same; the SDK's fields are all known."""
    assert name in TOOL_FIELDS
    assert name in tools.READERS
    assert SDK_TOOLS[name] - TOOL_FIELDS[name] == set()
