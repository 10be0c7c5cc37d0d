"""Pure translation between OpenAI's Chat Completions and Responses formats: bodies in, bodies out.

Most users call the functions of `diglot`. This is the second tier, for authors of servers: objects that are fed what
arrives and return what to send; reading, writing, waiting and ids are up to the server. One call, in order:

1. `RequestBody.read(data)` decodes the client's request, and `translate(make)` gives the exchange and the bytes to
   send. Large pictures and files in it are not decoded. For a decoded body, use `ServeResponses(body)` or
   `ServeChat(body)`, and `ServeCompact(body)` for `POST /responses/compact`.
2. Send `exchange.request` to `exchange.endpoint` of the upstream, below its `/v1`, `exchange.copies` times. An
   answer with an error status goes to `exchange.error(status, body)`, which returns what to raise or to send
   (`error.status`, `error.body()`). Before that, `exchange.learned(status, body)` may return a profile with which a
   second try is worth it.
3. A finished answer goes to `exchange.answer(completion)`: it returns the client's.
4. A stream goes through `exchange.stream()`, a `FrameStream`: `feed(data)` for every piece of bytes, `finish()`
   when the upstream has closed; each returns a list of whole SSE frames to write at once. Until it has `started`, a
   failure is raised: answer it over HTTP. When `finishing`, wait only a moment for the rest. When it has `ended`,
   stop reading; if it was also `cut_short`, hang up. `release()` drops the request once the stream is under way;
   `each(data)` is `feed` for answers so large that their frames should not be in memory all at once. For copies
   (`n`), `ChoiceMerger` merges several streams into one.
5. `exchange.report` has the losses: `report.header()` is the value of an HTTP field.

`AnswerReader` does steps 2 to 4 for one HTTP answer, whatever comes: feed it, and do what it returns (`Data`, `Body`,
`Failed`, `Retry`). `Retries` and `Adaptation` keep what refusals taught. docs/integrating.md has a complete driver.

>>> exchange = ServeResponses({"model": "m", "input": "Hi", "stream": True}, new_id=lambda prefix: f"{prefix}_1")
>>> encode_json(exchange.request)
b'{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}],"stream_options":{"include_usage":true}}'
>>> frames = exchange.stream()
>>> for frame in frames.feed(b'data: {"choices":[{"delta":{"content":"Hello."}}]}\\n\\n'):
...     print(frame.partition(b"\\n")[0].decode())
event: response.created
event: response.in_progress
event: response.output_item.added
event: response.content_part.added
event: response.output_text.delta
>>> frames.feed(b'data: {"choices":[{"finish_reason":"stop"}]}\\n\\n'), frames.finishing, frames.ended
([], True, False)
>>> frames.feed(b"data: [DONE]\\n\\n")[-1][:25], frames.ended
(b'event: response.completed', True)

`ToResponses` and `ToChat` do the same for decoded chunks and events. `decode_json` and `encode_json` read and write
JSON as it occurs in the wild; `read_error` reads any error of an upstream. The older functions `request.to_chat` and
`request.to_responses` add their losses to a `Report`.
"""

from . import answer, deprecated, request, state
from .compaction import Summary
from .convert import chat_answer, chat_request, convert, responses_answer, responses_request
from .convert_stream import AsyncConvertedStream, ConvertedStream, chat_stream, responses_stream
from .errors import ProtocolMisuse, RequestError, TranslationError, UntranslatableError, UpstreamError
from .exchange.actions import AnswerBounds, Body, Data, Failed, Retry
from .exchange.adaptation import Adaptation, ProfilePatch, Retries
from .exchange.answer_reader import AnswerReader
from .exchange.base import Exchange
from .exchange.choices import ChoiceMerger
from .exchange.diagnostics import explain_status, public_url
from .exchange.frames import EventStream, FrameStream
from .exchange.request_body import RequestBody
from .exchange.serve_chat import ServeChat
from .exchange.serve_responses import ServeCompact, ServeResponses
from .field_names import table_field
from .losses import Loss, Report
from .markdown import fields_as_markdown
from .parts.upstream_errors import read as read_error
from .presets import PRESETS, preset
from .profiles import Profile
from .seals import PLAIN, Seals
from .stream.to_chat.transducer import ToChat
from .stream.to_responses.transducer import ToResponses
from .wire.json import MAX_VALUES, TooManyValues
from .wire.json import decode as decode_json
from .wire.json import encode as encode_json
from .wire.payloads import Buffer

__all__ = [
    "MAX_VALUES",
    "PLAIN",
    "PRESETS",
    "Adaptation",
    "AnswerBounds",
    "AnswerReader",
    "AsyncConvertedStream",
    "Body",
    "Buffer",
    "ChoiceMerger",
    "ConvertedStream",
    "Data",
    "EventStream",
    "Exchange",
    "Failed",
    "FrameStream",
    "Loss",
    "Profile",
    "ProfilePatch",
    "ProtocolMisuse",
    "Report",
    "RequestBody",
    "RequestError",
    "Retries",
    "Retry",
    "Seals",
    "ServeChat",
    "ServeCompact",
    "ServeResponses",
    "Summary",
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
    "explain_status",
    "fields_as_markdown",
    "preset",
    "public_url",
    "read_error",
    "request",
    "responses_answer",
    "responses_request",
    "responses_stream",
    "state",
    "table_field",
]

globals()["__getattr__"] = deprecated.getter(globals())  # unseen by type checkers, which would allow any name
