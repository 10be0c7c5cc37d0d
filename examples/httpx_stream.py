"""A chat upstream is asked what a Responses client would ask, and its stream is read as Responses events.

pip install diglot httpx
python httpx_stream.py http://127.0.0.1:8000/v1 your-model "Tell me a joke"
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import httpx

import diglot


def ask(client: httpx.Client, url: str, model: str, text: str) -> Iterator[str]:
    """Yield the pieces of the answer; raise TranslationError where there is none."""
    request = {"model": model, "input": text, "stream": True}
    body, losses = diglot.chat_request(request, profile="vllm")
    for loss in losses:
        print(loss, file=sys.stderr)
    with client.stream("POST", f"{url}/chat/completions", json=body, timeout=600) as answer:
        if answer.is_error:
            raise diglot.ServeResponses(request).error(answer.status_code, answer.read())
        for event in diglot.responses_stream(answer.iter_bytes(), request=request, profile="vllm"):
            if event["type"] == "response.output_text.delta":
                yield event["delta"]
            elif event["type"] == "response.failed":
                raise RuntimeError(event["response"]["error"])


def main() -> None:
    url, model, text = sys.argv[1:]
    with httpx.Client() as client:
        for piece in ask(client, url, model, text):
            print(piece, end="", flush=True)
    print()


if __name__ == "__main__":
    main()
