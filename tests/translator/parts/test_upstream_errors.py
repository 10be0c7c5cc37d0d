from typing import Any

import pytest

from diglot.translator import RequestError, UpstreamError
from diglot.translator.parts import upstream_errors


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"error": {"message": "Bad."}}, "Bad."),
        ({"error": {"code": "x"}, "message": "Outside."}, "Outside."),
        ({"error": {"code": "x"}, "detail": "Detail."}, "Detail."),
        ({"error": "Text."}, "Text."),
        ({"error": "Short", "message": "Long."}, "Long."),
        ({"message": "Bare."}, "Bare."),
        ({"detail": "Detail."}, "Detail."),
        ({"detail": [{"loc": ["body"], "msg": "x"}]}, "x"),
        ([{"error": {"message": "Gemini."}}], "Gemini."),
        ("Text.", "Text."),
        ([], "Not found"),
        (None, "Not found"),
        (5, "Not found"),
        ({}, "Not found"),
        ({"error": None, "message": ""}, "Not found"),
        ({"error": True}, "true"),
    ],
)
def test_errors_of_any_shape_have_their_message(value: Any, message: str) -> None:
    """Envelopes, bare fields, lists and strings are read; where nothing is said, the status speaks."""
    error = upstream_errors.from_value(value, 404)
    assert (error.message, error.status, error.type) == (message, 404, "not_found_error")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":{"message":"Bad."}}', "Bad."),
        (b"Bad gateway\n", "Bad gateway"),
        (b"<html><body>502</body></html>", "The upstream failed"),
        (b"", "The upstream failed"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 5000, "x" * upstream_errors.MAX_MESSAGE),
    ],
)
def test_bodies_are_read(body: bytes, message: str) -> None:
    """JSON, text up to a limit, pages of proxies, or nothing."""
    assert upstream_errors.read(502, body).message == message


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"code": 429}, 429),
        ({"code": "503"}, 503),
        ({"status": 404}, 404),
        ({"status_code": 500}, 500),
        ({"code": 200}, 502),
        ({"code": 600}, 502),
        ({"code": "5030"}, 502),
        ({"code": "rate_limit_exceeded"}, 429),
        ({"type": "insufficient_quota"}, 429),
        ({"type": "invalid_request_error"}, 400),
        ({"code": "context_length_exceeded"}, 400),
        ({"code": None, "type": "server_error"}, 502),
        ({}, 502),
    ],
)
@pytest.mark.parametrize("http", [None, 200, 302])
def test_an_error_in_a_success_finds_its_status(fields: dict[str, Any], status: int, http: int | None) -> None:
    """Its numeric code, else what its words say, else 502."""
    assert upstream_errors.from_value({"error": {"message": "Bad.", **fields}}, http).status == status


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "server_error"),
        (503, "server_error"),
    ],
)
def test_the_status_gives_the_type(status: int, word: str) -> None:
    """Where the upstream names no type, its status does."""
    assert upstream_errors.from_value({"error": {"message": "x"}}, status).type == word
    assert upstream_errors.from_value({"error": {"message": "x", "type": "own"}}, status).type == "own"


@pytest.mark.parametrize(
    ("code", "expected"), [("x", "x"), (5, "5"), (True, None), (None, None), (1.5, None), ({"a": 1}, None)]
)
def test_codes_are_strings(code: Any, expected: str | None) -> None:
    """Numbers become strings, everything else is no code."""
    assert upstream_errors.from_value({"error": {"message": "x", "code": code}}, 400).code == expected


def test_a_param_is_a_string() -> None:
    """Where the upstream sends another thing as the path, there is no path."""
    assert upstream_errors.from_value({"error": {"message": "x", "param": "model"}}, 400).param == "model"
    assert upstream_errors.from_value({"error": {"message": "x", "param": ["model"]}}, 400).param is None


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens.",
        "the request exceeds the available context size",
        "prompt is too long: 9 tokens",
        "Input exceeds the context window",
    ],
)
@pytest.mark.parametrize(
    ("status", "found"), [(400, True), (413, True), (422, True), (500, True), (429, False), (404, False)]
)
def test_a_full_context_has_one_code(message: str, status: int, found: bool) -> None:
    """Clients compact, and do not retry, on `context_length_exceeded`."""
    error = upstream_errors.from_value({"error": {"message": message, "code": "own"}}, status)
    assert error.code == ("context_length_exceeded" if found else "own")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UpstreamError("x", status=429), "rate_limit_exceeded"),
        (UpstreamError("Rate limit reached", status=400), "rate_limit_exceeded"),
        (UpstreamError("Rate limit reached", status=500), "server_error"),
        (UpstreamError("x", None, "context_length_exceeded", status=400), "context_length_exceeded"),
        (UpstreamError("Refused by content policy", status=400), "invalid_prompt"),
        (UpstreamError("x", None, "content_filter", status=400), "invalid_prompt"),
        (UpstreamError("Refused by content policy", status=500), "server_error"),
        (UpstreamError("x", status=503), "server_error"),
        (RequestError("x"), "server_error"),
    ],
)
def test_a_failed_answer_has_a_code_of_the_closed_list(error: Any, code: str) -> None:
    """`response.error` has one of OpenAI's codes, and the message as it was (protocol 7.2)."""
    assert upstream_errors.to_responses(error) == {"code": code, "message": error.message}


