"""What goes to an upstream's own Responses endpoint, and what is translated although it has one."""

import json
from typing import Any

import pytest
import zstandard

from diglot.adapters import Limits
from diglot.adapters.asgi.types import DECODED_BODY
from diglot.adapters.middleware import native
from diglot.translator import RequestBody, preset

from probed import CHAT, COMPACT, HAS, JSON, RESPONSES, Server, auto

pytestmark = pytest.mark.anyio

ASK = {"model": "m", "input": "hi"}
CUSTOM = {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}}
FUNCTION = {"type": "function", "name": "f", "parameters": {}}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c", "output": "x"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}
USER = {"role": "user", "content": "hi"}

MORE: list[dict[str, Any]] = [
    {"tools": [FUNCTION, CUSTOM]},
    {"tools": [{"type": "namespace", "name": "n", "tools": [FUNCTION]}]},
    {"tools": [{"type": "tool_search", "execution": "client"}]},
    {"tools": [{"type": "local_shell"}]},
    {"tools": [{"type": "shell"}]},
    {"tools": [{"type": "apply_patch"}]},
    {"input": [{"type": "additional_tools", "role": "developer", "tools": [FUNCTION]}, USER]},
    {
        "input": [
            USER,
            {"type": "custom_tool_call", "call_id": "c", "name": "a", "input": "x"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "x"},
        ]
    },
    {"input": [USER, {**CALL, "namespace": "n"}, RESULT]},
    {"input": [USER, {**REASONING, "content": None, "encrypted_content": None}]},
    {"input": [USER, {"type": "compaction_trigger"}]},
    {"input": [USER], "top_logprobs": 2},
    {"include": ["message.output_text.logprobs"]},
]
PLAIN: list[dict[str, Any]] = [
    {},
    {"tools": [FUNCTION], "tool_choice": "auto"},
    {"tools": [{"type": "web_search"}]},
    {"input": [USER, CALL, RESULT]},
    {"input": [USER, {**REASONING, "content": [{"type": "reasoning_text", "text": "x"}]}, {**CALL, "namespace": None}]},
    {"input": [USER, REASONING]},
    {"input": [{"type": "compaction", "encrypted_content": "of somebody else"}, USER]},
    {"tools": None, "include": None, "top_logprobs": 0},
    {"tools": "custom", "input": {"type": "compaction"}, "include": "x"},
]
STORED: list[dict[str, Any]] = [
    {"tools": [CUSTOM], "previous_response_id": "resp_1"},
    {"tools": [CUSTOM], "conversation": "conv_1"},
    {"tools": [CUSTOM], "background": True},
    {"tools": [CUSTOM], "prompt": {"id": "p"}},
    {"tools": [CUSTOM], "input": [{"type": "item_reference", "id": "i"}]},
]


@pytest.fixture
def both(request: pytest.FixtureRequest) -> Server:
    """An upstream that has both."""
    return Server(type(request.getfixturevalue("responses_side")), chat=HAS, responses=HAS)


async def served(both: Server, talk: Any, body: Any, path: str = RESPONSES, **settings: Any) -> str:
    """Where a request has ended up."""
    app = auto(both, **settings)
    got = await talk(app, body, path=path, headers={"content-type": "application/json"}).run()
    assert got.status == 200
    return both.served[-1]


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("profile", ["default", "vllm", "ollama", "llama.cpp", "transformers"])
async def test_more_than_most_servers_take(both: Server, talk: Any, profile: str, more: Any) -> None:
    """It is translated where the upstream's own endpoint is not trusted with it."""
    assert await served(both, talk, {**ASK, **more}, profile=profile) == CHAT


@pytest.mark.parametrize("more", [*MORE, *PLAIN, *STORED])
async def test_who_is_trusted_gets_all(both: Server, talk: Any, more: Any) -> None:
    """OpenAI's own API has made all of it up."""
    assert await served(both, talk, {**ASK, **more}, profile="openai") == RESPONSES


@pytest.mark.parametrize("more", [*PLAIN, *STORED])
async def test_messages_and_functions(both: Server, talk: Any, more: Any) -> None:
    """These go to the upstream's own endpoint, as does what a translation could not do."""
    assert await served(both, talk, {**ASK, **more}, profile="vllm") == RESPONSES


