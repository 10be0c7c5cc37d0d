import pytest

from diglot.translator import BadRequest, BadUpstream, Loss, Misuse, NotSayable, TranslationError

TREE = [
    (TranslationError, TranslationError, 500, "server_error", None),
    (BadRequest, TranslationError, 400, "invalid_request_error", "invalid_value"),
    (BadUpstream, TranslationError, 502, "server_error", None),
    (Misuse, TranslationError, 500, "server_error", None),
]


@pytest.mark.parametrize(("kind", "parent", "status", "word", "code"), TREE)
def test_every_kind_of_error_has_its_defaults(
    kind: type[TranslationError], parent: type[TranslationError], status: int, word: str, code: str | None
) -> None:
    """Status, type and code follow from the class where nothing is said."""
    error = kind("It broke.")
    assert isinstance(error, parent)
    assert (error.status, error.type, error.code, error.param) == (status, word, code, None)
    assert str(error) == error.message == "It broke."


def test_what_is_said_overrides_the_defaults() -> None:
    """An error keeps the status, type, code and path that it was made with; its class stays as it was."""
    error = BadUpstream("Slow down.", "input", "slow", status=429, type="rate_limit_error")
    assert (error.status, error.type, error.code, error.param) == (429, "rate_limit_error", "slow", "input")
    assert BadUpstream("x").status == 502


def test_the_body_has_all_four_keys() -> None:
    """Both APIs send message, type, param and code, null or not (protocol 7.1)."""
    assert BadUpstream("It broke.").body() == {
        "error": {"message": "It broke.", "type": "server_error", "param": None, "code": None}
    }


def test_one_loss_that_was_not_allowed() -> None:
    """NotSayable names the first loss by the caller's path."""
    error = NotSayable([Loss("store", "dropped", "answers are not stored here")])
    assert isinstance(error, BadRequest)
    assert (error.status, error.param, error.code) == (400, "store", "unsupported_parameter")
    assert error.message == "'store' cannot be carried over in strict mode: answers are not stored here."


def test_several_losses_are_named() -> None:
    """The message names the other losses, some of very many, and all of them are at hand."""
    losses = [Loss("a", "dropped", "x"), Loss("b", "dropped", "y"), Loss("c", "approximated", "z")]
    error = NotSayable(losses)
    assert error.losses == losses
    assert error.message.endswith("x. Neither can 'b', 'c'.")
    assert NotSayable(losses * 3).message.endswith("x. Neither can 'b', 'c', 'a', 'b', 'c', ....")
