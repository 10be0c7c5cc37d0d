from diglot.adapters.middleware.adaptation import MOST_MODELS, Learned
from diglot.translator import Profile

DEFAULT = Profile()
STORE, USER = frozenset({"store"}), frozenset({"user"})


def test_what_one_model_taught_holds_for_it_alone() -> None:
    """Others are asked as before."""
    learned = Learned()
    assert learned.add("a", DEFAULT, {"stream_usage": False}) == {"stream_usage": False}
    assert learned.profile_for("a", DEFAULT) == Profile(stream_usage=False)
    assert learned.profile_for("a", DEFAULT) is learned.profile_for("a", DEFAULT)
    for other in ("b", None, 5, ["a"]):
        assert learned.profile_for(other, DEFAULT) is DEFAULT


def test_it_is_a_patch_of_the_profile() -> None:
    """Whatever that is by then."""
    learned = Learned()
    learned.add("a", DEFAULT, {"stream_usage": False, "unsupported": STORE})
    changed = Profile(custom_tools=True, unsupported=USER)
    assert learned.profile_for("a", changed) == Profile(
        custom_tools=True, stream_usage=False, unsupported=frozenset({"store", "user"})
    )


def test_each_setting_changes_once_and_sets_grow() -> None:
    """Nothing goes to and fro."""
    learned = Learned()
    assert learned.add("a", DEFAULT, {"reasoning_replay": "never", "responses_unsupported": STORE})
    assert learned.add("a", DEFAULT, {"reasoning_replay": "always"}) == {}
    assert learned.add("a", DEFAULT, {"responses_unsupported": STORE}) == {}
    assert learned.add("a", DEFAULT, {"responses_unsupported": STORE | USER}) == {"responses_unsupported": USER}
    assert learned.profile_for("a", DEFAULT) == Profile(reasoning_replay="never", responses_unsupported=STORE | USER)
    assert learned.add("b", DEFAULT, {"stream_usage": True}) == {}


def test_the_memory_is_bounded() -> None:
    """Those that were not asked for longest are forgotten; names that are none are not kept."""
    learned = Learned()
    for number in range(MOST_MODELS):
        learned.add(f"m{number}", DEFAULT, {"stream_usage": False})
    assert learned.profile_for("m0", DEFAULT) != DEFAULT
    learned.add("new", DEFAULT, {"stream_usage": False})
    assert learned.profile_for("m0", DEFAULT) != DEFAULT
    assert learned.profile_for("m1", DEFAULT) == DEFAULT
    assert learned.told() == [{"setting": "stream_usage", "value": False, "models": MOST_MODELS}]
    for name in (None, 5, "x" * 201):
        assert learned.add(name, DEFAULT, {"stream_usage": False}) == {}


def test_what_is_told_names_no_model() -> None:
    """Settings and their values are ours, names are the clients'."""
    learned = Learned()
    assert learned.told() == []
    learned.add("secret", DEFAULT, {"unsupported": frozenset({"top_p", "temperature"}), "reasoning_replay": "never"})
    learned.add("other", DEFAULT, {"reasoning_replay": "always"})
    told = learned.told()
    assert {"setting": "reasoning_replay", "value": "never", "models": 1} in told
    assert {"setting": "reasoning_replay", "value": "always", "models": 1} in told
    assert {"setting": "unsupported", "value": ["temperature", "top_p"], "models": 1} in told
    assert "secret" not in str(told)
