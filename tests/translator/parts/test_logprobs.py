from typing import Any

import pytest

from diglot.translator.parts import logprobs


def test_tokens_have_lists_where_chat_has_nulls() -> None:
    """Bytes that are missing are the token's own; alternatives have the same fields."""
    top = [{"token": "Hi", "logprob": -0.1, "bytes": None}, {"token": "Ho", "logprob": -2, "bytes": [72, 111]}]
    given = {"content": [{"token": "é", "logprob": -0.5, "bytes": None, "top_logprobs": top}]}
    (token,) = logprobs.to_responses(given)
    assert token == {
        "token": "é",
        "bytes": [195, 169],
        "logprob": -0.5,
        "top_logprobs": [
            {"token": "Hi", "bytes": [72, 105], "logprob": -0.1},
            {"token": "Ho", "bytes": [72, 111], "logprob": -2},
        ],
    }


@pytest.mark.parametrize("given", [None, [], "x", {}, {"content": None}, {"content": "x"}, {"content": [None, "x"]}])
def test_no_tokens(given: Any) -> None:
    """What holds no tokens is an empty list."""
    assert logprobs.to_responses(given) == []


@pytest.mark.parametrize("top", [None, "x", [None], []])
def test_a_damaged_token_is_whole(top: Any) -> None:
    """Every required field is there, whatever was missing; a lone surrogate has bytes too."""
    empty = {"token": "", "bytes": [], "logprob": -9999.0, "top_logprobs": []}
    assert logprobs.to_responses({"content": [{"token": 5, "logprob": "x", "top_logprobs": top}]}) == [empty]
    assert logprobs.to_responses({"content": [{"token": "\ud83d"}]})[0]["bytes"] == [63]


def test_tokens_of_a_response() -> None:
    """The events of a stream leave bytes and alternatives out, chat has them (protocol 4.7)."""
    given = [{"token": "é", "logprob": -0.5, "top_logprobs": [{"token": "e", "logprob": -1}]}, None, {"token": "x"}]
    assert logprobs.to_chat(given) == [
        {
            "token": "é",
            "bytes": [195, 169],
            "logprob": -0.5,
            "top_logprobs": [{"token": "e", "bytes": [101], "logprob": -1}],
        },
        {"token": "x", "bytes": [120], "logprob": -9999.0, "top_logprobs": []},
    ]


@pytest.mark.parametrize("given", [None, "x", {}, {"content": []}, [], [None, 5]])
def test_no_tokens_of_a_response(given: Any) -> None:
    """What is no list of tokens has none."""
    assert logprobs.to_chat(given) == []
