"""The results of each question as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import measure
from benchmarks.directions import DIRECTIONS, TITLES
from benchmarks.servers import contestants

from . import stored

Found = dict[str, Any]
_OURS = (measure.OURS, contestants.OURS)


def machine(found: Found) -> str:
    """On what, and with which versions."""
    kind = found["machine"]
    built = f" ({kind['build']})" if "build" in kind else ""  # older results do not say it
    where = f"{kind['python']}{built}, {kind['system']} {kind['architecture']}, {kind['cpu']}, {kind['cpus']} CPUs"
    return (
        f"{where}; {found['rounds']} rounds; " + ", ".join(f"{name} {v}" for name, v in found["versions"].items()) + "."
    )


def number(value: float) -> str:
    """Three digits are enough."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def contest(cases: dict[str, Found]) -> str:
    """One row for each contestant, one column for each case: microseconds, and the ratios to the floor and to us."""
    names = list(dict.fromkeys(name for case in cases.values() for name in case["rows"]))
    return markdown(
        ["", *cases], [[_named(name), *(_cell(case["rows"].get(name)) for case in cases.values())] for name in names]
    )


def _named(name: str) -> str:
    return f"**{name}**" if name in _OURS else name


def _cell(row: Found | None) -> str:
    if row is None:
        return ""
    ratios = [number(row[key]) for key in ("x floor", "x diglot") if key in row]
    return number(row["median"]) + (f" ({' / '.join(ratios)})" if ratios else "")


def _both(found: Found, table: Callable[[Any], str]) -> list[str]:
    return [line for api in DIRECTIONS for line in (f"**{TITLES[api]}**", "", table(found["directions"][api]), "")]


def requests(found: Found) -> list[str]:
    return _both(found, contest)


def answers(found: Found) -> list[str]:
    return _both(found, contest)


def streams(found: Found) -> list[str]:
    lines = _both(found, contest)
    lines += ["The same text, in other pieces (x the floor that is cut in the same way):", ""]
    ours = {TITLES[api]: {"rows": _pieces(found["reads"][api]["rows"])} for api in DIRECTIONS}
    lines.append(contest(ours))
    if wrapped := found.get("free form"):  # older results have none
        lines += ["", "The input of a free-form tool, wrapped in arguments:", "", contest({"one chunk": wrapped})]
    if pauses := found.get("alone"):  # older results have none
        lines += ["", "One chunk of text in a loop, and one that comes alone after a pause of 2 ms:", ""]
        lines.append(contest({f"{api}, {how}": case for api in DIRECTIONS for how, case in pauses[api].items()}))
    return lines


def _pieces(rows: Found) -> Found:
    return {name.partition(", ")[2]: row for name, row in rows.items() if name.startswith(measure.OURS)}


def middleware(found: Found) -> list[str]:
    lines = _both(found, contest)
    cases = {TITLES[api]: found["directions"][api] for api in DIRECTIONS}
    mine = {title: [case["rows"][measure.OURS] for case in each.values()] for title, each in cases.items()}
    if all("x base" in row for rows in mine.values() for row in rows):  # older results have none
        lines += ["Ours, x `BaseHTTPMiddleware` that does nothing:", ""]
        rows = [[title, *(number(row["x base"]) for row in rows)] for title, rows in mine.items()]
        lines += [markdown(["", *found["directions"]["responses"]], rows), ""]
    return lines


def transport(found: Found) -> list[str]:
    return _both(found, contest)


def observe(found: Found) -> list[str]:
    names = list(dict.fromkeys(case for api in DIRECTIONS for case in found["directions"][api]))
    lines: list[str] = []
    for api in DIRECTIONS:
        cases = found["directions"][api]
        rows = [
            [_named(name), *(_over_off(cases[case]["rows"][name]) for case in names)]
            for name in cases[names[0]]["rows"]
        ]
        lines += [markdown([TITLES[api], *names], rows), ""]
    return lines


def _over_off(row: Found) -> str:
    return f"{number(row['median'])} ({row['over off']:+.3g})"


