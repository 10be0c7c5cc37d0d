"""Each request goes to the upstream of its model, under its name there, and its answer has the name it was asked by."""

import json
from typing import Any

import anyio
import pytest

from diglot.adapters.middleware.record import Record
from diglot.adapters.server.app import application
from diglot.adapters.server.model_router import router
from diglot.adapters.server.model_settings import tables

pytestmark = pytest.mark.anyio
JSON = {"host": "h", "content-type": "application/json"}
FILE = """
[upstreams.a]
url = "http://a"
profile = "vllm"
[upstreams.b]
url = ["http://b1", "http://b2"]
[models]
"gpt-5*" = { upstream = "b", model = "org/real" }
"quiet" = { upstream = "a", model = "real", set = { reasoning_expose = "off" } }
"*-small" = { upstream = "a" }
"""
ANY = FILE + '"*" = { upstream = "a" }\n'


def asked(model: Any = "gpt-5.1", **more: Any) -> dict[str, Any]:
    return {"model": model, "input": "Hi", **more}


async def post(talk: Any, app: Any, body: Any, path: str = "/v1/responses", **headers: str) -> Any:
    return await talk(app, body, path=path, headers={**JSON, **headers}).run()


async def test_translated(talk: Any, fakes: Any) -> None:
    """The upstream gets its name; the answer, each event and the log have the client's."""
    records: list[Record] = []
    app = application(fakes.settings(FILE), on_exchange=records.append)
    got = await post(talk, app, asked())
    assert (got.json["model"], fakes["b1"].asked[-1]["model"]) == ("gpt-5.1", "org/real")
    stream = await post(talk, app, asked(stream=True))
    assert {event["response"]["model"] for event in stream.events if "response" in event} == {"gpt-5.1"}
    assert fakes["b2"].asked[-1]["model"] == "org/real"
    assert {record.model for record in records} == {"gpt-5.1"}
    assert fakes["a"].asked == []


@pytest.mark.parametrize(("path", "more"), [("/v1/chat/completions", {"messages": []}), ("/v1/embeddings", {})])
async def test_passed(talk: Any, fakes: Any, path: str, more: Any) -> None:
    """What is not translated is routed the same way."""
    app = fakes.serve(FILE)
    got = await post(talk, app, {"model": "gpt-5", **more}, path)
    assert (got.json["model"], fakes["b1"].asked[-1]) == ("gpt-5", {"model": "org/real", **more})
    got = await post(talk, app, {"model": "x-small", **more, "stream": True}, path)
    assert {event["model"] for event in got.events} == {"x-small"}
    assert fakes["a"].asked[-1]["model"] == "x-small"


async def test_behind_keys(talk: Any, fakes: Any) -> None:
    """Nothing is told without a key of the server, and none of them reaches an upstream."""
    app = fakes.serve(ANY, flags={"api_key": "k3y"})
    ask = {"path": "/v1/models", "method": "GET"}
    assert (await post(talk, app, asked())).status == 401
    assert (await talk(app, **ask, headers=JSON).run()).status == 401
    assert fakes.made.keys() == {"http://a", "http://b1", "http://b2"}
    assert not any(fake.scopes for fake in fakes.made.values())
    assert (await post(talk, app, asked(), authorization="Bearer k3y")).json["model"] == "gpt-5.1"
    listed = (await talk(app, **ask, headers={**JSON, "api-key": "k3y"}).run()).json["data"]
    assert "listed" in [model["id"] for model in listed]
    seen = [scope for fake in fakes.made.values() for scope in fake.scopes]
    assert len(seen) == 2
    assert "k3y" not in str([scope["headers"] for scope in seen])


async def test_settings_of_a_model(talk: Any, fakes: Any) -> None:
    """Its changes of the profile are for it alone."""
    app = fakes.serve(FILE)
    fakes["a"].message = {"role": "assistant", "reasoning_content": "hm", "content": "Hello"}
    kinds = {}
    for model in ("quiet", "very-small"):
        output = (await post(talk, app, asked(model))).json["output"]
        kinds[model] = [item["type"] for item in output]
    assert kinds == {"quiet": ["message"], "very-small": ["reasoning", "message"]}


