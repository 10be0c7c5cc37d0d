"""Who may import whom: a file imports what is to the left of its floor in FLOORS; inside a floor there are no circles.

The translator imports nobody from outside. adapters/ sees public names of the translator only, and each package from
elsewhere in few files only. What is imported for the type checker alone does not count.
"""

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
TRANSLATOR, ADAPTERS = ROOT / "translator", ROOT / "adapters"

FLOORS: dict[str, tuple[str, ...]] = {
    "translator": (
        *"deprecated errors losses wire profiles presets seals context mapping parts turns".split(),
        *"fields field_names markdown".split(),
        *"state compaction toolset spellings additions request fast_path stream answer exchange".split(),
        *"convert convert_stream __init__".split(),
    ),
    "translator/stream": ("growing", "logprobs", "to_responses", "to_chat"),
    "adapters": (
        *"missing limits ids error_log store asgi stateful middleware".split(),
        *"upstream sdk migrate __init__ demo observe inspector server cli".split(),
    ),
}
"""Files and folders of a folder: each imports only what is to the left of it."""
HOUSES = {"to_responses", "to_chat"}
"""The two directions of streams know nothing of each other."""
PACKAGES: dict[str, set[str]] = {
    "aiohttp": {"upstream/aiohttp"},
    "certifi": {"upstream/aiohttp"},
    "click": {
        "cli/check",
        "cli/commands",
        "cli/keys",
        "cli/migrate",
        "cli/options",
        "cli/serve",
        "cli/settings",
        "cli/store",
        "server/text_log",
    },
    "cryptography": {"stateful/sealing"},
    "fsspec": {"migrate/remote"},
    "h11": {"server/protocol_h11"},
    "httptools": {"server/protocol_httptools"},
    "jinja2": {"migrate/report_page"},
    "opentelemetry": {"observe/otel_setup", "observe/trace_content", "observe/traces"},
    "platformdirs": {"server/store"},
    "prometheus_client": {"observe/metrics"},
    "pyarrow": {"migrate/batches", "migrate/parquet"},
    "redis": {"store/redis_connections"},
    "sqlalchemy": {
        *(
            "store/postgres",
            "store/sql",
            "store/sql_completions",
            "store/sql_conversations",
            "store/sql_housekeeping",
            "store/sql_records",
        ),
        *("store/sqlite", "store/statements", "store/housekeeping_statements", "store/tables"),
    },
    "starlette": {
        *("demo/app", "inspector/app", "inspector/gate", "inspector/routes"),
        *("server/app", "server/guard", "server/observing", "server/own_routes", "server/page"),
    },
    "tiktoken": {"stateful/counting"},
    "tqdm": {"migrate/progress"},
    "trio": {"asgi/late_task"},
    "uvicorn": {
        "server/app",
        "server/protocol",
        "server/protocol_h11",
        "server/protocol_httptools",
        "server/supervisor",
    },
    "yaml": {"migrate/recordings"},
    "yarl": {"upstream/aiohttp"},
    "zstandard": {"asgi/encodings", "migrate/compressed"},
}
"""The only files that import a package; msgspec and anyio are everywhere."""
PURE = set(
    "__future__ abc base64 binascii bisect collections functools hashlib itertools".split()
    + "json math re types typing zlib".split()
) | {"urllib.parse", "collections.abc"}
"""All of the standard library that the translator may import: what has no clock, no chance, no threads and no I/O."""
ALLOWED = PURE | {"enum", "msgspec", "warnings"}
IMPURE_BUILTINS = {"__import__", "breakpoint", "compile", "eval", "exec", "exit", "id", "input", "open", "print"}
SHARED_PARTS = {"catalog", "content", "error_shapes", "full_context", "media", "names", "builtin_tools", "__init__"}
"""The only files of parts/ that the others may import."""


class Import(NamedTuple):
    inside: tuple[str, ...]
    """Path of the module inside its folder, () when it comes from elsewhere."""
    outside: str
    """Top-level name of a module from elsewhere, "" when it is from here."""


