"""What was measured, picked out of the results for the goals. What older results do not have is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import measure
from benchmarks.directions import Api
from benchmarks.servers import contestants

Found = dict[str, Any]
Values = Callable[[Found, Api], list[float]]
"""The values of one direction."""
_OUR_JSON = "msgspec"


def ours(*cases: str, key: str = "x floor") -> Values:
    """One of our values in each of those cases."""
    return lambda found, api: [found["directions"][api][case]["rows"][measure.OURS][key] for case in cases]


def answers_to(client: Api) -> Values:
    """Ours for the clients of one API, x floor, in every case."""

    def values(found: Found, api: Api) -> list[float]:
        cases = found["directions"][api].values() if api == client else ()
        return [case["rows"][measure.OURS]["x floor"] for case in cases]

    return values


def peers(only: str = "", but: str = "", our_json: bool = False) -> Values:
    """What the peers need, x ours, with their JSON library or with ours: in every case, *only* or *but* one."""

    def values(found: Found, api: Api) -> list[float]:
        cases = [case["rows"] for name, case in found["directions"][api].items() if only in ("", name) and name != but]
        rows = [(name, row) for case in cases for name, row in case.items() if name.startswith(_PEERS)]
        whole = [(name, row) for name, row in rows if not name.endswith("mapping alone")]
        return [row["x diglot"] for name, row in whole if name.endswith(_OUR_JSON) == our_json]

    return values


_PEERS = ("litellm", "openai-agents")


def alone(found: Found, api: Api) -> list[float]:
    """A chunk that comes alone, x floor D that does."""
    return [found["alone"][api]["alone"]["rows"][measure.OURS]["x floor"]] if "alone" in found else []


def image(found: Found, api: Api) -> list[float]:
    """The peak of a request with a large image."""
    return [found["requests"][api]["5 MB image"]["rows"][measure.OURS]["x body"]]


def grown(size: str) -> Values:
    """A chunk of a long stream, x one of a short stream."""
    return lambda found, api: [found["stream"][api]["rows"][measure.OURS][size]["x smallest"]]


def held(found: Found, api: Api) -> list[float]:
    """What the longest stream holds, x its text."""
    last = found["streams"][api][-1]
    return [round(last["held"] / last["text"], 2)]


def open_stream(asked: str) -> Values:
    """Resident memory of our server for one more open stream, x that of the floor."""

    def values(found: Found, api: Api) -> list[float]:
        rows = found.get(asked, {"directions": {api: {}}})["directions"][api]
        if contestants.FLOOR not in rows:
            return []
        mine, floor = (rows[name]["per stream"] for name in (contestants.OURS, contestants.FLOOR))
        return [round(mine / floor, 2)]

    return values


def over_base(unit: str) -> Values:
    """Our middleware, x `BaseHTTPMiddleware` that does nothing, in the cases whose name says *unit*."""

    def values(found: Found, api: Api) -> list[float]:
        rows = [case["rows"][measure.OURS] for name, case in found["directions"][api].items() if unit in name]
        return [row["x base"] for row in rows if "x base" in row]

    return values


def over_package(found: Found, api: Api) -> list[float]:
    """Our transport, x the HTTP package alone."""
    rows = [row for case in found["directions"][api].values() for row in case["rows"].values()]
    return [row["x floor"] for row in rows if "x floor" in row]


def over_passthrough(asked: str = "directions", kind: str | None = None, key: str = "x floor") -> Values:
    """`diglot serve`, x the floor: a chunk, or another *kind* of figure."""

    def values(found: Found, api: Api) -> list[float]:
        row = _row(found, asked, api, contestants.OURS, kind)
        return [row[key]] if key in row else []

    return values


def under(name: str, asked: str = "directions", kind: str | None = None) -> Values:
    """Another server, x `diglot serve`."""

    def values(found: Found, api: Api) -> list[float]:
        row = _row(found, asked, api, name, kind)
        return [row["x diglot"]] if "x diglot" in row else []

    return values


def over(name: str, asked: str = "directions", kind: str | None = None) -> Values:
    """`diglot serve`, x another server."""
    turned = under(name, asked, kind)
    return lambda found, api: [round(1 / value, 3) for value in turned(found, api)]


def _row(found: Found, asked: str, api: Api, server: str, kind: str | None) -> Found:
    """The figures of a server, empty if it took no part. Servers with a version in their names are sought without."""
    rows = found.get(asked, {}).get(api, {}).get("rows", {})
    row = rows.get(server) or next((row for name, row in rows.items() if name.startswith(f"{server} ")), {})
    return row if kind is None else row.get(kind, {})


def misplaced(found: Found, api: Api) -> list[float]:
    """Chunks that were lost or came out of order."""
    return [cell["lost"] + cell["disordered"] for cell in found["at once"]["directions"][api][contestants.OURS]]


def migration(jobs: int) -> Values:
    """A batch in so many processes, x a bare loop."""
    return lambda found, api: [found["directions"][api]["batch"]["rows"][f"--jobs {jobs}"]["x loop"]]


def of_large_file(found: Found, api: Api) -> list[float]:
    """The memory of a process with the larger file, x with the smaller one."""
    small, large = (size["largest"] for size in found["memory"])
    return [round(large / small, 3)] if api == "chat" else []


def tap(case: str) -> Values:
    """What the taps of the inspector cost more, in microseconds."""
    return lambda found, api: [found["directions"][api][case]["rows"]["with tap"]["over off"]]