async def test_unknown(talk: Any, fakes: Any) -> None:
    """It says which names there are."""
    got = await post(talk, fakes.serve(FILE), asked("o3"))
    assert (got.status, got.error["code"]) == (404, "model_not_found")
    assert got.error["message"] == "The model 'o3' does not exist here. Available: gpt-5*, quiet, *-small."
    many = "[upstreams.a]\nurl = 'http://a'\n[models]\n" + "".join(f"m{number} = {{}}\n" for number in range(60))
    got = await post(talk, fakes.serve(many), asked("o3"))
    assert got.error["message"].endswith("m48, m49, ....")
    assert fakes["a"].asked == []


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("x" * 2**20, "Invalid 'model': longer than 1024 characters."),
        ("a\nb", "Invalid 'model': it has control characters."),
        ("a\x1b[2Jb", "Invalid 'model': it has control characters."),
        ("a\ud800", "The model 'a\ufffd' does not exist here. Available: gpt-5*, quiet, *-small."),
        (7, "Invalid type for 'model': expected a string."),
        (["gpt-5"], "Invalid type for 'model': expected a string."),
        ({}, "Invalid type for 'model': expected a string."),
        (False, "Invalid type for 'model': expected a string."),
        ("", "The model '' does not exist here. Available: gpt-5*, quiet, *-small."),
    ],
)
async def test_bad_names(talk: Any, fakes: Any, model: Any, words: str) -> None:
    """They reach no upstream and no log."""
    for path in ("/v1/responses", "/v1/embeddings"):
        got = await post(talk, fakes.serve(FILE), asked(model), path)
        assert got.error["message"] == words
        assert got.status == (404 if "Available" in words else 400)
    assert fakes["a"].asked == fakes["b1"].asked == []


async def test_many_names(talk: Any, fakes: Any) -> None:
    """Nothing is kept of them."""
    settings = fakes.settings(ANY)
    found = tables(settings)
    assert found is not None
    app = router(settings, found)

    def kept() -> int:
        return sum(len(value) for value in vars(app._names).values())

    before = kept()
    for number in range(2000):
        await post(talk, app, {"model": f"m{number}", "input": "Hi"}, "/v1/embeddings")
    assert kept() == before


async def test_no_model(talk: Any, fakes: Any) -> None:
    """The default upstream gets what names none, and what has no body, or one that is no JSON."""
    app = fakes.serve(FILE + '"*" = { upstream = "b" }\n[limits]\nmax_body = 100\n')
    b1, b2 = fakes["b1"], fakes["b2"]
    for path, method, body in (
        ("/v1/files", "GET", None),
        ("/v1/things", "POST", b"[1]"),
        ("/v1/things", "POST", b""),
        ("/v1/things", "POST", {"x": 1}),
        ("/v1/things", "PUT", {"model": None}),
    ):
        assert (await talk(app, body, path=path, method=method, headers=JSON).run()).status == 200
    form = {**JSON, "content-type": "multipart/form-data; boundary=x"}
    assert (await talk(app, b'{"model":"quiet"}', path="/v1/files", headers=form).run()).status == 200
    assert (len(b1.asked + b2.asked), fakes["a"].asked) == (6, [])
    got = await post(talk, app, b"{", "/v1/responses")
    assert (got.status, got.error["code"]) == (400, "invalid_json")
    got = await post(talk, app, {"input": "Hi"}, "/v1/responses")
    assert (got.status, got.error["param"]) == (400, "model")
    got = await post(talk, app, {"model": "quiet", "x": "y" * 100}, "/v1/embeddings", **{"content-length": "5"})
    assert (got.status, got.error["code"]) == (413, "request_too_large")


async def test_a_client_that_is_slow_or_leaves(talk: Any, fakes: Any) -> None:
    """Its body has the time of any; nobody answers one that has gone."""
    app = fakes.serve(FILE + "[limits]\nrequest = 0.1\n")
    asking = talk(app, asked(), headers=JSON)
    asking._pieces[0]["more_body"] = True
    got = await asking.run()
    assert (got.status, got.error["code"]) == (408, "request_timeout")
    asking = talk(app, asked(), headers=JSON)
    asking._pieces[0]["more_body"] = True
    asking.gone.set()
    assert (await asking.run()).sent == []


