"""Who may import whom: a file may import what is to the left of it in LAYERS or ADAPTER_LAYERS; there are no circles.

The translator imports nobody from outside. adapters/ sees public names of the translator only, and each package from
elsewhere in few files only. What is imported for the type checker alone does not count.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
TRANSLATOR, ADAPTERS = ROOT / "translator", ROOT / "adapters"

LAYERS: tuple[str, ...] = (
    *"errors losses wire profiles presets context mapping parts turns fields markdown".split(),
    *"compaction toolset spellings additions request stream answer exchange".split(),
    *"convert convert_stream __init__".split(),
)
ADAPTER_LAYERS: tuple[str, ...] = (
    # words for HTTP, and values
    *"missing asgi_types limits origins encodings endpoints explain media_type upstream_scope websocket body".split(),
    # an upstream that is elsewhere
    *"http http_aiohttp http_httpx http_choice upload pass_through upstream".split(),
    # one request that is translated
    *"outlet relay watch fan_out deployments call record".split(),
    # the middleware
    *"question probe native access learned model_apis asgi __init__".split(),
    # the server
    *"demo_clients demo_rules demo_script demo".split(),
    *"checked upstream_url config hints banner page guard stored logs_text logs".split(),
    *"protocol protocol_h11 protocol_httptools server demo_run".split(),
    # the commands
    *"check field_docs cli_options cli_check cli_serve cli_settings cli".split(),
)
PACKAGES: dict[str, set[str]] = {
    "aiohttp": {"http_aiohttp"},
    "certifi": {"http_aiohttp"},
    "yarl": {"http_aiohttp"},
    "click": {"cli", "cli_check", "cli_options", "cli_serve", "cli_settings", "logs_text"},
    "h11": {"protocol_h11"},
    "httptools": {"protocol_httptools"},
    "starlette": {"demo", "guard", "page", "server"},
    "uvicorn": {"protocol", "protocol_h11", "protocol_httptools", "server"},
    "zstandard": {"encodings"},
}
"""The only files that import a package; msgspec and anyio are everywhere."""
PURE = set(
    "__future__ abc base64 binascii bisect collections functools hashlib itertools json math re types typing".split()
)
"""All of the standard library that the translator may import: what has no clock, no chance, no threads and no I/O."""
ALLOWED = PURE | {"msgspec"}
IMPURE_BUILTINS = {"__import__", "breakpoint", "compile", "eval", "exec", "exit", "id", "input", "open", "print"}
SHARED_PARTS = {"catalog", "content", "error_shapes", "full_context", "names", "natives", "__init__"}
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
            yield Import((), str(node.module).split(".")[0])
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


@sources(TRANSLATOR)
def test_the_translator_imports_leftwards(path: Path) -> None:
    """A file imports only what is to the left of its own layer."""
    own = path.relative_to(TRANSLATOR).with_suffix("").parts
    for inside, outside in imports(path, TRANSLATOR):
        assert outside in ALLOWED or not outside, f"{outside} is not for the translator"
        if inside and inside[0] != own[0]:
            assert LAYERS.index(inside[0]) < LAYERS.index(own[0]), f"{'/'.join(inside)} stands to the right"


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
def test_adapters_import_leftwards(path: Path) -> None:
    """A file imports only what is to the left of it, also inside of functions."""
    own = ADAPTER_LAYERS.index(path.stem)
    for inside, outside in imports(path, ADAPTERS):
        if inside and inside[0] != path.stem:
            assert ADAPTER_LAYERS.index(inside[0]) < own, f"{'/'.join(inside)} stands to the right"
        if outside and outside not in sys.stdlib_module_names | {"msgspec", "anyio"}:
            assert path.stem in PACKAGES[outside], f"{outside} is not for this file"


def test_no_layer_without_a_file() -> None:
    """Both tables name what is there."""
    assert sorted(ADAPTER_LAYERS) == sorted(path.stem for path in ADAPTERS.rglob("*.py"))
    assert set(LAYERS) == {path.stem for path in TRANSLATOR.iterdir() if path.is_dir() or path.suffix == ".py"} - {
        "__pycache__"
    }


def public_names() -> set[str]:
    for node in ast.parse((TRANSLATOR / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return set(ast.literal_eval(node.value))
    raise AssertionError("translator/__init__.py has no __all__")
