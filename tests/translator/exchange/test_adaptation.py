"""What refusals have taught is kept for an upstream and its model, and what one request learns comes to an end."""

import json
from typing import Any

from diglot.translator import Adaptation, Profile, Retries, ServeResponses
from diglot.translator.exchange.adaptation import MOST_MODELS

DEFAULT = Profile()
STORE, USER = frozenset({"store"}), frozenset({"user"})


def test_what_one_model_taught_holds_for_it_alone() -> None:
    """Others are asked as before."""
    kept = Adaptation()
    assert kept.add("/v1", "a", DEFAULT, {"stream_usage": False}) == {"stream_usage": False}
    assert kept.profile_for("/v1", "a", DEFAULT) == Profile(stream_usage=False)
    assert kept.profile_for("/v1", "a", DEFAULT) is kept.profile_for("/v1", "a", DEFAULT)
    for other in ("b", None, 5, ["a"]):
        assert kept.profile_for("/v1", other, DEFAULT) is DEFAULT


def test_it_is_a_patch_of_the_profile() -> None:
    """Whatever that is by then."""
    kept = Adaptation()
    kept.add("/v1", "a", DEFAULT, {"stream_usage": False, "unsupported": STORE})
    changed = Profile(custom_tools=True, unsupported=USER)
    assert kept.profile_for("/v1", "a", changed) == Profile(
        custom_tools=True, stream_usage=False, unsupported=frozenset({"store", "user"})
    )


def test_each_setting_changes_once_and_sets_grow() -> None:
    """Nothing goes to and fro."""
    kept = Adaptation()
    assert kept.add("/v1", "a", DEFAULT, {"reasoning_replay": "never", "responses_unsupported": STORE})
    assert kept.add("/v1", "a", DEFAULT, {"reasoning_replay": "always"}) == {}
    assert kept.add("/v1", "a", DEFAULT, {"responses_unsupported": STORE}) == {}
    assert kept.add("/v1", "a", DEFAULT, {"responses_unsupported": STORE | USER}) == {"responses_unsupported": USER}
    assert kept.profile_for("/v1", "a", DEFAULT) == Profile(
        reasoning_replay="never", responses_unsupported=STORE | USER
    )
    assert kept.add("/v1", "b", DEFAULT, {"stream_usage": True}) == {}


def test_the_memory_is_bounded() -> None:
    """Those that were not asked for longest are forgotten; names that are none are not kept."""
    kept = Adaptation()
    for number in range(MOST_MODELS):
        kept.add("/v1", f"m{number}", DEFAULT, {"stream_usage": False})
    assert kept.profile_for("/v1", "m0", DEFAULT) != DEFAULT
    kept.add("/v1", "new", DEFAULT, {"stream_usage": False})
    assert kept.profile_for("/v1", "m0", DEFAULT) != DEFAULT
    assert kept.profile_for("/v1", "m1", DEFAULT) == DEFAULT
    assert kept.summary() == [{"setting": "stream_usage", "value": False, "models": MOST_MODELS}]
    for name in (None, 5, "x" * 201):
        assert kept.add("/v1", name, DEFAULT, {"stream_usage": False}) == {}


def test_what_is_told_names_no_model() -> None:
    """Settings and their values are ours, names are the clients'."""
    kept = Adaptation()
    assert kept.summary() == []
    kept.add(
        "/v1", "secret", DEFAULT, {"unsupported": frozenset({"top_p", "temperature"}), "reasoning_replay": "never"}
    )
    kept.add("/v1", "other", DEFAULT, {"reasoning_replay": "always"})
    told = kept.summary()
    assert {"setting": "reasoning_replay", "value": "never", "models": 1} in told
    assert {"setting": "reasoning_replay", "value": "always", "models": 1} in told
    assert {"setting": "unsupported", "value": ["temperature", "top_p"], "models": 1} in told
    assert "secret" not in str(told)


def test_upstreams_are_apart() -> None:
    """The same name may be another model elsewhere."""
    kept = Adaptation()
    kept.add("/a/v1", "m", DEFAULT, {"stream_usage": False})
    assert kept.profile_for("/a/v1", "m", DEFAULT) == Profile(stream_usage=False)
    assert kept.profile_for("/b/v1", "m", DEFAULT) is DEFAULT


def refusal(field: str) -> bytes:
    return json.dumps({"error": {"message": f"Unsupported parameter: '{field}'", "param": field}}).encode()


def chat(profile: Profile, **more: Any) -> ServeResponses:
    return ServeResponses({"model": "m", "input": "Go", **more}, profile=profile)


def test_a_request_is_tried_again_twice() -> None:
    """Each time with another profile; sets may grow, and then it is enough."""
    retries, profile, asked = Retries(), DEFAULT, {"temperature": 1, "top_p": 1, "service_tier": "auto"}
    for field in ("temperature", "top_p"):
        learned = retries.learn(chat(profile, **asked), 400, refusal(field))
        assert learned is not None
        profile = learned
    assert profile.unsupported - DEFAULT.unsupported == {"temperature", "top_p"}
    assert retries.patch == {"unsupported": profile.unsupported}
    assert retries.learn(chat(profile, **asked), 400, refusal("service_tier")) is None


def test_nothing_changes_twice() -> None:
    """An upstream that refuses both spellings does not send us to and fro."""
    retries = Retries()
    learned = retries.learn(chat(DEFAULT, max_output_tokens=5), 400, refusal("max_tokens"))
    assert learned is not None
    assert retries.learn(chat(learned, max_output_tokens=5), 400, refusal("max_completion_tokens")) is None


def test_other_refusals_teach_nothing() -> None:
    """They go to the client."""
    assert Retries().learn(chat(DEFAULT), 400, b'{"error":{"message":"Your prompt is bad."}}') is None
