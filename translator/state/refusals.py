"""The errors of everything that needs a store, in OpenAI's words: clients search for them (protocol 6.2, 7.2).

Unknown, foreign, expired and deleted are one and the same error.
"""

from __future__ import annotations

from ..errors import RequestError


def no_previous(response_id: str) -> RequestError:
    """A chain that cannot be continued: the response is not there, or one before it was deleted."""
    message = f"Previous response with id '{response_id}' not found."
    return RequestError(message, "previous_response_id", "previous_response_not_found")


def not_finished(response_id: str) -> RequestError:
    """A background response that still runs cannot be continued."""
    return RequestError(f"Response '{response_id}' has not finished.", "previous_response_id", "")


def no_response(response_id: str) -> RequestError:
    """What retrieving and deleting say."""
    return RequestError(f"Response with id '{response_id}' not found.", None, "", status=404)


def not_background() -> RequestError:
    """A response that was not created in the background cannot be streamed again."""
    return RequestError("This response cannot be streamed because it was not created with background=true.", "stream")


def not_cancellable() -> RequestError:
    """A response that was not created in the background has ended when it can be found."""
    return RequestError("Cannot cancel a synchronous response.", None, "")


def no_item(item_id: str, param: str | None = "input") -> RequestError:
    """What a reference says, and a page that is to begin after an item."""
    return RequestError(f"Item with id '{item_id}' not found.", param, "", status=404)


def no_conversation(conversation_id: str, param: str | None = None) -> RequestError:
    return RequestError(f"Conversation with id '{conversation_id}' not found.", param, "", status=404)


def conversation_locked() -> RequestError:
    """A second run; send it with `x-should-retry: true` and `retry-after`, and both SDKs try again."""
    message = "Another process is currently operating on this conversation. Please retry in a few seconds."
    return RequestError(message, "conversation", "conversation_locked")


def duplicate_item(item_id: str) -> RequestError:
    message = f"Duplicate item found with id {item_id}. Remove duplicate items from your input and try again."
    return RequestError(message, "input", "")


def mutually_exclusive(first: str, second: str) -> RequestError:
    message = f"Mutually exclusive parameters. Ensure you are only providing one of: '{first}' or '{second}'."
    return RequestError(message, None, "mutually_exclusive_parameters")


def no_call(call_id: str) -> RequestError:
    return RequestError(f"No tool call found for function call output with call_id {call_id}.", "input", "")


def no_output(call_id: str) -> RequestError:
    return RequestError(f"No tool output found for function call {call_id}.", "input", "")


def history_too_large(size: int, limit: int) -> RequestError:
    message = f"The history of this request has {size:,} bytes; at most {limit:,} are continued. Compact it."
    return RequestError(message, "input", "context_length_exceeded")


def too_long(path: str, limit: int, length: int) -> RequestError:
    message = f"Expected a string with maximum length {limit}, but got a string with length {length} instead."
    return RequestError(f"Invalid '{path}': string too long. {message}", path, "string_above_max_length")


def too_many_members(path: str, limit: int, length: int) -> RequestError:
    message = f"Expected an array with maximum length {limit}, but got an array with length {length} instead."
    return RequestError(f"Invalid '{path}': array too long. {message}", path, "array_above_max_length")


def too_many_properties(path: str, limit: int, count: int) -> RequestError:
    message = f"Expected an object with at most {limit} properties, but got an object with {count} properties instead."
    return RequestError(f"Invalid '{path}': too many properties. {message}", path, "object_above_max_properties")


def name_too_long(path: str, limit: int, length: int) -> RequestError:
    message = f"Expected a property name with maximum length {limit}, but got one with length {length} instead."
    return RequestError(
        f"Invalid property name in '{path}': too long. {message}", path, "property_name_above_max_length"
    )


def below(path: str, least: int, value: int) -> RequestError:
    message = f"Invalid '{path}': integer below minimum value. Expected a value >= {least}, but got {value} instead."
    return RequestError(message, path, "integer_below_min_value")


def above(path: str, most: int, value: int) -> RequestError:
    message = f"Invalid '{path}': integer above maximum value. Expected a value <= {most}, but got {value} instead."
    return RequestError(message, path, "integer_above_max_value")


def no_integer(path: str) -> RequestError:
    return RequestError(
        f"Invalid type for '{path}': expected an integer, but got a string instead.", path, "invalid_type"
    )


def unsupported(path: str, value: str, supported: tuple[str, ...]) -> RequestError:
    """A word that is none of the few that there are; a long one is not repeated."""
    shown = f"'{value}'" if len(value) <= _SHOWN else "too long"
    words = ", ".join(f"'{word}'" for word in supported[:-1])
    return RequestError(f"Invalid value: {shown}. Supported values are: {words}, and '{supported[-1]}'.", path)


_SHOWN = 64
