"""Recordings of HTTP, which are converted as whole files: cassettes of VCR, HTTP archives, and bare event streams."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

from ...translator import TranslationError, decode_json, encode_json
from ..missing import install_hint
from . import compressed
from .conversion import REFUSED_WHEN_STRICT, Conversion, for_data
from .errors import LineError, SettingError
from .ids import LineIds, seconds
from .lines import Converted
from .options import Options
from .shapes import other_url
from .streams import stream_dialect

KINDS = ("vcr", "har", "sse")
_ENCODINGS = {"gzip": gzip.decompress, "deflate": zlib.decompress, "zstd": compressed.unzstd_whole}
_STALE = ("content-length", "content-encoding", "transfer-encoding")
"""Headers of a body that is not there any more."""
Record = dict[str, Any]


def convert_file(data: bytes, kind: str, options: Options) -> Converted:
    """Return what a recording becomes. Raises LineError if it is none, or if one of its bodies cannot be converted."""
    try:
        made = _KINDS[kind](data, for_data(options))
    except TranslationError as error:
        raise LineError(error.message, error.param) from None
    except (LineError, SettingError):
        raise
    except Exception as error:  # of whatever is not where it belongs: one file must not end the whole migration
        raise LineError(f"This is not a recording of the kind '{kind}': {type(error).__name__}: {error}") from None
    if options.strict and (refused := [loss for loss in made.losses if loss.kind in REFUSED_WHEN_STRICT]):
        raise LineError(
            f"'{refused[0].path}' cannot be carried over: {refused[0].why}.", refused[0].path, tuple(refused)
        )
    return made


def _stream(data: bytes, options: Options) -> Converted:
    conversion = Conversion(options, LineIds(None, data), 0.0)
    text = data.decode("utf-8", "replace")
    if stream_dialect(text) is None:
        raise LineError("This is not a stream of Chat Completions or Responses.")
    return Converted(conversion.stream(text).encode(), conversion.losses, "sse", conversion.model)


def _cassette(data: bytes, options: Options) -> Converted:
    yaml = None if data.lstrip()[:1] == b"{" else _yaml()
    try:
        cassette = _loaded(data) if yaml is None else yaml.load(data, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except Exception as error:  # of the YAML package, which has many
        raise LineError(f"This is not a cassette: {error}") from None
    exchanges = [_CassetteExchange(interaction) for interaction in cassette["interactions"]]
    conversions = _each(exchanges, data, options)
    made = (
        json.dumps(cassette, indent=2, ensure_ascii=False).encode() + b"\n"
        if yaml is None
        else yaml.dump(
            cassette,
            Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper),
            sort_keys=False,
            encoding="utf-8",
            allow_unicode=True,
        )
    )
    return _together(made, conversions, "vcr")


def _archive(data: bytes, options: Options) -> Converted:
    archive = _loaded(data)
    exchanges = [_ArchiveExchange(entry) for entry in archive["log"]["entries"]]
    conversions = _each(exchanges, data, options)
    return _together(json.dumps(archive, indent=2, ensure_ascii=False).encode() + b"\n", conversions, "har")


_KINDS: dict[str, Callable[[bytes, Options], Converted]] = {"vcr": _cassette, "har": _archive, "sse": _stream}


def _loaded(data: bytes) -> Any:
    try:
        return decode_json(data)
    except ValueError as error:
        raise LineError(f"The file is {error}.") from None


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise SettingError(install_hint("A cassette", "pyyaml", "migrate")) from None
    return yaml


def _together(data: bytes, conversions: list[Conversion], shape: str) -> Converted:
    losses = [loss for conversion in conversions for loss in conversion.losses]
    model = next((conversion.model for conversion in conversions if conversion.model), "")
    return Converted(data, losses, shape, model)


def _each(exchanges: list[Any], data: bytes, options: Options) -> list[Conversion]:
    conversions: list[Conversion] = []
    for i, exchange in enumerate(exchanges):
        url = other_url(exchange.url, options.to)
        if url == exchange.url:
            continue  # of another API, or of this one already
        conversion = Conversion(options, LineIds(None, data + b"%d" % i), exchange.created)
        _convert(exchange, conversion)
        exchange.url = url
        conversions.append(conversion)
    return conversions


def _convert(exchange: Any, conversion: Conversion) -> None:
    request = None
    if sent := exchange.request_text:
        request = conversion.request(_loaded(sent.encode("utf-8", "replace")))
        exchange.request_text = encode_json(request).decode()
    received = exchange.answer_text
    if received and exchange.status < 400:
        if stream_dialect(received):
            exchange.answer_text = conversion.stream(received, request)
        else:
            answer = conversion.answer(_loaded(received.encode("utf-8", "replace")), request)
            exchange.answer_text = encode_json(answer).decode()


class _CassetteExchange:
    """An interaction of a cassette: bodies are texts or bytes, as they are or as `string`; headers have lists."""

    created = 0.0

    def __init__(self, interaction: Record) -> None:
        self._request: Record = interaction["request"]
        self._answer: Record = interaction["response"]

    @property
    def url(self) -> str:
        return self._request["uri"]

    @url.setter
    def url(self, url: str) -> None:
        self._request["uri"] = url

    @property
    def status(self) -> int:
        status = self._answer["status"]
        return int(status["code"] if isinstance(status, dict) else status)

    @property
    def request_text(self) -> str:
        return _body(self._request)

    @request_text.setter
    def request_text(self, text: str) -> None:
        _set_body(self._request, text)

    @property
    def answer_text(self) -> str:
        return _body(self._answer)

    @answer_text.setter
    def answer_text(self, text: str) -> None:
        _set_body(self._answer, text)


def _body(message: Record) -> str:
    body = message.get("body") or ""
    body = body.get("string") or body.get("base64_string") or "" if isinstance(body, dict) else body
    if isinstance(body, str):
        return body
    headers = {str(name).lower(): value for name, value in (message.get("headers") or {}).items()}
    encoding = headers.get("content-encoding") or ""
    encoding = encoding[0] if isinstance(encoding, list) else encoding
    return _decompressed(body, str(encoding).strip().lower()).decode("utf-8", "replace")


def _decompressed(body: bytes, encoding: str) -> bytes:
    if not encoding or encoding == "identity":
        return body
    if encoding not in _ENCODINGS:
        raise LineError(f"A body is compressed with '{encoding}', which is not supported.")
    try:
        return _ENCODINGS[encoding](body)
    except (OSError, EOFError, ValueError, zlib.error, compressed.CutOff) as error:
        raise LineError(f"A compressed body is damaged: {error}") from None


def _set_body(message: Record, text: str) -> None:
    if isinstance(message.get("body"), dict):
        message["body"] = {**message["body"], "string": text}
    else:
        message["body"] = text
    headers = message.get("headers") or {}
    message["headers"] = {name: value for name, value in headers.items() if str(name).lower() not in _STALE}


class _ArchiveExchange:
    """An entry of an HTTP archive: bodies are texts, or base64."""

    def __init__(self, entry: Record) -> None:
        self._request: Record = entry["request"]
        self._answer: Record = entry["response"]
        self.created: float = seconds(entry.get("startedDateTime"))

    @property
    def url(self) -> str:
        return self._request["url"]

    @url.setter
    def url(self, url: str) -> None:
        self._request["url"] = url

    @property
    def status(self) -> int:
        return int(self._answer["status"])

    @property
    def request_text(self) -> str:
        return (self._request.get("postData") or {}).get("text") or ""

    @request_text.setter
    def request_text(self, text: str) -> None:
        self._request["postData"] = {**self._request["postData"], "text": text}
        self._request["bodySize"] = len(text.encode())

    @property
    def answer_text(self) -> str:
        content = self._answer.get("content") or {}
        text = content.get("text") or ""
        if content.get("encoding") != "base64":
            return text
        try:
            return base64.b64decode(text, validate=True).decode("utf-8", "replace")
        except (ValueError, binascii.Error) as error:
            raise LineError(f"A body is not base64: {error}") from None

    @answer_text.setter
    def answer_text(self, text: str) -> None:
        content = {name: value for name, value in self._answer["content"].items() if name != "encoding"}
        self._answer["content"] = {**content, "text": text, "size": len(text.encode())}
