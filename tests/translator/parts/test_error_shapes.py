from typing import Any

import pytest

from diglot.translator.parts import error_shapes

ENVELOPES = [
    ({"error": {"message": "Why.", "code": "own"}}, "own"),
    ({"errors": [{"message": "Why.", "code": 7003}], "success": False, "messages": []}, 7003),
    ({"msg": "Why.", "code": 1}, 1),
    ({"Message": "Why.", "Code": "InvalidParameter"}, "InvalidParameter"),
    ({"error_msg": "Why.", "error_code": 17}, 17),
    ({"errorMessage": "Why.", "errorCode": "E7"}, "E7"),
    ({"errmsg": "Why.", "errcode": 40001}, 40001),
    ({"base_resp": {"status_code": 2013, "status_msg": "Why."}}, 2013),
    ({"description": "Why.", "code": "own"}, "own"),
    ({"error": "invalid_grant", "error_description": "Why."}, "invalid_grant"),
    ({"error": {"error": {"message": "Why.", "code": "own"}}}, "own"),
    ({"error": {"error": {"error": {"message": "Why.", "code": "own"}}}}, "own"),
    ({"error": {"detail": "Why.", "code": "own"}}, "own"),
    ({"error": {"reason": "Why.", "type": "x"}}, None),
    ({"detail": {"error": {"message": "Why.", "code": "own"}}}, "own"),
    ({"detail": {"message": "Why.", "code": "own"}}, "own"),
    ({"detail": {"msg": "Why."}}, None),
    ({"detail": "Why."}, None),
    ({"title": "Why.", "status": 400, "type": "about:blank"}, None),
    ([{"error": {"message": "Why.", "code": 429}}], 429),
    ([[{"message": "Why."}]], None),
    (["Why."], None),
    ({"error": ["Why."]}, None),
    ({"message": {"error": {"message": "Why.", "code": "own"}}}, "own"),
    ({"object": "error", "message": {"detail": [{"type": "x", "msg": "Why.", "loc": ["body"]}]}}, None),
    ({"error": {"message": '{"error":{"message":"Why.","code":"own"}}', "code": 400}}, "own"),
    ({"message": '[{"msg": "Why."}]', "code": "outer"}, "outer"),
    ('{"detail": "Why."}', None),
    ({"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": "Why. Really."}}}, 400),
    ({"error": {"message": "Provider returned error", "metadata": {"raw": {"msg": "Why. Really."}}}}, None),
    ({"error": {"message": "It failed", "metadata": {"raw": '{"error":{"message":"Why. Really."}}'}}}, None),
    ({"error": {"message": "Why.", "code": 502, "metadata": {"raw": "ERROR", "provider_name": "X"}}}, 502),
    ({"error": {"message": "Why.", "metadata": {"raw": "<html> <body>"}}}, None),
    ({"error": {"message": "Why.", "metadata": None}}, None),
    ({"error": {"message": "Why.", "details": [{"reason": "API_KEY_INVALID"}], "status": "INVALID_ARGUMENT"}}, None),
    ({"code": "Client specified an invalid argument", "error": "Why. Really."}, "Client specified an invalid argument"),
    ({"error": "Bad Request", "message": "Why.", "statusCode": 400}, None),
    ({"error": "Bad Request", "detail": None, "reason": ""}, None),
    ({"x_groq": {"error": "Why.", "id": "r"}}, None),
    ({"fault": {"faultstring": "Why.", "detail": {"errorcode": "x"}}}, None),  # Apigee
    ({"exception": "Why."}, None),
    ({"errors": [{"message": "Why."}, {"message": "Why."}, {"message": "Also."}, 5]}, None),
]


@pytest.mark.parametrize(("value", "code"), ENVELOPES)
def test_every_shape_says_why(value: Any, code: Any) -> None:
    """The text of the inside, and its code; that of the outside where the inside has none."""
    fault = error_shapes.read(value)
    said = {"Why.", "Why. Really.", "Why.; Also.", "Bad Request"}
    assert (fault.message in said, fault.code) == (True, code), fault


