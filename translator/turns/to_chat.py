"""Input items -> chat messages: one assistant message per turn, every output right after its call (protocol 2.6).

Outputs are indexed first. When an assistant turn closes, the outputs of all its calls follow at once, in the order of
the calls, and then the media from those outputs: every legal order of items becomes a legal order of messages.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..context import Context
from ..errors import RequestError
from ..parts import agents, calls, content, outputs, reasoning
from ..parts.catalog import Catalog
from ..parts.media import split_media
from ..parts.names import CallIds, report_alias
from ..seals import COMPACTION, PLAIN
from ..wire import validate
from ..wire.known_fields import ITEM_FIELDS
from . import loose
from .message_list import MessageList
from .reasoning_items import ReasoningItems
from .turn import (
    DECLARED,
    REASONING_BEHIND,
    TEXT_BEHIND_CALLS,
    CallOutput,
    Item,
    Message,
    Outputs,
    Turn,
    has_no_call_id,
    implied_type,
    is_server_side,
)

_NEEDS_STATE = "stored state, which is not kept here: send the items themselves (in many clients: `store: false`)"


class MessageBuilder:
    """Reads the items of a request into the messages of ``conversation``."""

    def __init__(self, catalog: Catalog, context: Context, model: str, current_turn_only: bool = False) -> None:
        self.conversation: MessageList = MessageList(context)
        self._catalog: Catalog = catalog
        self._context: Context = context
        self._model: str = model
        self._current_turn_only: bool = current_turn_only
        self._call_ids: CallIds | None = CallIds() if context.profile.call_ids != "any" else None
        self._turn: Turn | None = None
        self._outputs: Outputs
        self._items: list[Item] = []
        self._thoughts: ReasoningItems | None = None
        self._position: int = 0

    @property
    def transformations(self) -> list[Item]:
        """The `input_transformations` of the answer."""
        return self._thoughts.transformations if self._thoughts else []

    def add(self, conversation: Any) -> None:
        """Read the whole `input` of a request (a string, or items)."""
        if isinstance(conversation, str):
            self.conversation.add({"role": "user", "content": conversation}, "input")
        else:
            self._add_items(conversation)

    def _add_items(self, members: Any) -> None:
        placed = loose.items(validate.mappings(members, "input"), self._context)
        self._items = [item for item, _ in placed]
        self._outputs = Outputs(placed, self._context)
        for i, (item, path) in enumerate(placed):
            self._position = i
            kind = item.get("type")
            if not isinstance(kind, str):
                kind = implied_type(item, path)
            self._context.report_unread(item, ITEM_FIELDS.get(kind), path)
            if item.get("async"):
                self._context.report.emulated(f"{path}.async", "sent as an ordinary call; it is not asynchronous")
            HANDLERS.get(kind, MessageBuilder._unknown)(self, item, path)
        self._close()
        self._outputs.expect_none()

    def add_system(self, text: Any, path: str) -> None:
        """Put instructions in front."""
        self.conversation.add(
            {"role": self._context.profile.developer_role, "content": validate.text(text, path)}, path
        )

    # messages

    def _message(self, item: Item, path: str) -> None:
        role = item.get("role")
        if role == "assistant":
            self._assistant(item, path)
            return
        chat_role = _ROLES.get(role) if isinstance(role, str) else None
        if chat_role is None:
            raise RequestError(f"Invalid value: '{role}' is not a message role.", f"{path}.role")
        if "content" in item and item["content"] is None:  # W21
            self._context.report.dropped(path, "it is empty")
            return
        self._close()
        if chat_role != "user":
            chat_role = "system" if role == "system" else self._context.profile.developer_role
        message: Message = {"role": chat_role, "content": content.only_text(item.get("content"))}
        if isinstance(item.get("name"), str):
            message["name"] = item["name"]
        if message["content"] is None:
            self._parts(item, message, path)
        else:
            self.conversation.add(message, path)

    def _parts(self, item: Item, message: Message, path: str) -> None:
        """Emit a message whose content is more than one text."""
        role = message["role"]
        parts = content.to_chat(item.get("content"), role, f"{path}.content", self._context)
        media: list[content.Part] = []
        if role != "user" and isinstance(parts, list):  # only users show media
            texts, media = split_media(parts)
            parts = content.fold(texts, role, f"{path}.content", self._context)
        if parts or not media:
            message["content"] = parts
            self.conversation.add(message, path)
        if media:
            self._context.report.approximated(f"{path}.content", "media in system messages are sent in a user message")
            self.conversation.add({"role": "user", "content": media}, path)

    def _assistant(self, item: Item, path: str) -> None:
        turn = self._open(path)
        if turn.calls:
            self._context.report.approximated(path, TEXT_BEHIND_CALLS)
        turn.add_content(self._assistant_parts(item.get("content"), path), path, self._context)

    def _assistant_parts(self, body: Any, path: str) -> list[content.Part]:
        text = content.only_text(body)
        if text is not None:
            return [{"type": "text", "text": text}]
        return [
            self._part_or_text(content.part_to_chat(part, f"{path}.content[{i}]", self._context), path)
            for i, part in enumerate(validate.array(body or [], f"{path}.content"))
        ]

    def _part_or_text(self, part: content.Part, path: str) -> content.Part:
        if part["type"] != "refusal" or self._context.profile.refusals:
            return part
        self._context.report.approximated(path, "the refusal is sent as text")
        return {"type": "text", "text": part["refusal"]}

    def _reasoning(self, item: Item, path: str) -> None:
        if self._thoughts is None:
            self._thoughts = ReasoningItems(self._items, self._context, self._model, self._current_turn_only)
        text, state = self._thoughts.read(self._position, item, path)
        if text or state:
            turn = self._open(path)
            if text and (turn.calls or turn.parts):
                self._context.report.approximated(path, REASONING_BEHIND)
            turn.add_reasoning(text, state)

    # calls and outputs

    def _call(self, item: Item, path: str) -> None:
        if is_server_side(item):
            self._context.report.dropped(path, "no tool search is run here")
            return
        call = calls.with_object(calls.read_call(item, path), path, self._context)
        call_id, output, output_path = self._outputs.take(item, path)
        flat = self._catalog.flat(call.name, call.namespace)
        if call.namespace is None:
            report_alias(call.name, flat, path, self._context)
        turn = self._open(path)
        member = calls.to_chat(call, call_id, flat, self._context.profile.custom_tools)
        turn.add_call(member, path, CallOutput(call_id, flat, output, output_path))

    def _output(self, item: Item, path: str) -> None:
        """Its call took it along already; here it only ends the turn."""
        self._close()
        if has_no_call_id(item):
            self._context.report.approximated(path, "an output without a call is sent as a message")
            role = self._context.profile.developer_role
            body = outputs.to_chat(item, path, self._catalog.flat, self._context)
            head = f"Result of {validate.text(item['name'], f'{path}.name')}:"
            if isinstance(body, str):
                self.conversation.add({"role": role, "content": f"{head} {body}"}, path)
            else:  # only a user can show media
                self.conversation.add({"role": "user", "content": [{"type": "text", "text": head}, *body]}, path)

    def _hosted(self, item: Item, path: str) -> None:
        """A call that the Responses server ran: told as a call and its result where there is one."""
        call = calls.hosted_to_chat(item)
        if call is None:
            self._context.report.dropped(path, "it was run by the Responses server and has no result to pass on")
            return
        name, arguments, result = call
        flat = self._catalog.flat(name)
        call_id = str(item.get("id") or f"call_{self._position}")
        self._context.report.approximated(path, "a tool run by the Responses server is sent as a function call")
        turn = self._open(path)
        member = calls.to_chat(calls.ToolCall(name, None, arguments), call_id, flat, False)
        output = {"type": "function_call_output", "output": result}
        turn.add_call(member, path, CallOutput(call_id, flat, output, path))
        self._close()  # it is answered already

    def _image(self, item: Item, path: str) -> None:
        data = item.get("result")
        if not isinstance(data, str):
            self._context.report.dropped(path, "it holds no image")
            return
        self._close()
        self._context.report.approximated(path, "a generated image is sent in a user message")
        url = f"data:image/{item.get('output_format') or 'png'};base64,{data}"
        parts = [{"type": "text", "text": "The generated image:"}, {"type": "image_url", "image_url": {"url": url}}]
        self.conversation.add({"role": "user", "content": parts}, path)

    # everything else

    def _compaction(self, item: Item, path: str) -> None:
        sealed = validate.text_at(item, "encrypted_content", path)
        summary = (reasoning.unseal(sealed, self._context.seals, COMPACTION) or {}).get("summary")
        if not isinstance(summary, str):  # without it the context is gone
            has_keys = self._context.seals is not PLAIN
            raise reasoning.cannot_open(sealed, None if has_keys else f"{path}.encrypted_content")
        self._close()
        self.conversation.add({"role": self._context.profile.developer_role, "content": summary}, path)

    def _compacted(self, item: Item, path: str) -> None:
        """Codex's other spelling of a compaction; without content it marks a place."""
        if item.get("encrypted_content") is None:
            self._context.report.dropped(path, "it is empty")
        else:
            self._compaction(item, path)

    def _agent(self, item: Item, path: str) -> None:
        body = agents.to_chat(item, path, self._context)
        self._close()
        if not body:
            self._context.report.dropped(path, "it is empty")
            return
        self._context.report.emulated(path, "messages between agents are sent as user messages")
        self.conversation.add({"role": "user", "content": body}, path)

    def _configuration(self, item: Item, path: str) -> None:
        self._context.report.approximated(path, "the last setting applies to the whole request")

    def _reference(self, item: Item, path: str) -> None:
        raise RequestError(f"'{path}' refers to {_NEEDS_STATE}.", path, "unsupported_value")

    def _trigger(self, item: Item, path: str) -> None:
        raise RequestError("A compaction trigger must be the last item.", path)

    def _declared(self, item: Item, path: str) -> None:
        """Tools were read with the declarations."""
        self._context.report.emulated(path, DECLARED)

    def _lost(self, item: Item, path: str) -> None:
        self._context.report.dropped(path, f"chat messages have no '{item['type']}'")

    def _unknown(self, item: Item, path: str) -> None:
        self._context.report.dropped(path, f"unknown item: {validate.safe_token(item.get('type'))}")

    # turns

    def _open(self, path: str) -> Turn:
        if self._turn is None:
            self._turn = Turn(path)
        return self._turn

    def _close(self) -> None:
        """End the assistant turn: its message, the outputs of its calls, then the media of those outputs."""
        turn, self._turn = self._turn, None
        if turn is None:
            return
        if not (turn.parts or turn.calls):
            self._context.report.dropped(turn.path, turn.why_nothing)
            return
        message = turn.message(self._context)
        if self._call_ids is not None and turn.calls:
            message["tool_calls"] = [{**call, "id": self._call_ids.short(call["id"])} for call in message["tool_calls"]]
        self.conversation.add(message, turn.path, turn.call_paths)
        if turn.calls:
            self._add_outputs(turn)

    def _add_outputs(self, turn: Turn) -> None:
        media: list[content.Part] = []
        for call_id, name, item, path in turn.outputs:
            body = outputs.to_chat(item, path, self._catalog.flat, self._context)
            if isinstance(body, list) and not self._context.profile.media_in_tool_messages:
                body = self._without_media(body, media, f"{name} ({call_id})", path)
            own_id = self._call_ids.short(call_id) if self._call_ids is not None else call_id
            self.conversation.add({"role": "tool", "tool_call_id": own_id, "content": body}, path)
        if media:
            self.conversation.add({"role": "user", "content": media}, turn.outputs[-1].path)

    def _without_media(self, parts: list[content.Part], media: list[content.Part], name: str, path: str) -> Any:
        texts, attachments = split_media(parts)
        if attachments:
            media += [{"type": "text", "text": f"Attached to the result of {name}:"}, *attachments]
            self._context.report.approximated(f"{path}.output", "media follow in a user message")
        if not texts:
            return "(see the attachment below)" if attachments else ""
        return content.fold(texts, "tool", f"{path}.output", self._context)


_ROLES = {"user": "user", "system": "system", "developer": "system"}

HANDLERS: dict[str, Callable[[MessageBuilder, Item, str], None]] = {
    "message": MessageBuilder._message,
    "reasoning": MessageBuilder._reasoning,
    **dict.fromkeys(calls.CALLS, MessageBuilder._call),
    **dict.fromkeys(outputs.OUTPUTS, MessageBuilder._output),
    **dict.fromkeys(
        ("web_search_call", "file_search_call", "code_interpreter_call", "mcp_call"), MessageBuilder._hosted
    ),
    "image_generation_call": MessageBuilder._image,
    "compaction": MessageBuilder._compaction,
    "context_compaction": MessageBuilder._compacted,
    "agent_message": MessageBuilder._agent,
    "compaction_trigger": MessageBuilder._trigger,
    "configuration_update": MessageBuilder._configuration,
    "additional_tools": MessageBuilder._declared,
    "item_reference": MessageBuilder._reference,
    **dict.fromkeys(
        ("mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "program", "program_output"),
        MessageBuilder._lost,
    ),
}