async def test_never(both: Server, talk: Any) -> None:
    """Where answers are wrong, too, all is translated."""
    assert await served(both, talk, ASK, profile="llama.cpp") == CHAT


async def test_its_own_compaction(both: Server, talk: Any) -> None:
    """It is part of what few have: the model writes the summary."""
    both.answers[COMPACT] = HAS
    body = {"model": "m", "input": [USER]}
    assert await served(both, talk, body, COMPACT, profile="vllm") == CHAT
    both.wholes[COMPACT] = b"{}"
    assert await served(both, talk, body, COMPACT, profile="openai") == COMPACT
    stored = {**body, "previous_response_id": "resp_1"}
    assert await served(both, talk, stored, COMPACT, profile="vllm") == COMPACT
    del both.answers[COMPACT]
    assert await served(both, talk, body, COMPACT, profile="openai") == CHAT


async def test_chat_clients(both: Server, talk: Any) -> None:
    """A chat endpoint is trusted as it is."""
    body = {"model": "m", "messages": [USER], "tools": [{"type": "custom", "custom": {"name": "x"}}]}
    assert await served(both, talk, body, CHAT, profile="llama.cpp") == CHAT


@pytest.mark.parametrize("status", [404, 401, 503])
async def test_no_other_endpoint(both: Server, talk: Any, status: int) -> None:
    """What is there serves better than an error, whether the other one is missing, closed or broken."""
    both.answers[CHAT] = (status, JSON, b"{}")
    assert await served(both, talk, {**ASK, "tools": [CUSTOM]}, profile="vllm") == RESPONSES


class Kept:
    """An application that keeps the body that it was sent."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.body = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        data, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise OSError
            data, more = data + message["body"], message["more_body"]
        self.body = data

        async def again() -> Any:
            return {"type": "http.request", "body": b'{"x":1}' if b"diglot" not in data else data, "more_body": False}

        await self.server(scope, again, send)


BODIES = [
    json.dumps({**ASK, "input": "x" * 200_000}).encode(),
    b"",
    b"{",
    b"[" * 100_000,
    b"\xff",
    zstandard.compress(json.dumps(ASK).encode()),
    b'"' + b"x" * 3_000_000 + b'"',
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_the_body_is_the_clients(both: Server, talk: Any, body: bytes) -> None:
    """What goes through after it was looked at is what came, whatever it is, and all of it."""
    kept = Kept(both)
    headers = {"content-encoding": "zstd"} if body.startswith(b"\x28\xb5") else {}
    app = auto(kept, limits=Limits(max_body=1_000_000))
    await talk(app, body, path=RESPONSES, headers=headers).run()
    assert kept.body == body


async def test_compressed(both: Server, talk: Any) -> None:
    """It is looked at below its encoding: Codex compresses."""
    body = zstandard.compress(json.dumps({**ASK, "tools": [CUSTOM]}).encode())
    headers = {"content-encoding": "zstd", "content-type": "application/json"}
    got = await talk(auto(both), body, path=RESPONSES, headers=headers).run()
    assert (got.status, both.served) == (200, [CHAT])


async def test_a_client_that_leaves() -> None:
    """Whoever reads on learns that it has left."""
    messages = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    peeked = native.PeekedBody({"headers": []}, receive)
    assert await peeked.decode(Limits(max_body=100)) is None
    assert await peeked.receive() == {"type": "http.request", "body": b"{", "more_body": True}
    assert await peeked.receive() == {"type": "http.disconnect"}


@pytest.mark.parametrize("name", ["default", "vllm", "llama.cpp", "llama-cpp-python", "transformers", "ollama"])
def test_profiles(name: str) -> None:
    """No server that was seen to fail is trusted."""
    assert preset(name).native_responses != "trusted"


async def test_decoded_before() -> None:
    """It is not decoded again, and whoever reads it gets the same message."""
    message = {"type": "http.request", "body": b"{}", "more_body": False, DECODED_BODY: RequestBody({"model": "m"})}

    async def receive() -> Any:
        return message

    peeked = native.PeekedBody({"headers": []}, receive)
    assert await peeked.decode(Limits()) == {"model": "m"}
    assert await peeked.receive() is message
