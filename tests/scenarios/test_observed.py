"""What a real Prometheus and an OTLP receiver get of two workers under load."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from diglot.adapters.server.app import free_port

from otlp_receiver import attributes, receiving

ROOT = Path(__file__).parent.parent.parent
DIGLOT = Path(sys.executable).with_name("diglot")
REQUESTS = 200
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 5,
    "total_tokens": 14,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
REFUSAL = {"error": {"message": "Unsupported parameter: 'stream_options'", "param": "stream_options"}}


class Upstream(BaseHTTPRequestHandler):
    """A chat upstream; the model `strict` takes no `stream_options`, and `broken` answers nothing at all."""

    protocol_version = "HTTP/1.1"
    parents: list[str] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.parents.append(self.headers.get("traceparent", ""))
        if body["model"] == "broken":
            self._send(500, "application/json", b"{}")
        elif body["model"] == "strict" and "stream_options" in body:
            self._send(400, "application/json", json.dumps(REFUSAL).encode())
        elif body.get("stream"):
            chunks = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in ("He", "llo")]
            chunks += [
                {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
                {"choices": [], "usage": USAGE},
            ]
            lines = [json.dumps({"id": "c", "model": body["model"], **chunk}) for chunk in chunks]
            self._send(200, "text/event-stream", "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode())
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
            whole = {"id": "c", "model": body["model"], "choices": [choice], "usage": USAGE}
            self._send(200, "application/json", json.dumps(whole).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def upstream() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    server.daemon_threads = True
    Upstream.parents.clear()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def running(*command: object, ready: str) -> Iterator[None]:
    """A process, once it answers."""
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: fetched(ready) is not None)
            yield
        finally:
            process.terminate()
            process.wait(20)


def fetched(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read()
    except OSError:
        return None


def eventually(check: Callable[[], Any], patience: float = 60) -> None:
    end = time.monotonic() + patience
    while not check():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)


def ask(base: str, number: int) -> int:
    """One request of a kind that depends on its number; returns its status."""
    models = ("one", "two", "strict", "broken")
    body = {"model": models[number % 4], "input": "Hi", "stream": number % 2 == 0, "truncation": "auto"}
    headers = {"content-type": "application/json", "traceparent": PARENT}
    request = urllib.request.Request(f"{base}/v1/responses", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as error:
        error.read()
        return error.code


def load(base: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: ask(base, number), range(REQUESTS)))
    assert statuses.count(200) == REQUESTS * 3 // 4


@pytest.mark.slow
@pytest.mark.parametrize("own_port", [True, False])
def test_prometheus(upstream: str, own_port: bool, tmp_path: Path) -> None:
    """Its counts are the requests that were sent, every query of the dashboard has an answer, and the rules work."""
    tool, lint = shutil.which("prometheus"), shutil.which("promtool")
    if tool is None or lint is None:
        pytest.skip("prometheus is not installed (Debian: prometheus)")
    port, metrics, web = (free_port("127.0.0.1") for _ in range(3))
    scraped, base = f"127.0.0.1:{metrics if own_port else port}", f"http://127.0.0.1:{port}"
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ROOT / "deploy" / "alerts.yml")],
        "scrape_configs": [{"job_name": "diglot", "static_configs": [{"targets": [scraped]}]}],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    options = ["--upstream", upstream, "--port", port, "--workers", 2, "--store", "none", "--quiet", "--metrics"]
    database = [f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{web}"]
    api = f"http://127.0.0.1:{web}"

    def asked(query: str) -> list[Any]:
        found = fetched(f"{api}/api/v1/query?{urllib.parse.urlencode({'query': query})}")
        return json.loads(found or b"{}").get("data", {}).get("result", [])

    def total(query: str) -> float:
        return sum(float(each["value"][1]) for each in asked(query))

    with (
        running(DIGLOT, "serve", *options, *([metrics] if own_port else []), ready=f"{base}/healthz"),
        running(tool, f"--config.file={tmp_path / 'prometheus.yml'}", *database, ready=f"{api}/-/ready"),
    ):
        eventually(lambda: asked("up == 1"))
        load(base)
        eventually(lambda: total('diglot_requests_total{way="translated"}') >= REQUESTS)
        time.sleep(2)  # another scrape, so that there are rates, and nothing is added
        load(base)
        eventually(lambda: total('diglot_requests_total{way="translated"}') >= 2 * REQUESTS)
        time.sleep(2)
        assert total('diglot_requests_total{way="translated"}') == 2 * REQUESTS
        assert total("gen_ai_server_request_duration_seconds_count") == 2 * REQUESTS
        assert total("gen_ai_server_time_to_first_token_seconds_count") == REQUESTS
        assert total('gen_ai_client_token_usage_sum{gen_ai_token_type="input"}') == 2 * REQUESTS * 3 / 4 * 9
        assert total('diglot_upstream_attempts_total{result="5xx"}') == REQUESTS / 2
        assert total('diglot_upstream_attempts_total{result="ok"}') == 2 * REQUESTS * 3 / 4
        assert total("diglot_requests_in_progress") == 0
        assert total("diglot_adaptations_total") >= 1
        shown = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())
        for panel in shown["panels"]:
            for target in panel["targets"]:
                query = target["expr"].replace("$__rate_interval", "30s").replace("$model", ".*")
                assert asked(query), f"{panel['title']}: {query}"
        groups = json.loads(fetched(f"{api}/api/v1/rules") or b"")["data"]["groups"]
        rules = {rule["name"]: rule for rule in groups[0]["rules"]}
        assert {rule["health"] for rule in rules.values()} == {"ok"}
        assert rules["DiglotNewLoss"]["state"] == "firing"
        ran = subprocess.run(
            [lint, "check", "metrics"], input=fetched(f"http://{scraped}/metrics"), capture_output=True, check=False
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


@pytest.mark.slow
def test_otlp(upstream: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One trace goes from the client through both spans to the upstream; metrics have the conventions' names."""
    port = free_port("127.0.0.1")
    base = f"http://127.0.0.1:{port}"
    with receiving() as received:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", received.url)
        options = ["--upstream", upstream, "--port", port, "--workers", 2, "--store", "none", "--quiet", "--otel"]
        with running(DIGLOT, "serve", *options, ready=f"{base}/healthz"):
            load(base)
    requests = [span for span in received.spans if span.name == "POST /responses"]
    calls = [span for span in received.spans if span.name.startswith("chat ")]
    assert len(requests) == REQUESTS
    assert len(calls) == len(Upstream.parents) >= REQUESTS
    assert {span.trace_id.hex() for span in received.spans} == {PARENT[3:35]}
    assert {span.parent_span_id.hex() for span in requests} == {PARENT[36:52]}
    assert {span.parent_span_id for span in calls} == {span.span_id for span in requests}
    assert sorted(span.span_id.hex() for span in calls) == sorted(parent[36:52] for parent in Upstream.parents)
    assert {attributes(span)["diglot.upstream"] for span in calls} == {upstream.removeprefix("http://")}
    assert {span.name for span in calls} == {"chat one", "chat two", "chat strict", "chat broken"}
    assert received.metrics == {
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
        "gen_ai.client.operation.time_to_first_chunk",
    }
    assert {each["service.name"] for each in received.resources} == {"diglot"}
