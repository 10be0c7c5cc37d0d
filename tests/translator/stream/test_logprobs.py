"""Tokens as they are sent on: in the order of the specification, with what is missing filled in."""

import msgspec

from diglot.translator.stream import logprobs


def test_what_is_missing_is_filled_in() -> None:
    """The bytes of a token are those of its text; unknown fields stay behind."""
    tokens = msgspec.json.decode(b'[{"logprob":-1,"token":"\xc3\xa9","x":1}]', type=list[logprobs.Token])
    assert logprobs.encode(tokens) == b'[{"token":"\xc3\xa9","bytes":[195,169],"logprob":-1,"top_logprobs":[]}]'


def test_what_a_server_says_stays() -> None:
    """Bytes that are there are kept, and other tokens that were likely get theirs."""
    other = logprobs.OneToken(token="b", logprob=-2)
    tokens = [logprobs.Token(token="a", bytes=[1], logprob=-1.5, top_logprobs=[other])]
    assert logprobs.encode(tokens) == (
        b'[{"token":"a","bytes":[1],"logprob":-1.5,"top_logprobs":[{"token":"b","bytes":[98],"logprob":-2}]}]'
    )
