"""THE TABLE of what a line may be: how it is recognised, where its bodies are, and what else of it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from . import conversations, vendor_logs
from .conversion import Conversion, is_error
from .errors import LineError, SettingError
from .options import Dialect, Options
from .paths import value_at, with_value

Line = dict[str, Any]


class Shape(NamedTuple):
    """One row: a kind of line. Paths are dotted; the empty string is the line itself, None is nowhere."""

    name: str
    about: str
    needs: tuple[str, ...] = ()
    """The fields by which a line is recognised: all of them."""
    lacks: tuple[str, ...] = ()
    """The fields that such a line does not have."""
    values: tuple[tuple[str, Any], ...] = ()
    """The fields that have a certain value in such a line."""
    request: str | None = None
    answer: str | None = None
    id: str = "id"
    created: str = ""
    url: str = ""
    """Where the path of the API is: it changes with the bodies."""
    fails: str = ""
    """Where the HTTP status of an answer is: with an error, the line stays as it is."""
    convert: Callable[[Line, Conversion], list[Line]] | None = None
    """What converts a line whose bodies are not at a path."""

    def fits(self, line: Any) -> bool:
        """Whether a line is of this shape; a stream has no fields, but is an answer."""
        if not isinstance(line, dict):
            return self.answer == ""
        for name in self.needs:
            if line.get(name) is None:
                return False
        return all(line.get(name) is None for name in self.lacks) and all(
            line.get(name) == value for name, value in self.values
        )


SHAPES: tuple[Shape, ...] = (
    Shape(
        "batch",
        "a line of a batch file",
        needs=("custom_id", "url", "body"),
        request="body",
        id="custom_id",
        url="url",
    ),
    Shape(
        "batch-output",
        "a line of a batch's output or errors; failed lines stay as they are",
        needs=("custom_id", "response"),
        answer="response.body",
        id="custom_id",
        fails="response.status_code",
    ),
    Shape("batch-output", "", needs=("custom_id", "error"), lacks=("body",), answer="response.body", id="custom_id"),
    *(Shape(**row) for row in vendor_logs.SHAPES),
    Shape("pair", "a request and its answer", needs=("request", "response"), request="request", answer="response"),
    Shape("pair", "", needs=("request", "answer"), request="request", answer="answer"),
    Shape("pair", "", needs=("request", "completion"), request="request", answer="completion"),
    *(Shape(**row) for row in conversations.SHAPES),
    Shape(
        "answer", "a finished answer, a recorded stream, or an error", needs=("choices",), answer="", created="created"
    ),
    Shape("answer", "", values=(("object", "response"),), answer="", created="created_at"),
    Shape("answer", "", needs=("output",), lacks=("input",), answer="", created="created_at"),
    Shape("answer", "", needs=("error",), lacks=("input", "messages"), answer=""),
    Shape("request", "a request", needs=("messages",), request=""),
    Shape("request", "", needs=("input",), request=""),
    Shape("request", "", needs=("instructions",), request=""),
    Shape("request", "", needs=("previous_response_id",), request=""),
    Shape("request", "", needs=("prompt", "model"), request=""),
)
"""In the order in which a line is compared with them. Rows of one name are spellings of one shape."""

WHOLE_FILES = {"vcr": "a cassette (YAML or JSON)", "har": "an HTTP archive"}
"""The shapes that are no lines: a file is read and written as a whole."""
NAMES: tuple[str, ...] = tuple(dict.fromkeys([shape.name for shape in SHAPES] + [*WHOLE_FILES]))

_URLS: dict[Dialect, tuple[str, str]] = {
    "responses": ("/chat/completions", "/responses"),
    "chat": ("/responses", "/chat/completions"),
}


def candidates(options: Options) -> tuple[Shape, ...]:
    """Return the rows with which lines are compared. Raises SettingError for an unknown name."""
    if options.request or options.answer:
        return (Shape("custom", "", request=options.request or None, answer=options.answer or None),)
    if options.shape == "auto":
        return SHAPES
    if options.shape not in NAMES:
        raise SettingError(f"there is no shape '{options.shape}'; the shapes are: {', '.join(NAMES)}")
    exchanges = conversations.EXCHANGES if options.shape == "fine-tuning" else ()
    named = tuple(shape for shape in SHAPES if shape.name == options.shape)
    return (*(Shape(**row) for row in exchanges), *named)


def recognised(line: Any, rows: tuple[Shape, ...], wanted: str) -> Shape:
    """Return the row that a line fits. Raises LineError if there is none."""
    has = line.get if isinstance(line, dict) else {}.get
    for shape in rows:
        if shape.needs and has(shape.needs[0]) is None:
            continue  # most rows, without a call
        if shape.fits(line):
            return shape
    fields = ", ".join(str(name)[:40] for name in list(line)[:8]) if isinstance(line, dict) else ""
    what = "has no known shape" if wanted == "auto" else f"does not have the shape '{wanted}'"
    raise LineError(f"The line {what}; its fields are: {fields or 'none'}.")


def converted(line: Line, shape: Shape, conversion: Conversion) -> list[Line]:
    """Return the lines that a line becomes: one, unless its answer has several choices."""
    if shape.convert is not None:
        return shape.convert(line, conversion)
    url = value_at(line, shape.url) if shape.url else None
    if isinstance(url, str) and not url.rstrip("/").endswith(_URLS["responses"]):
        return [line]  # of another endpoint
    if shape.fails and _has_failed(value_at(line, shape.fails)):
        return [line]
    request = None
    if shape.request is not None and (value := value_at(line, shape.request)) is not None:
        request = conversion.request_text(value) if isinstance(value, str) else conversion.request(value)
        line = with_value(line, shape.request, request)
    if isinstance(url, str):
        line = with_value(line, shape.url, other_url(url, conversion.options.to))
    return _with_answers(line, shape, request, conversion)


def _with_answers(line: Line, shape: Shape, request: Any, conversion: Conversion) -> list[Line]:
    answer = None if shape.answer is None else value_at(line, shape.answer)
    if shape.answer is None or answer is None:
        return [line]
    made = conversion.answers(answer, request if isinstance(request, dict) else None)
    lines = [with_value(line, shape.answer, each) for each in made]
    if shape.fails and is_error(made[0]) and not is_error(answer):
        lines = [with_value(lines[0], shape.fails, 500)]
    for i, each in enumerate(lines[1:], 1):
        if shape.id == "custom_id":  # which are unique
            lines[i] = {**each, "custom_id": f"{each['custom_id']}-choice-{i}"}
    return lines


def _has_failed(status: Any) -> bool:
    return isinstance(status, int) and status >= 400


def other_url(url: str, to: Dialect) -> str:
    """Return a URL with the path of the other API; one that has another path, or that path, unchanged."""
    path, mark, query = url.partition("?")
    old, new = _URLS[to]
    bare = path.rstrip("/")
    return bare.removesuffix(old) + new + mark + query if bare.endswith(old) else url