def imports(path: Path, base: Path) -> Iterator[Import]:
    """Every import in *path*; names that are modules of *base* are resolved to them."""
    package = path.relative_to(base).parts[:-1]
    for node in running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (Import((), alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = str(node.module)
            inside = path.is_relative_to(TRANSLATOR)  # urllib alone says too little there
            yield Import((), module if inside and module in PURE else module.split(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.level <= len(package) + 1:
            start = (*package[: len(package) - node.level + 1], *(node.module or "").split("."))
            start = tuple(name for name in start if name)
            for alias in node.names:
                yield Import(resolved(base, (*start, alias.name)) or resolved(base, start), "")


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes except what stands under `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            yield node
            yield from running(node)


def resolved(base: Path, dotted: tuple[str, ...]) -> tuple[str, ...]:
    """*dotted* if it is a module or package below *base*, else ()."""
    where = base.joinpath(*dotted)
    if where.with_suffix(".py").is_file() and dotted:
        return dotted
    return (*dotted, "__init__") if (where / "__init__.py").is_file() else ()


def sources(folder: Path) -> Any:
    found = sorted(folder.rglob("*.py"))
    assert found
    return pytest.mark.parametrize("path", found, ids=[str(f.relative_to(ROOT)) for f in found])


@pytest.mark.parametrize("folder", FLOORS)
def test_imports_go_leftwards(folder: str) -> None:
    """A file imports only what is on its own floor or to the left of it, also inside of functions."""
    base, floors = ROOT / folder, FLOORS[folder]
    for path in sorted(base.rglob("*.py")):
        own = path.relative_to(base).with_suffix("").parts[0]
        for inside, _ in imports(path, base):
            if inside and inside[0] != own and folder != inside[0]:
                assert floors.index(inside[0]) < floors.index(own), f"{path} imports {'/'.join(inside)}, to the right"
                assert {own, inside[0]} != HOUSES, f"{path} imports {'/'.join(inside)}, of the other direction"


@pytest.mark.parametrize("folder", FLOORS)
def test_no_floor_without_a_file(folder: str) -> None:
    """The table names what is there."""
    there = {path.stem for path in (ROOT / folder).iterdir() if path.is_dir() or path.suffix == ".py"}
    assert set(FLOORS[folder]) | {"__init__"} == there - {"__pycache__"} | {"__init__"}


@pytest.mark.parametrize("folder", ["translator", "adapters"])
def test_there_are_no_circles(folder: str) -> None:
    """Files can be read in an order in which each knows only those before it."""
    base = ROOT / folder
    graph = {
        path.relative_to(base).with_suffix("").parts: {inside for inside, _ in imports(path, base) if inside}
        for path in base.rglob("*.py")
    }
    assert list(graphlib.TopologicalSorter(graph).static_order())


@sources(TRANSLATOR)
def test_the_translator_imports_nothing_from_elsewhere(path: Path) -> None:
    """The pure part of the standard library, and msgspec."""
    for _, outside in imports(path, TRANSLATOR):
        assert outside in ALLOWED or not outside, f"{outside} is not for the translator"


@sources(TRANSLATOR)
def test_the_translator_calls_nothing_impure(path: Path) -> None:
    """No built-in function that reads, writes or runs what it is given."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_BUILTINS, f"line {node.lineno}: {node.func.id}()"


@sources(TRANSLATOR / "parts")
def test_parts_do_not_know_one_another(path: Path) -> None:
    """Files of parts/ import none of each other, those aside that are made for it."""
    for inside, _ in imports(path, TRANSLATOR):
        if inside[:1] == ("parts",):
            assert inside[1] in SHARED_PARTS, f"{'/'.join(inside)} is another part"


@sources(ADAPTERS)
def test_adapters_use_public_names(path: Path) -> None:
    """adapters/ imports from `..translator` only what is in its __all__."""
    public = public_names()
    for node in running(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            beyond = node.level > len(path.relative_to(ADAPTERS).parts)
            module = node.module or ""
            assert not module.startswith("diglot"), "imports inside the package are relative"
            if beyond and module.split(".")[0] == "translator":
                assert module == "translator", f"{module} is not public"
                private = [alias.name for alias in node.names if alias.name not in public]
                assert not private, f"{private} are not public"


@sources(ADAPTERS)
def test_packages_have_their_files(path: Path) -> None:
    """A package from elsewhere is imported only in the files that exist for it; msgspec and anyio are everywhere."""
    own = "/".join(path.relative_to(ADAPTERS).with_suffix("").parts)
    for _, outside in imports(path, ADAPTERS):
        if outside and outside not in sys.stdlib_module_names | {"msgspec", "anyio"}:
            assert own in PACKAGES[outside], f"{outside} is not for this file"


def public_names() -> set[str]:
    for node in ast.parse((TRANSLATOR / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return set(ast.literal_eval(node.value))
    raise AssertionError("translator/__init__.py has no __all__")