CODES = [
    ("server_error", 500, "server_error"),
    ("vector_store_timeout", 500, "server_error"),
    ("rate_limit_exceeded", 429, "rate_limit_error"),
    ("insufficient_quota", 429, "rate_limit_error"),
    *((code, 400, "invalid_request_error") for code in ("invalid_prompt", "bio_policy", "data_residency_mismatch")),
    ("misalignment_policy_violation", 400, "invalid_request_error"),
    ("image_content_policy_violation", 400, "invalid_request_error"),
    *((code, 400, "invalid_request_error") for code in ("invalid_image_url", "image_too_large", "empty_image_file")),
    *((code, 400, "invalid_request_error") for code in ("unsupported_image_media_type", "failed_to_download_image")),
    ("invalid_base64_image", 400, "invalid_request_error"),
    ("context_length_exceeded", 400, "invalid_request_error"),
    ("a_new_code", 500, "server_error"),
    ("503", 503, "server_error"),
]


@pytest.mark.parametrize(("code", "status", "word"), CODES)
def test_a_failed_response_is_an_error(code: str, status: int, word: str) -> None:
    """The table of protocol 7.2: the code is kept and gives status and type; so in a stream."""
    fields = {"code": code, "message": "Bad.", "param": "input"}
    for error in (
        upstream_errors.of_response({"status": "failed", "error": fields}),
        upstream_errors.of_event({"type": "error", "sequence_number": 3, **fields}),
        upstream_errors.of_event({"type": "error", "error": fields}),
    ):
        assert isinstance(error, UpstreamError)
        assert (error.code, error.status, error.type) == (code, status, word)
        assert (error.message, error.param) == ("Bad.", "input")


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ({"status": "failed", "error": None}, "The upstream failed"),
        ({"status": "failed", "error": {"code": None}}, "The upstream failed"),
        ({"status": "failed", "error": "Boom."}, "Boom."),
        ({"status": "failed", "error": ["Boom."]}, "Boom."),
        ({"status": "failed", "error": None, "status_details": {"error": {"message": "Boom."}}}, "Boom."),
    ],
)
def test_a_failure_that_says_little_is_the_servers(response: dict[str, Any], message: str) -> None:
    """Without a code nobody can blame the request."""
    error = upstream_errors.of_response(response)
    assert (error.message, error.status, error.type, error.code) == (message, 500, "server_error", None)


def test_the_type_of_a_failure_is_kept() -> None:
    """Where the upstream recorded the type of the original error, it stays."""
    error = upstream_errors.of_response(
        {"status": "failed", "error": {"type": "invalid_request_error", "message": "x"}}
    )
    assert (error.status, error.type) == (400, "invalid_request_error")


def test_a_cancelled_response_is_an_error() -> None:
    """Nobody needs to try again (protocol 4.3)."""
    error = upstream_errors.of_response({"status": "cancelled", "error": None})
    assert (error.status, error.type, error.code) == (400, "invalid_request_error", "response_cancelled")


@pytest.mark.parametrize(
    ("status", "words"), [("queued", "'queued'"), ("in_progress", "'in_progress'"), (None, "no status"), (5, "no ")]
)
def test_a_response_that_is_not_finished_is_an_error(status: Any, words: str) -> None:
    """An upstream that answers before it is done is broken."""
    error = upstream_errors.of_response({"status": status})
    assert (error.status, error.type) == (502, "server_error")
    assert words in error.message


@pytest.mark.parametrize(
    ("event", "message", "status"),
    [
        ({"type": "error"}, "The upstream failed", 500),
        ({"type": "error", "error": "Boom."}, "Boom.", 500),
        ({"error": "Boom."}, "Boom.", 500),
        ({"type": "error", "status": 503, "error": {"message": "Busy."}}, "Busy.", 503),
        ({"type": "error", "status": None, "error": {"message": "Busy.", "status": 429}}, "Busy.", 429),
        ({"type": "error", "error": {}, "message": "Outside."}, "Outside.", 500),
        ({"type": "error", "message": ["x"]}, "x", 500),
        ({"type": "error", "sequence_number": 3}, "The upstream failed", 500),
    ],
)
def test_error_events_of_any_shape(event: dict[str, Any], message: str, status: int) -> None:
    """Flat, nested, with the status of a WebSocket, or with next to nothing."""
    error = upstream_errors.of_event(event)
    assert (error.message, error.status) == (message, status)


