"""Pure translation between OpenAI's Chat Completions and Responses formats: bodies in, bodies out."""

from . import answer, request
from .convert import chat_answer, chat_request, convert, responses_answer, responses_request
from .convert_stream import AsyncConvertedStream, ConvertedStream, chat_stream, responses_stream
from .errors import (
    BadRequest,
    BadUpstream,
    Misuse,
    NotSayable,
    ProtocolMisuse,
    RequestError,
    TranslationError,
    UntranslatableError,
    UpstreamError,
)
from .exchange.branches import Branches
from .exchange.exchange import Exchange
from .exchange.frames import FrameStream
from .exchange.received import Received
from .exchange.serve_chat import ServeChat
from .exchange.serve_responses import ServeCompact, ServeResponses
from .losses import Loss, Report
from .markdown import fields_as_markdown
from .parts.errors import read as read_error
from .profiles import PRESETS, Profile, preset
from .stream.to_chat import ToChat
from .stream.to_responses import ToResponses
from .wire.carried import Buffer
from .wire.json import MAX_VALUES, TooManyValues
from .wire.json import decode as decode_json
from .wire.json import encode as encode_json

__all__ = [
    "MAX_VALUES",
    "PRESETS",
    "AsyncConvertedStream",
    "BadRequest",
    "BadUpstream",
    "Branches",
    "Buffer",
    "ConvertedStream",
    "Exchange",
    "FrameStream",
    "Loss",
    "Misuse",
    "NotSayable",
    "Profile",
    "ProtocolMisuse",
    "Received",
    "Report",
    "RequestError",
    "ServeChat",
    "ServeCompact",
    "ServeResponses",
    "ToChat",
    "ToResponses",
    "TooManyValues",
    "TranslationError",
    "UntranslatableError",
    "UpstreamError",
    "answer",
    "chat_answer",
    "chat_request",
    "chat_stream",
    "convert",
    "decode_json",
    "encode_json",
    "fields_as_markdown",
    "preset",
    "read_error",
    "request",
    "responses_answer",
    "responses_request",
    "responses_stream",
]
