"""Lines for tests of migrations."""

import json
from pathlib import Path
from typing import Any

from diglot.adapters.migrate import Options
from diglot.adapters.migrate.engines import in_this_process
from diglot.adapters.migrate.inputs import sources_of
from diglot.adapters.migrate.output import Place, place_of
from diglot.adapters.migrate.progress import Progress
from diglot.adapters.migrate.run import Migration, Outcome

TO_RESPONSES = Options(to="responses")


def batch_line(i: int, text: str = "Hi") -> bytes:
    """A line of a batch, in which `seed` is lost."""
    body = {"model": f"m{i % 2}", "messages": [{"role": "user", "content": text}], "seed": i}
    return json.dumps({"custom_id": f"r{i}", "method": "POST", "url": "/v1/chat/completions", "body": body}).encode()


def batch(count: int, text: str = "Hi") -> bytes:
    """So many lines."""
    return b"".join(batch_line(i, text) + b"\n" for i in range(count))


def place(folder: Path, name: str = "out.jsonl", *, splits: bool = False, compress: bool = False) -> Place:
    """A place for output."""
    return place_of(name if name.startswith("/") else f"{folder}/{name}", splits=splits, compress=compress)


def migrated(
    source: Path | list[Path], where: Place, options: Options = TO_RESPONSES, *, restart: bool = False, **settings: Any
) -> Outcome:
    """Migrate in this process."""
    names = [str(path) for path in (source if isinstance(source, list) else [source])]
    with Path("/dev/null").open("w") as out:
        migration = Migration(sources_of(names, options.shape), where, options, **settings)
        return migration.run(in_this_process, Progress(out, is_quiet=True), restart=restart)


def entries(path: Path) -> list[dict[str, Any]]:
    """The lines of a file, decoded."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]