@pytest.mark.parametrize(
    ("word", "status", "type_"),
    [
        ("invalid_request", 400, "invalid_request_error"),
        ("not_found", 404, "not_found_error"),
        ("too_many_requests", 429, "rate_limit_error"),
        ("model_error", 500, "server_error"),
        ("server_error", 500, "server_error"),
    ],
)
def test_open_responses_has_words_of_its_own(word: str, status: int, type_: str) -> None:
    """Its types are OpenAI's under other names; they give the status where there is none."""
    error = upstream_errors.of_event({"type": "error", "error": {"type": word, "message": "x", "code": None}})
    assert (error.status, error.type) == (status, type_)
    assert upstream_errors.from_value({"error": {"type": word, "message": "x"}}, status).type == type_


@pytest.mark.parametrize(
    ("message", "renamed"),
    [
        ("Invalid 'a.b'.", "Invalid 'x'."),
        ("a.b is wrong, a.b too.", "x is wrong, x too."),
        ("a.b.c, a.b[0], z.a.b, aa.b", "a.b.c, a.b[0], z.a.b, aa.b"),
    ],
)
def test_a_path_is_renamed_where_it_stands_alone(message: str, renamed: str) -> None:
    """Not where it only begins another path, or ends one."""
    assert upstream_errors.replace_path(message, "a.b", "x") == renamed


def test_a_path_is_not_a_pattern() -> None:
    """Its brackets are brackets, and so are backslashes of the other one."""
    assert upstream_errors.replace_path("Bad tools[0].", "tools[0]", r"\1") == r"Bad \1."


KEPT = [
    ("context_length_exceeded", 400),
    ("insufficient_quota", 429),
    ("rate_limit_exceeded", 429),
    ("invalid_api_key", 401),
    ("model_not_found", 404),
    ("usage_not_included", 429),
    ("server_is_overloaded", 500),
    ("slow_down", 500),
]


@pytest.mark.parametrize(("code", "status"), KEPT)
@pytest.mark.parametrize("member", ["code", "type"])
def test_codes_on_which_clients_act_survive(member: str, code: str, status: int) -> None:
    """They stay in `response.failed`, and come back out of one with the status that they have over HTTP."""
    error = upstream_errors.from_value({"error": {"message": "Bad.", member: code}})
    assert upstream_errors.to_responses(error)["code"] == code
    again = upstream_errors.of_response({"status": "failed", "error": upstream_errors.to_responses(error)})
    assert (again.code, again.status) == (code, status)


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        ({"error": {"code": 429, "message": "x", "status": "RESOURCE_EXHAUSTED"}}, 429),
        ({"error": {"message": "x", "status": "RESOURCE_EXHAUSTED"}}, 429),
        ({"error": {"message": "x", "status": "PERMISSION_DENIED"}}, 403),
        ({"error": {"message": "x", "status": "INVALID_ARGUMENT"}}, 400),
        ({"__type": "com.amazon#ValidationException", "message": "x"}, 400),
        ({"__type": "ThrottlingException", "message": "x"}, 429),
        ({"error": {"message": "x"}, "status": 429}, 429),
        ({"statusCode": 404, "message": "x"}, 404),
        ({"error": {"message": "x", "type": "BadRequestError"}}, 400),
        ({"error": {"message": "x", "type": "too_many_requests"}}, 429),
        ({"base_resp": {"status_code": 2013, "status_msg": "x"}}, 502),
    ],
)
def test_what_an_error_without_a_status_means(frame: dict[str, Any], status: int) -> None:
    """Inside a 200, numbers and words of all families say it."""
    assert upstream_errors.from_value(frame).status == status


def test_a_full_context_is_the_requests_fault() -> None:
    """Also where a server takes the blame (llama.cpp), or a stream does not say whose fault it is."""
    error = upstream_errors.from_value(
        {"error": {"message": "Context size has been exceeded.", "type": "server_error"}}, 500
    )
    assert (error.status, error.code, error.type) == (400, "context_length_exceeded", "invalid_request_error")
    assert upstream_errors.from_value({"error": {"message": "prompt is too long: 9 > 8"}}).status == 400


def test_what_nobody_can_read_is_shown() -> None:
    """A body of an unknown shape is better than nothing; what is empty says nothing."""
    assert upstream_errors.from_value({"trouble": {"why": "x"}}, 400).message == '{"trouble":{"why":"x"}}'
    assert upstream_errors.from_value([5], 400).message == "[5]"
    assert upstream_errors.from_value({"error": {"code": "own"}}, 400).message == "Bad request"
    assert len(upstream_errors.from_value({"trouble": "x" * 5000}, 400).message) == upstream_errors.MAX_MESSAGE


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        ([{"error": {"message": "x"}}], True),
        ([], False),
        ([5], False),
        ("x", False),
        ({"error": "x"}, True),
        ({"choices": []}, False),
    ],
)
def test_which_frames_are_errors(frame: Any, found: bool) -> None:
    """A list around an error is one (Gemini)."""
    assert upstream_errors.is_error(frame) is found
