import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from diglot.translator import Loss, ProtocolMisuse, RequestError, TranslationError, UntranslatableError, UpstreamError

TREE = [
    (TranslationError, TranslationError, 500, "server_error", None),
    (RequestError, TranslationError, 400, "invalid_request_error", "invalid_value"),
    (UpstreamError, TranslationError, 502, "server_error", None),
    (ProtocolMisuse, TranslationError, 500, "server_error", None),
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
    error = UpstreamError("Slow down.", "input", "slow", status=429, type="rate_limit_error")
    assert (error.status, error.type, error.code, error.param) == (429, "rate_limit_error", "slow", "input")
    assert UpstreamError("x").status == 502


def test_the_body_has_all_four_keys() -> None:
    """Both APIs send message, type, param and code, null or not (protocol 7.1)."""
    assert UpstreamError("It broke.").body() == {
        "error": {"message": "It broke.", "type": "server_error", "param": None, "code": None}
    }


def test_one_loss_that_was_not_allowed() -> None:
    """UntranslatableError names the first loss by the caller's path."""
    error = UntranslatableError([Loss("store", "dropped", "answers are not stored here")])
    assert isinstance(error, RequestError)
    assert (error.status, error.param, error.code) == (400, "store", "unsupported_parameter")
    assert error.message == "'store' cannot be carried over in strict mode: answers are not stored here."


def test_several_losses_are_named() -> None:
    """The message names the other losses, some of very many, and all of them are at hand."""
    losses = [Loss("a", "dropped", "x"), Loss("b", "dropped", "y"), Loss("c", "approximated", "z")]
    error = UntranslatableError(losses)
    assert error.losses == tuple(losses)
    assert error.message.endswith("x. Neither can 'b', 'c'.")
    assert UntranslatableError(losses * 3).message.endswith("x. Neither can 'b', 'c', 'a', 'b', 'c', ....")


ERRORS = [
    TranslationError("It broke."),
    RequestError("Wrong.", "input[0].content", "", status=413),
    UntranslatableError([Loss("store", "dropped", "why", {"private": [1]}), Loss("a", "approximated", "x")]),
    UpstreamError("Slow down.", None, "slow", status=429, type="rate_limit_error"),
    ProtocolMisuse("The answer has ended."),
]


def pickled(error: TranslationError) -> TranslationError:
    return pickle.loads(pickle.dumps(error))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_can_be_copied_and_pickled(error: TranslationError, again: Callable[[Any], Any]) -> None:
    """As worker processes and test runners do: nothing of them is lost."""
    other = again(error)
    assert type(other) is type(error)
    assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))
    assert other.body() == error.body()


@pytest.mark.parametrize("name", ["message", "param", "code", "status", "type", "losses", "args", "anything"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_cannot_be_changed(error: TranslationError, name: str) -> None:
    """They may be shared: by the branches of a call, or by a cache."""
    before = error.body()
    with pytest.raises(AttributeError, match="errors cannot be changed"):
        setattr(error, name, "other")
    with pytest.raises(AttributeError, match="errors cannot be changed"):
        delattr(error, name)
    assert error.body() == before


def test_what_python_notes_on_an_error_can_be_set() -> None:
    """Tracebacks, causes and notes are no words of the error."""
    error = ProtocolMisuse("x")
    error.__traceback__ = error.__cause__ = error.__context__ = None
    error.add_note("seen by the test")
    assert pickled(error).__notes__ == ["seen by the test"]
    del error.__notes__
    assert not hasattr(error, "__notes__")


def test_another_error_of_the_same_kind() -> None:
    """`replace` says something else; the first one stays as it was, and the cause is that of both."""
    try:
        try:
            raise ValueError("cause")
        except ValueError as cause:
            raise UpstreamError("No 'messages[0]'.", "messages[0]", "c", status=400) from cause
    except UpstreamError as error:
        first = error
    other = first.replace(message="No 'input[0]'.", param="input[0]")
    assert (str(other), other.message, other.param) == ("No 'input[0]'.", "No 'input[0]'.", "input[0]")
    assert (str(first), first.param) == ("No 'messages[0]'.", "messages[0]")
    assert (other.code, other.status, type(other)) == ("c", 400, UpstreamError)
    assert other.__cause__ is first.__cause__
    assert other.__traceback__ is first.__traceback__
    with pytest.raises(TypeError, match="an error has no 'losses' to replace"):
        first.replace(losses=())