async def test_keys(talk: Any, fakes: Any) -> None:
    """A key of the upstream's own replaces the clients'; without one, theirs goes through."""
    text = (
        '[upstreams.a]\nurl = "http://a"\nkey_env = "K"\n[upstreams.b]\nurl = "http://b"\n'
        '[upstreams.c]\nurl = "http://c"\nkey_env = "K"\nprofile = "azure"\n'
        '[models]\na = { upstream = "a" }\nb = { upstream = "b" }\nc = { upstream = "c" }\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("K", "k3y")
        fakes.serve(text, environment={"K": "k3y"})
        assert fakes["a"].credentials == [(b"authorization", b"Bearer k3y")]
        assert fakes["b"].credentials == []
        assert fakes["c"].credentials == [(b"api-key", b"k3y")]
        for wrong in ("", "k\n", "k\xe9"):
            patch.setenv("K", wrong)
            with pytest.raises(ValueError, match="the variable K holds no key") as caught:
                fakes.serve(text, environment={"K": "k3y"})
            assert "3y" not in str(caught.value)


async def test_stored(talk: Any, fakes: Any) -> None:
    """One store for all: what one upstream has said is continued at another, but for its sealed reasoning."""
    app = fakes.serve(ANY, flags={"store": "memory"})
    details = [{"type": "reasoning.text", "text": "hm", "signature": "s1gned"}]
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    fakes["a"].message = {"role": "assistant", "reasoning_details": details, "tool_calls": [call]}
    first = (await post(talk, app, asked("quiet"))).json
    got = await talk(app, method="GET", path=f"/v1/responses/{first['id']}", headers=JSON).run()
    assert (got.json["model"], got.json["id"]) == ("quiet", first["id"])
    output = {"type": "function_call_output", "call_id": "c", "output": "x"}
    for model in ("quiet", "gpt-5"):
        again = {"model": model, "previous_response_id": first["id"], "input": [output]}
        assert (await post(talk, app, again)).json["model"] == model
        place = "a" if model == "quiet" else "b1" if fakes["b1"].asked else "b2"
        sent = fakes[place].asked[-1]["messages"]
        assert [message["role"] for message in sent] == ["user", "assistant", "tool"]
        assert ("s1gned" in json.dumps(sent)) == (place == "a")
    counted = await post(talk, app, again, "/v1/responses/input_tokens")
    assert counted.json["object"] == "response.input_tokens"


async def test_who_continues(talk: Any, fakes: Any) -> None:
    """A replica continues what it has said; conversations stay where they are."""
    app = fakes.serve(ANY, flags={"store": "memory"})
    b1, b2 = fakes["b1"], fakes["b2"]
    for _ in range(2):  # once from each
        counts = len(b1.asked), len(b2.asked)
        last = (await post(talk, app, asked())).json["id"]
        place = b1 if len(b1.asked) > counts[0] else b2
        for _ in range(3):
            before = len(place.asked)
            last = (await post(talk, app, asked(previous_response_id=last))).json["id"]
            assert len(place.asked) == before + 1
    for name, value in (
        ("prompt_cache_key", "k"),
        ("session-id", "k"),
        ("session_id", "k"),
        ("conversation", "conv_x"),
    ):
        counts = len(b1.asked), len(b2.asked)
        for _ in range(4):
            if "session" in name:
                await post(talk, app, {"model": "gpt-5", "input": "x"}, "/v1/embeddings", **{name: value})
            else:
                body = {"model": "gpt-5", "input": "x", name: {"id": value} if name == "conversation" else value}
                await post(talk, app, body, "/v1/embeddings")
        assert sorted((len(b1.asked) - counts[0], len(b2.asked) - counts[1])) == [0, 4]


async def test_replicas(talk: Any, fakes: Any) -> None:
    """Another one answers for one that cannot."""
    app = fakes.serve(FILE)
    fakes["b1"].status = 503
    for _ in range(3):
        assert (await post(talk, app, asked())).json["model"] == "gpt-5.1"
    assert (len(fakes["b1"].asked), len(fakes["b2"].asked)) == (1, 3)
    assert (await post(talk, app, asked(stream=True))).types[-1] == "completed"


async def test_adaptations(talk: Any, fakes: Any) -> None:
    """What was learned of a model is known for all its names at this upstream, and nowhere else."""
    app = fakes.serve(
        '[upstreams.a]\nurl = "http://a"\n[upstreams.b]\nurl = "http://b"\n'
        '[models]\n"x*" = { upstream = "a", model = "real" }\ny = { upstream = "b", model = "real" }\n'
    )
    a, b = fakes["a"], fakes["b"]

    def refusing(fake: Any) -> None:
        plain = fake._answer

        def answer(scope: Any, body: Any) -> Any:
            if "seed" in body or "top_k" in body or "stream_options" in body:
                error = {"message": "Unrecognized request argument supplied: stream_options", "param": "stream_options"}
                return 400, b"application/json", json.dumps({"error": error}).encode()
            return plain(scope, body)

        fake._answer = answer

    refusing(a)
    refusing(b)
    for name in ("x1", "x2"):
        assert (await post(talk, app, asked(name, stream=True))).types[-1] == "completed"
    assert len(a.asked) == 3
    assert (await post(talk, app, asked("y", stream=True))).types[-1] == "completed"
    assert len(b.asked) == 2
    health = (await talk(app, method="GET", path="/healthz", headers=JSON).run()).json
    assert [each["upstream"] for each in health["learned"]] == ["a", "b"]


async def test_deployments(talk: Any, fakes: Any) -> None:
    """A path that names a model counts, and gets the name at the upstream."""
    app = fakes.serve(
        '[upstreams.a]\nurl = "http://a"\nprofile = "azure"\n'
        '[models]\nx = { model = "real" }\ny = {}\nz = { model = "org/real" }\n'
    )
    a = fakes["a"]
    said = {"messages": [{"role": "user", "content": "Hi"}]}
    for name, there in (("x", "real"), ("y", "y"), ("z", "z")):
        got = await post(talk, app, said, f"/openai/deployments/{name}/chat/completions")
        assert (got.status, a.paths[-1]) == (200, f"/openai/deployments/{there}/chat/completions")
    assert (await post(talk, app, said, "/openai/deployments/w/chat/completions")).status == 404


async def test_health(talk: Any, fakes: Any) -> None:
    """It tells of all upstreams."""
    app = fakes.serve(FILE)
    health = (await talk(app, method="GET", path="/healthz", headers=JSON).run()).json
    assert (health["upstream_api"], health["learned"]) == ("chat", [])
    assert health["upstreams"]["b"]["replicas"] == {"http://b1": "ok", "http://b2": "ok"}
    assert "replicas" not in health["upstreams"]["a"]
    fakes["b1"].status = 503
    assert (await post(talk, app, asked())).status == 200
    health = (await talk(app, method="GET", path="/healthz", headers=JSON).run()).json
    assert health["upstreams"]["b"]["replicas"] == {"http://b1": "left for 5 s", "http://b2": "ok"}
    app = fakes.serve(FILE.replace(', "http://b2"', ""))
    health = (await talk(app, method="GET", path="/healthz", headers=JSON).run()).json
    assert "replicas" not in health["upstreams"]["b"]
    mixed = FILE.replace('"http://a"', '"http://a"\napi = "responses"')
    app = fakes.serve(mixed, flags={"upstream_api": "auto"})
    health = (await talk(app, method="GET", path="/healthz", headers=JSON).run()).json
    assert (health["upstream_api"], health["believed"]) == ("both", {"a": {}, "b": {}})
    page = await talk(app, method="GET", path="/", headers=JSON).run()
    assert "http://b1" in page.body.decode()


async def test_auto(talk: Any, fakes: Any) -> None:
    """Where the API has to be found out, the body is decoded no second time, and arrives all the same."""
    app = fakes.serve(
        '[upstreams.a]\nurl = "http://a"\nprofile = "vllm"\n[models]\nx = { model = "real" }\n',
        flags={"upstream_api": "auto"},
    )
    got = await post(talk, app, {"model": "x", "messages": [{"role": "user", "content": "Hi"}]}, "/v1/chat/completions")
    assert (got.status, got.json["model"], fakes["a"].asked[-1]["model"]) == (200, "x", "real")


def test_life(fakes: Any) -> None:
    """The store is open and connections are closed with the server."""
    app = fakes.serve(FILE, flags={"store": "memory"})

    async def main() -> None:
        to_app, sent = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}], []

        async def receive() -> Any:
            return to_app.pop(0)

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await app({"type": "lifespan", "state": {}}, receive, send)
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    anyio.run(main)
    assert all(fakes[name].is_closed for name in ("a", "b1", "b2"))
