"""Pure translation between OpenAI's Chat Completions and Responses formats: bodies in, bodies out."""

from . import answer, request
from .errors import BadRequest, BadUpstream, Misuse, NotSayable, TranslationError
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
    "BadRequest",
    "BadUpstream",
    "Branches",
    "Buffer",
    "Exchange",
    "FrameStream",
    "Loss",
    "Misuse",
    "NotSayable",
    "Profile",
    "Received",
    "Report",
    "ServeChat",
    "ServeCompact",
    "ServeResponses",
    "ToChat",
    "ToResponses",
    "TooManyValues",
    "TranslationError",
    "answer",
    "decode_json",
    "encode_json",
    "fields_as_markdown",
    "preset",
    "read_error",
    "request",
]
