import copy
import pickle
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from diglot.translator import PRESETS, Profile, preset, request
from diglot.translator.profiles import OPENAI_ONLY


def test_profiles_cannot_be_changed() -> None:
    """One profile serves many exchanges at once."""
    with pytest.raises(AttributeError):
        Profile().stream_usage = False  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    "change",
    [
        lambda names: names.__setitem__("a", "b"),
        lambda names: names.__delitem__("max_completion_tokens"),
        lambda names: names.update(a="b"),
        lambda names: names.setdefault("a", "b"),
        lambda names: names.pop("max_completion_tokens"),
        lambda names: names.popitem(),
        lambda names: names.clear(),
        lambda names: names.__ior__({"a": "b"}),
    ],
)
def test_nothing_in_a_profile_can_be_changed(change: Callable[[Any], Any]) -> None:
    """The names that an upstream has for fields, and the presets, are of that kind, too."""
    for frozen in (Profile().renamed, PRESETS, Profile(renamed={"max_completion_tokens": "b"}).renamed):
        before = dict(frozen)
        with pytest.raises(TypeError, match="profiles cannot be changed"):
            change(frozen)
        assert frozen == before


def test_a_profile_takes_over_nothing_that_may_change() -> None:
    """What a caller hands in is frozen first, whatever it is."""
    names, fields = {"a": "b"}, {"seed"}
    efforts: Any = ["low"]
    profile = Profile(renamed=names, unsupported=fields, efforts=efforts)  # pyright: ignore[reportArgumentType]
    names["c"] = "d"
    fields.add("x")
    efforts.append("high")
    assert (profile.renamed, profile.unsupported, profile.efforts) == ({"a": "b"}, {"seed"}, ("low",))
    hash(profile)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy])
def test_names_of_a_profile_are_values(again: Callable[[Any], Any]) -> None:
    """They need no copies."""
    names = Profile().renamed
    assert again(names) is names


@pytest.mark.parametrize(
    "again",
    [
        copy.copy,
        copy.deepcopy,
        lambda profile: pickle.loads(pickle.dumps(profile)),
        lambda profile: msgspec.structs.replace(profile),
        lambda profile: msgspec.convert(msgspec.to_builtins(profile), Profile),
        lambda profile: msgspec.json.decode(msgspec.json.encode(profile), type=Profile),
    ],
)
@pytest.mark.parametrize("profile", PRESETS.values(), ids=PRESETS)
def test_profiles_are_values(profile: Profile, again: Callable[[Profile], Profile]) -> None:
    """Copies are equal, have the same hash, and cannot be changed either."""
    other = again(profile)
    assert other == profile
    assert {profile: 1}[other] == 1
    assert type(other.renamed) is type(profile.renamed)


def test_the_defaults_are_the_first_preset() -> None:
    """No profile and the profile `default` are the same."""
    assert Profile() == preset("default")
    assert Profile().unsupported == OPENAI_ONLY
    assert "default" not in get_args(get_type_hints(Profile)["events"])


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"split": True, "more": {"a": 1}}),
        ({"split": False}, {"split": False, "more": {"a": 1}}),
        ({"more": {"b": 2}}, {"split": True, "more": {"b": 2}}),
    ],
)
def test_fields_that_are_sent_along(given: dict[str, Any], sent: dict[str, Any]) -> None:
    """Where the client says something itself, that counts."""
    profile = Profile(added={"split": True, "more.a": 1})
    made = request.to_chat({"model": "m", "input": "Go", **given}, profile=profile)
    assert {name: made[name] for name in sent} == sent


@pytest.mark.parametrize(
    ("unsupported", "path", "taken"),
    [
        ({"seed"}, "seed", False),
        ({"seed"}, "stop", True),
        ({"reasoning"}, "reasoning.effort", False),
        ({"reasoning.effort"}, "reasoning.effort", False),
        ({"reasoning.effort"}, "reasoning.summary", True),
        ({"reasoning"}, "reasoning_effort", True),
    ],
)
def test_takes(unsupported: set[str], path: str, taken: bool) -> None:
    """A field is not taken when it, or the object that it stands in, is unsupported."""
    assert Profile(unsupported=frozenset(unsupported)).takes(path) is taken


def test_other_settings() -> None:
    """A preset or a profile with other settings is another profile; the values are checked and frozen."""
    mine = preset("vllm", efforts=["low"], renamed={"a": "b"})
    assert (mine.name, mine.efforts, mine.renamed) == ("vllm", ("low",), {"a": "b"})
    assert mine.replace() == mine
    assert hash(mine.replace(name="mine")) != hash(mine)
    assert preset("vllm").efforts == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"effort": ()}, "a profile has no setting 'effort'; its settings are: name, developer_role"),
        ({"efforts": "low"}, r"invalid setting: Expected `array`, got `str` - at `\$.efforts`"),
        ({"events": "other"}, "invalid setting: Invalid enum value 'other'"),
    ],
)
def test_settings_that_do_not_fit(changes: dict[str, Any], words: str) -> None:
    """The error names the setting."""
    with pytest.raises(TypeError, match=words):
        preset("vllm", **changes)
