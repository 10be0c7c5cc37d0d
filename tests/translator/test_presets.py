import msgspec
import pytest

from diglot.translator import PRESETS, Profile, preset
from diglot.translator.fields import REQUEST
from diglot.translator.parts import reasoning
from diglot.translator.presets import resolve_profile

SENT = {row.chat for row in REQUEST if row.chat} | {"prompt_cache_options"}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_found_by_its_name(name: str) -> None:
    """A preset's name is its key."""
    assert preset(name) is PRESETS[name]
    assert PRESETS[name].name == name


def test_an_unknown_preset_is_an_error_that_lists_all() -> None:
    """Somebody who misspells a name sees what there is."""
    with pytest.raises(ValueError, match="unknown profile 'opnai'; the presets are: default, openai, azure"):
        preset("opnai")


@pytest.mark.parametrize("profile", PRESETS.values(), ids=PRESETS)
def test_presets_hold_only_what_their_fields_allow(profile: Profile) -> None:
    """Every value is one of its annotation (msgspec does not check constructors)."""
    assert msgspec.convert(msgspec.to_builtins(profile), Profile) == profile


@pytest.mark.parametrize("profile", PRESETS.values(), ids=PRESETS)
def test_presets_name_fields_that_are_sent(profile: Profile) -> None:
    """A misspelt field in a preset would never apply."""
    assert profile.unsupported <= SENT
    assert set(profile.renamed) <= SENT
    assert set(profile.efforts) <= set(reasoning._EFFORTS)
    assert profile.reasoning_field in (*reasoning.TEXT_FIELDS, reasoning.AMONG_PARTS)
    assert SENT.isdisjoint(profile.added)


def test_a_profile_is_meant_by_its_name() -> None:
    """Wherever a profile is taken, a name will do; none means the default."""
    mine = Profile(name="mine")
    assert (resolve_profile(None), resolve_profile("vllm"), resolve_profile(mine)) == (
        preset("default"),
        preset("vllm"),
        mine,
    )
    with pytest.raises(ValueError, match="unknown profile 'opnai'"):
        resolve_profile("opnai")
    with pytest.raises(TypeError, match="a profile must be a Profile or the name of a preset, not a dict"):
        resolve_profile({})  # pyright: ignore[reportArgumentType]
