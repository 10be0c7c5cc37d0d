"""Where does the time go? The shares of our modules in single requests and answers, bytes in, bytes out.

cProfile makes calls dearer than they are, so what has many small functions looks worse than it is. Time inside of C
counts for the function that calls it: that of `json` is nearly all msgspec's.
"""

from __future__ import annotations

import cProfile
import time
from collections import Counter
from pathlib import Path
from types import CodeType
from typing import Any

import diglot.translator
from benchmarks import measure, results, settings
from benchmarks.directions import DIRECTIONS, TITLES, Api, other
from benchmarks.inputs import answers, requests
from benchmarks.peers import ours

UNIT = "share of the time in our modules; calls: functions called for one request or answer"
FOLDER = Path(diglot.translator.__file__).parent
REQUESTS = ("small", "Codex", "1,000 messages")
ANSWERS = ("text", "reasoning and two calls")


def cases(api: Api) -> dict[str, measure.Run]:
    """What is looked at, by name."""
    found: dict[str, measure.Run] = {}
    for name in REQUESTS:
        data = requests.data(name, api)
        found[f"{name}, request"] = lambda data=data: ours.request(data, api)
    for name in ANSWERS:
        _, full = ours.answerer(answers.asked(name, api), api)
        data = answers.data(name, other(api))
        found[f"{name}, answer"] = lambda full=full, data=data: full(data)
    return found


def of(run: measure.Run, seconds: float) -> dict[str, Any]:
    """Run it again and again for so long; return the share of each module, and how many calls one run makes."""
    run()
    profile, runs, end = cProfile.Profile(builtins=False), 0, time.process_time() + seconds
    while time.process_time() < end:
        profile.enable()
        run()
        profile.disable()
        runs += 1
    own, calls = Counter[str](), 0
    for entry in profile.getstats():
        if isinstance(entry.code, CodeType) and FOLDER in Path(entry.code.co_filename).parents:
            own[_module(entry.code.co_filename)] += entry.inlinetime
            calls += entry.callcount
    return {"calls": round(calls / runs), "shares": {name: round(own[name] / own.total(), 3) for name in own}}


def _module(file: str) -> str:
    """`json` stands alone, other folders are one thing each."""
    folder, *rest = Path(file).relative_to(FOLDER).with_suffix("").parts
    return rest[-1] if rest == ["json"] else f"{folder}/" if rest else folder


def main() -> None:
    given = settings.from_command_line()
    found: dict[Api, Any] = {}
    for api in DIRECTIONS:
        found[api] = {name: of(run, 0.05 if given.short else 2) for name, run in cases(api).items()}
        for name, case in found[api].items():
            most = sorted(case["shares"].items(), key=lambda share: -share[1])[:6]
            shares = ", ".join(f"{module} {share:.0%}" for module, share in most)
            print(f"{TITLES[api]}: {name}: {case['calls']:,} calls; {shares}", flush=True)
    results.save("profiles", UNIT, given, {"directions": found})


if __name__ == "__main__":
    main()
