"""One line, as bytes, into the other dialect."""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from ...translator import Loss, TranslationError, decode_json, encode_json
from . import shapes
from .conversion import REFUSED_WHEN_STRICT, Conversion, for_data
from .errors import LineError
from .ids import LineIds, seconds
from .options import Options
from .paths import value_at
from .streams import stream_dialect

_decoder = msgspec.json.Decoder()
_ANOTHER = "what is not JSON was replaced: bytes that are not UTF-8, lone surrogates, or numbers that none can hold"
_SET_ASIDE = {"file", "line_number", "offset", "error"}
"""What the entries of a quarantine have."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Converted(NamedTuple):
    """What a line becomes."""

    data: bytes
    """The new line without its end; several, if an answer had several choices."""
    losses: list[Loss]
    shape: str
    model: str


def convert_line(line: bytes | str, options: Options) -> Converted:
    """Return what a line becomes, and what it loses.

    *line* is a JSON object of any shape in `SHAPES`. Raises LineError if it is none, if its bodies are not in their
    dialect, or if *options* are strict and something would be lost; and SettingError for an unknown shape.

    >>> line = b'{"custom_id":"1","method":"POST","url":"/v1/responses","body":{"model":"m","input":"Hi"}}'
    >>> made = convert_line(line, Options(to="chat"))
    >>> made.data.decode()[51:]
    '"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"Hi"}]}}'
    >>> made.shape, made.model, made.losses
    ('batch', 'm', [])
    """
    return _converter(options).convert(line)


class LineConverter:
    """Converts lines as `convert_line` does; what depends on the options alone is looked up once."""

    def __init__(self, options: Options) -> None:
        self._options = for_data(options)
        self._rows = shapes.candidates(options)

    def convert(self, line: bytes | str) -> Converted:
        """Return what a line becomes, and what it loses. Raises LineError."""
        data = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
        value, losses = _decoded(data)
        try:
            return _converted(value, data, self._rows, losses, self._options)
        except LineError:
            raise
        except TranslationError as error:
            raise LineError(error.message, error.param) from None
        except RecursionError:
            raise LineError("The line is nested too deeply.") from None
        except Exception as error:  # a mistake of ours must cost one line, not all
            raise LineError(f"The line could not be converted: {type(error).__name__}: {error}") from error


_converter = functools.lru_cache(maxsize=16)(LineConverter)


def convert_lines(lines: Iterable[bytes | str], options: Options) -> Iterator[Converted | LineError]:
    """Yield what each line becomes, or the error that says why it becomes nothing; blank lines are left out."""
    for line in lines:
        if line.strip():
            try:
                yield convert_line(line, options)
            except LineError as error:
                yield error


def _repaired(entry: dict[str, Any]) -> bytes:
    """Return the line in an entry of the quarantine, which may have been repaired."""
    line, encoded = entry.get("line"), entry.get("base64")
    try:
        return str(line).encode() if line is not None else base64.b64decode(encoded or "", validate=True)
    except (TypeError, ValueError):
        raise LineError("An entry of a quarantine must have its line as a text, or as base64.") from None


def _decoded(data: bytes) -> tuple[Any, list[Loss]]:
    try:
        return _decoder.decode(data), []
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        pass
    try:
        return decode_json(data), [Loss("", "approximated", _ANOTHER)]
    except ValueError as error:
        raise LineError(f"The line is {error}.") from None


def _converted(
    value: Any, data: bytes, rows: tuple[shapes.Shape, ...], losses: list[Loss], options: Options
) -> Converted:
    while isinstance(value, dict) and value.keys() >= _SET_ASIDE:  # several times, if it was bad again
        data = _repaired(value)
        value, losses = _decoded(data)
    if not isinstance(value, dict) and not stream_dialect(value):
        raise LineError("A line must be a JSON object, or a list with the events of a stream.")
    shape = shapes.recognised(value, rows, options.shape)
    own_id = value_at(value, shape.id)
    created = seconds(value_at(value, shape.created)) if shape.created else 0.0
    conversion = Conversion(options, LineIds(own_id, data), created)
    made = shapes.converted(value, shape, conversion)
    losses += conversion.losses
    if options.strict and (refused := [loss for loss in losses if loss.kind in REFUSED_WHEN_STRICT]):
        first = refused[0]
        raise LineError(f"'{first.path}' cannot be carried over: {first.why}.", first.path, tuple(refused))
    new = encode_json(made[0]) if len(made) == 1 else b"\n".join(map(encode_json, made))
    return Converted(new, losses, shape.name, conversion.model)