def proxy(found: Found) -> list[str]:
    head = ["", "CPU us per chunk (x floor / x diglot)", "while running", *_ANSWERED]
    lines = _both(found, lambda case: markdown(head, [_proxy(name, row) for name, row in case["rows"].items()]))
    if to_codex := found.get("Codex"):  # older results have none
        lines += ["The same servers, asked with a Codex request:", ""]
        lines += _both({"directions": to_codex}, _to_codex)
    return lines


_ANSWERED = (
    "first token, p50 / p99",
    "added, p50 / p99",
    "CPU us per stream of one token",
    "CPU us per finished answer",
    "answers per second",
)


def _proxy(name: str, row: Found) -> list[str]:
    cost = _cell(row) if "median" in row else ""
    running = number(row["CPU us per chunk, running"]) if "median" in row else ""
    return [_named(name), cost, running, *_answered(row)]


def _to_codex(case: Found) -> str:
    return markdown(["", *_ANSWERED], [[_named(name), *_answered(row)] for name, row in case["rows"].items()])


def _answered(row: Found) -> list[str]:
    first, added = row["first token, ms"], row.get("added to first token, ms")
    times = f"{number(first['p50'])} / {number(first['p99'])} ms"
    more = f"{number(added['p50'])} / {number(added['p99'])} ms" if added else ""
    costs = [_cell(row.get(kind)) for kind in ("stream of one token", "finished answer")]
    return [times, more, *costs, number(row["requests/s"])]


def memory(found: Found) -> list[str]:
    lines = ["Most that one request needs, x its body:", ""]
    for api in DIRECTIONS:
        cases = found["requests"][api]
        names = list(next(iter(cases.values()))["rows"])
        rows = [[_named(n), *(number(case["rows"][n]["x body"]) for case in cases.values())] for n in names]
        lines += [markdown([TITLES[api], *cases], rows), ""]
    lines += ["What a text stream of ours holds just before its end, and its most at the end, x the text:", ""]
    sizes = [f"{one['chunks']:,} chunks" for one in found["streams"]["responses"]]
    rows = [[TITLES[api], *(_held(one) for one in found["streams"][api])] for api in DIRECTIONS]
    lines += [markdown(["", *sizes], rows), ""]
    lines += ["Servers, resident: after one request, with as many open streams as they take, and after those:", ""]
    lines += _both(found["servers"], _servers)
    if to_codex := found.get("servers, Codex"):  # older results have none
        lines += ["The same with streams that answer a Codex request:", ""]
        lines += _both(to_codex, _servers)
    return lines


def _servers(case: Found) -> str:
    head = ["", "idle", "with streams", "after", "streams", "per stream"]
    return markdown(head, [_server(name, row) for name, row in case.items()])


def _held(one: Found) -> str:
    return f"{one['held'] / one['text']:.1f}; {one['peak'] / one['text']:.1f}"


def _server(name: str, row: Found) -> list[str]:
    sizes = [f"{row[key] / 1e6:.0f} MB" for key in ("idle", "open", "after")]
    each = f"{row['per stream'] / 1e3:.0f} KB" if "per stream" in row else ""
    return [_named(name), *sizes, f"{row['streams']:,}", each]


def scaling(found: Found) -> list[str]:
    lines: list[str] = []
    for kind, each, many in (
        ("stream", "chunk", "chunks"),
        ("conversation", "message", "messages"),
        ("tools", "tool", "tools"),
    ):
        lines += [f"Microseconds for one {each}, by the number of {many} (x the smallest number):", ""]
        for api in DIRECTIONS:
            case = found[kind][api]
            sizes = [str(size) for size in case["sizes"]]
            rows = [[_named(n), *(_grown(row.get(size)) for size in sizes)] for n, row in case["rows"].items()]
            lines += [markdown([TITLES[api], *(f"{int(size):,}" for size in sizes)], rows), ""]
    concurrency = found["at once"]
    lines += [f"Streams at once through one server on one core, {concurrency['rate']:,} chunks a second together:", ""]
    head = [
        "",
        "streams",
        "chunks",
        "lost, disordered",
        "late, p50 / p99",
        "added, p50 / p99",
        "CPU us per chunk",
        "busy",
    ]
    return [*lines, *_both(concurrency, lambda case: markdown(head, _concurrency(case)))]


def _grown(cell: Found | None) -> str:
    return f"{number(cell['median'])} ({number(cell['x smallest'])})" if cell else ""