@pytest.mark.parametrize(
    ("value", "message", "param"),
    [
        ([{"loc": ["body", "input", 0, "content"], "msg": "Bad"}], "input[0].content: Bad", "input[0].content"),
        ([{"loc": ["query", "n"], "msg": "Bad"}, {"loc": [], "msg": "Too"}], "query.n: Bad; Too", "query.n"),
        ([{"loc": ["body"], "msg": None}], None, None),
        ([{"loc": "body", "msg": "Bad"}], "Bad", None),
    ],
)
def test_validation_names_the_place(value: Any, message: str | None, param: str | None) -> None:
    """Lists of pydantic, as FastAPI sends them."""
    fault = error_shapes.read({"detail": value})
    assert (fault.message, fault.param) == (message, param)


@pytest.mark.parametrize("value", [None, 5, True, {}, [], "", " ", {"error": {}}, {"error": {"code": None}}, [None, 5]])
def test_nothing_is_said(value: Any) -> None:
    """Then the status must do."""
    assert error_shapes.read(value).message is None


def test_what_is_no_json_is_a_text() -> None:
    """Also if it begins like JSON."""
    assert error_shapes.read({"message": "{broken"}).message == "{broken"
    assert error_shapes.read({"message": "{}"}).message == "{}"
    assert error_shapes.read("[" + " " * 70000 + '"x"]').message is not None


def test_envelopes_have_an_end() -> None:
    """Thousands of them are no reason."""
    value: Any = {"message": "Why."}
    for _ in range(50):
        value = {"error": value}
    assert error_shapes.read(value).message is None


@pytest.mark.parametrize(
    "frame",
    [
        {"error": {"message": "x"}, "choices": [{"index": 0}]},
        {"error": "x"},
        {"base_resp": {"status_code": 1002, "status_msg": "x"}, "choices": [{"index": 0}]},
        {"base_resp": {"status_code": 1004, "status_msg": "x"}, "choices": None},
        {"x_groq": {"error": "x"}, "choices": [{"index": 0}]},
        {"object": "error", "message": "x"},
        {"type": "error"},
        {"success": False},
        {"errors": [{"message": "x"}]},
        {"error_msg": "x", "error_code": 17},
        {"errmsg": "x", "errcode": 1},
        {"message": "x"},
        {"Message": "x", "Code": "Y"},
        {"msg": "x", "code": 1},
        {"detail": [{"loc": ["body"], "msg": "x"}]},
        {"description": "x", "code": 1},
        {"reason": "x", "status": 400},
        {"choices": None, "message": "x"},
        {"choices": [], "error_msg": "x"},
        {"fault": {"faultstring": "x"}},
    ],
)
def test_errors_without_an_http_status(frame: dict[str, Any]) -> None:
    """In a 200 or as a frame of a stream."""
    assert error_shapes.is_error(frame)


@pytest.mark.parametrize(
    "frame",
    [
        {"choices": [{"index": 0}], "error": None},
        {"choices": [{"index": 0}], "error": {"code": None, "message": ""}},
        {"choices": [{"index": 0}], "message": "x", "code": 5},
        {"choices": [{"index": 0}], "base_resp": {"status_code": 0, "status_msg": "success"}},
        {"choices": [], "base_resp": {"status_code": 0, "status_msg": ""}, "usage": {}},
        {"choices": [], "x_groq": {"usage": {}, "error": None}},
        {"choices": [], "message": "x"},
        {"output": [], "message": "x", "errors": ["x"]},
        {"output_text": "Hi", "detail": "x"},
        {"code": 0, "msg": "success", "data": {}},
        {"code": 200, "message": "ok"},
        {"status": "OK", "message": "x"},
        {"status": "success", "detail": "x"},
        {"message": {"role": "assistant", "content": "Hi"}, "done": False},
        {"description": "x"},
        {"id": "x", "usage": {"total_tokens": 3}},
        {"type": "ping"},
        {},
    ],
)
def test_answers_are_no_errors(frame: dict[str, Any]) -> None:
    """Whatever else stands in them."""
    assert not error_shapes.is_error(frame)
