"""What a migration is compared with, each a program of its own: loops over the converter, and rows through Ray.

A loop knows what each line is, makes no ids, counts nothing, writes one file and has no second try. It prints the
seconds of CPU time that it took; Python's start is not in it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import IO, Any

import msgspec

from benchmarks.directions import PATHS, Api, other
from diglot import chat_answer, chat_request, preset, responses_answer, responses_request
from diglot.translator import Report, request

Line = dict[str, Any]
_PROFILE = preset("dataset")
_ROLES = {"human": "user", "gpt": "assistant"}


def batch(lines: IO[bytes], out: IO[bytes], api: Api) -> None:
    """Lines of a batch, with the functions of `diglot`."""
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    to_other = responses_request if api == "chat" else chat_request
    url = PATHS[other(api)]
    for data in lines:
        line = decode(data)
        line["body"], _ = to_other(line["body"], profile=_PROFILE)
        line["url"] = url
        out.write(encode(line))
        out.write(b"\n")


def batch_uncopied(lines: IO[bytes], out: IO[bytes], api: Api) -> None:
    """The same with the functions beneath, which do not copy the body first."""
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    to_other = request.to_responses if api == "chat" else request.to_chat
    url = PATHS[other(api)]
    for data in lines:
        line = decode(data)
        line["body"] = to_other(line["body"], report=Report(), profile=_PROFILE)
        line["url"] = url
        out.write(encode(line))
        out.write(b"\n")


def mixed(lines: IO[bytes], out: IO[bytes], api: Api) -> None:
    """Lines of all shapes, in the order in which they were written."""
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    shapes = Shapes(api).in_order
    for n, data in enumerate(lines):
        out.write(encode(shapes[n % len(shapes)](decode(data))))
        out.write(b"\n")


class Shapes:
    """For each shape, the line that becomes of a line."""

    def __init__(self, api: Api) -> None:
        self._place = "messages" if api == "chat" else "input"
        self._url = PATHS[other(api)]
        self._to_other: Callable[..., Any] = responses_request if api == "chat" else chat_request
        self._answer_to_other: Callable[..., Any] = responses_answer if api == "chat" else chat_answer
        self._is_chat = api == "chat"
        self.in_order: tuple[Callable[[Line], Line], ...] = (
            self._request,
            self._answer,
            self._batch,
            self._batch_output,
            self._pair,
            self._fine_tuning,
            self._conversations,
            self._litellm,
            self._langfuse,
            self._langsmith,
            self._helicone,
        )

    def _request(self, body: Line) -> Line:
        return self._to_other(body, profile=_PROFILE)[0]

    def _answer(self, body: Line, asked: Line | None = None) -> Line:
        return self._answer_to_other(body, request=asked, profile=_PROFILE)[0]

    def _batch(self, line: Line) -> Line:
        return {**line, "url": self._url, "body": self._request(line["body"])}

    def _batch_output(self, line: Line) -> Line:
        return {**line, "response": {**line["response"], "body": self._answer(line["response"]["body"])}}

    def _pair(self, line: Line) -> Line:
        asked = self._request(line["request"])
        return {**line, "request": asked, "response": self._answer(line["response"], asked)}

    def _fine_tuning(self, line: Line) -> Line:
        items = line[self._place] + line.get("output", [])
        return self._request({"model": "m", self._place: items, "tools": line["tools"]})

    def _conversations(self, line: Line) -> Line:
        turns = [{"role": _ROLES[turn["from"]], "content": turn["value"]} for turn in line["conversations"]]
        return self._request({"model": "m", "messages": turns}) if self._is_chat else {"messages": turns}

    def _litellm(self, line: Line) -> Line:
        made = self._request({**line["model_parameters"], "model": line["model"], self._place: line["messages"]})
        messages = made.pop("input", None) or made.pop("messages")
        answer = self._answer(line["response"])
        return {**line, "messages": messages, "model_parameters": made, "response": answer}

    def _langfuse(self, line: Line) -> Line:
        asked = self._request(line["input"])
        return {**line, "input": asked, "output": self._answer(line["output"], asked)}

    def _langsmith(self, line: Line) -> Line:
        asked = self._request({**line["extra"]["invocation_params"], **line["inputs"]})
        answer = self._answer(line["outputs"], asked)
        messages = asked.pop("input", None) or asked.pop("messages")
        return {**line, "inputs": messages, "extra": {"invocation_params": asked}, "outputs": answer}

    def _helicone(self, line: Line) -> Line:
        asked = self._request(line["request_body"])
        return {**line, "request_body": asked, "response_body": self._answer(line["response_body"], asked)}


def ray_rows(file: str, out: str, api: Api) -> None:
    """Each line is a row of Ray Data, as a pipeline that exists would have it; the output is Parquet."""
    import ray
    import ray.data

    from diglot.adapters.migrate import MapBatches, Options

    ray.init(address="local", include_dashboard=False, configure_logging=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = ray.data.read_text(file)
    converted = rows.map_batches(MapBatches("text", Options(to=other(api))), batch_format="pyarrow")
    converted.select_columns(["converted", "losses", "error"]).write_parquet(out)
    ray.shutdown()


LOOPS = {"batch": batch, "batch-uncopied": batch_uncopied, "mixed": mixed}


def main() -> None:
    name, file, out, api = sys.argv[1:]
    if name == "ray-rows":
        ray_rows(file, out, api)
        return
    began = time.process_time()
    with open(file, "rb") as lines, open(out, "wb") as made:
        LOOPS[name](lines, made, api)
    print(time.process_time() - began)


if __name__ == "__main__":
    main()