def _concurrency(case: Found) -> list[list[str]]:
    rows: list[list[str]] = []
    for name, cells in case.items():
        for cell in cells:
            late, added = cell["late, ms"], cell.get("added, ms")
            more = f"{number(added['p50'])} / {number(added['p99'])} ms" if added else ""
            cost = [number(cell["CPU us per chunk"]), f"{cell['busy']:.0%}"] if "busy" in cell else ["", ""]
            missed = f"{cell['lost']}, {cell['disordered']}"
            times = f"{number(late['p50'])} / {number(late['p99'])} ms"
            rows.append([_named(name), f"{cell['streams']:,}", f"{cell['chunks']:,}", missed, times, more, *cost])
    return rows


def startup(found: Found) -> list[str]:
    imports = [
        [_named(n), number(row["median"]), f"{row['resident'] / 1e6:.1f} MB"] for n, row in found["imports"].items()
    ]
    servers = [[_named(n), number(row["median"]), number(row["CPU ms"])] for n, row in found["servers"].items()]
    lines = ["Imports: what each takes more than Python alone.", "", markdown(["", "CPU ms", "memory"], imports), ""]
    lines += ["Servers: until they take connections.", ""]
    return [*lines, markdown(["", "ms", "CPU ms"], servers)]


def profiles(found: Found) -> list[str]:
    return _both(found, _shares)


def _shares(case: Found) -> str:
    largest = {
        module: max(of["shares"].get(module, 0) for of in case.values())
        for of in case.values()
        for module in of["shares"]
    }
    modules = sorted((module for module in largest if largest[module] >= 0.02), key=lambda module: -largest[module])
    rows = [[module, *(f"{of['shares'].get(module, 0):.0%}" for of in case.values())] for module in modules]
    return markdown(["", *case], [["calls", *(f"{of['calls']:,}" for of in case.values())], *rows])


def state(found: Found) -> list[str]:
    lines = [markdown(*stored.rows(found["stores"])), ""]
    if soak := found.get("soak"):
        lines += ["Many chained responses; resident memory in MB, open files, and bytes of the store per response:", ""]
        head = ["responses", *soak]
        looks = zip(*soak.values(), strict=True)
        lines.append(markdown(head, [[f"{row[0]['responses']:,}", *map(_look, row)] for row in looks]))
    return lines


def _look(look: Found) -> str:
    return f"{look['resident']:.0f}; {look['open files']}; {look['bytes per response']:,}"


def migrate(found: Found) -> list[str]:
    lines: list[str] = []
    for api in DIRECTIONS:
        for name, case in found["directions"][api].items():
            lines += [f"**{_FROM[api]}, {name}: {case['lines']:,} lines, {case['bytes'] / 1e6:,.0f} MB**", ""]
            head = ["", "CPU s (x bare loop)", "wall s", "most of a process", "of all together"]
            lines += [markdown(head, [_migration(row, values) for row, values in case["rows"].items()]), ""]
    lines += ["The most that one of the processes holds, `--jobs 2`, by the size of the file:", ""]
    sizes = [[f"{one['bytes'] / 1e6:,.0f} MB", f"{one['largest'] / 1e6:.1f} MB"] for one in found["memory"]]
    return [*lines, markdown(["file", "process"], sizes)]


_FROM = {"responses": "Responses to chat", "chat": "Chat to Responses"}


def _migration(name: str, row: Found) -> list[str]:
    if "missing" in row:
        return [name, row["missing"], "", "", ""]
    ratio = f" ({row['x loop']:.2f})" if "x loop" in row else ""
    sizes = [f"{row[key] / 1e6:,.0f} MB" if key in row else "" for key in ("largest", "together")]
    return [name, f"{row['median']:.2f}{ratio}", f"{row['wall']:.1f}", *sizes]


SECTIONS: dict[str, Callable[[Found], list[str]]] = {
    "requests": requests,
    "answers": answers,
    "streams": streams,
    "middleware": middleware,
    "transport": transport,
    "observe": observe,
    "proxy": proxy,
    "memory": memory,
    "scaling": scaling,
    "startup": startup,
    "profiles": profiles,
    "state": state,
    "migrate": migrate,
}
