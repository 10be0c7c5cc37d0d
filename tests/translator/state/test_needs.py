"""What a request needs from a store."""

from typing import Any

import pytest

from diglot.translator import RequestError
from diglot.translator.state import needs


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"input": "Hi"}, needs.NOTHING),
        ({}, needs.NOTHING),
        ({"input": [{"role": "user", "content": "Hi", "id": "msg_1"}, "?", {"type": "reasoning"}]}, needs.NOTHING),
        ({"previous_response_id": "resp_1"}, needs.Needs("resp_1")),
        ({"conversation": "conv_1"}, needs.Needs(None, "conv_1")),
        ({"conversation": {"id": "conv_1"}}, needs.Needs(None, "conv_1")),
        (
            {"input": [{"type": "item_reference", "id": "rs_1"}, {"id": "msg_1"}, {"type": None, "id": "rs_1"}]},
            needs.Needs(None, None, ("rs_1", "msg_1")),
        ),
    ],
)
def test_needs(body: dict[str, Any], wanted: needs.Needs) -> None:
    """A response, a conversation, and items, each once."""
    found = needs.of(body)
    assert found == wanted
    assert found.anything == (wanted != needs.NOTHING)
    assert needs.are_none({**body, "store": False}) == (not found.anything)
    assert not needs.are_none(body)


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"previous_response_id": 1}, "previous_response_id", "expected a string"),
        ({"previous_response_id": "msg_1"}, "previous_response_id", "begins with 'resp'"),
        ({"conversation": "resp_1"}, "conversation", "begins with 'conv'"),
        ({"conversation": {"id": 1}}, "conversation.id", "expected a string"),
        ({"conversation": {}}, "conversation.id", "Missing required parameter"),
        ({"conversation": 7}, "conversation", "expected a string or an object"),
        ({"input": [{"type": "item_reference"}]}, "input[0].id", "Missing required parameter"),
        ({"input": [{"id": "a b"}]}, "input[0].id", "additional characters"),
        ({"input": [{"id": f"rs_{i}"} for i in range(2_001)]}, "input", "At most 2,000 items"),
        ({"previous_response_id": "resp_1", "conversation": "conv_1"}, None, "Mutually exclusive parameters"),
    ],
)
def test_what_is_refused(body: dict[str, Any], param: str, words: str) -> None:
    """What is no id, and two histories at once."""
    assert not needs.are_none({**body, "store": False})
    with pytest.raises(RequestError, match=words) as caught:
        needs.of(body)
    assert (caught.value.status, caught.value.param) == (400, param)
