"""The name of the model in an event stream that passes through: in chat chunks, and in the events of Responses."""

from __future__ import annotations

from typing import Any

from ...translator import decode_json, encode_json

_DATA, _NAME = b"data:", b'"model"'


class ModelLines:
    """Replaces the name in each line of a stream by *asked*; a line longer than *max_line* goes through as it is."""

    def __init__(self, asked: str, max_line: int) -> None:
        self._asked = asked
        self._max_line = max_line
        self._held: list[bytes] = []  # the beginning of a line
        self._size = 0
        self._is_too_long = False  # the line whose beginning has gone through

    def feed(self, data: bytes) -> bytes:
        """Take bytes, cut anywhere; return what can go on."""
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if not end:
            return self._hold(data)
        rest = b""
        if self._is_too_long:
            start = min(place for place in (data.find(b"\n"), data.find(b"\r")) if place >= 0) + 1
            rest, data, end = data[:start], data[start:], end - start
            self._is_too_long = False
        whole = b"".join([*self._held, data[:end]])
        self._held, self._size = [], 0
        return rest + self._named(whole) + self._hold(data[end:])

    def finish(self) -> bytes:
        """Return what is left at the end."""
        whole, self._held = b"".join(self._held), []
        return self._named(whole)

    def _hold(self, data: bytes) -> bytes:
        """Hold the beginning of a line, unless it is too long."""
        if self._is_too_long or not data:
            return data
        self._held.append(data)
        self._size += len(data)
        if self._size <= self._max_line:
            return b""
        whole, self._held, self._size, self._is_too_long = b"".join(self._held), [], 0, True
        return whole

    def _named(self, lines: bytes) -> bytes:
        if _NAME not in lines:
            return lines
        return b"".join(map(self._line, lines.splitlines(keepends=True)))

    def _line(self, line: bytes) -> bytes:
        if not line.startswith(_DATA) or _NAME not in line:
            return line
        content = line.rstrip(b"\r\n")
        try:
            value = decode_json(content[len(_DATA) :])
            is_changed = self._replace(value) | self._replace(value.get("response"))
            return b"data: " + encode_json(value) + line[len(content) :] if is_changed else line
        except (ValueError, RecursionError, AttributeError):
            return line

    def _replace(self, value: Any) -> bool:
        if not isinstance(value, dict) or not isinstance(value.get("model"), str) or value["model"] == self._asked:
            return False
        value["model"] = self._asked
        return True
