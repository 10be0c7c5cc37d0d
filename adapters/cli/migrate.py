"""`diglot migrate`: logs, batch files, datasets and recordings in the other dialect."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import click

from ..migrate import engines, inputs, options, output, ray_engine, report, shapes
from ..migrate.errors import MigrationError, SettingError
from ..migrate.progress import Progress
from ..migrate.run import Limit, Migration, Outcome, version
from ..server import config, setting_sources
from .options import SettingsError, amount, print_columns

_BAD = 3
_SIZES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class _Failure(click.ClickException):
    exit_code = 1


def _show_shapes(context: click.Context, _: Any, is_wanted: bool) -> None:
    if is_wanted:
        print_columns([("SHAPE", "FIELDS", "ABOUT"), *_described()])
        context.exit()


def _described() -> list[tuple[str, str, str]]:
    """Return a row for each spelling of a shape; the first one says what it is."""
    rows: list[tuple[str, str, str]] = []
    for shape in shapes.SHAPES:
        fields = [*shape.needs, *(f"{name}={value}" for name, value in shape.values)]
        fields += [f"no {name}" for name in shape.lacks]
        rows.append((shape.name, ", ".join(fields), shape.about))
    return [*rows, *((name, "(whole files)", about) for name, about in shapes.WHOLE_FILES.items())]


def _limit(_: click.Context, __: Any, value: str | None) -> Limit:
    """Read `10` or `1%`."""
    if value is None:
        return Limit()
    try:
        limit = Limit(share=float(value[:-1]) / 100) if value.endswith("%") else Limit(number=int(value))
        if not 0 <= (limit.share or limit.number or 0) < math.inf:
            raise ValueError
        return limit
    except ValueError:
        raise click.BadParameter(f"'{value}' is neither a number nor a share, like 10 or 1%") from None


def _size(_: click.Context, __: Any, value: str) -> int:
    """Read `64M`."""
    digits, unit = (value[:-1], _SIZES[value[-1:].lower()]) if value[-1:].lower() in _SIZES else (value, 1)
    if not digits.isdecimal() or not int(digits):
        raise click.BadParameter(f"'{value}' is no size, like 64M")
    return int(digits) * unit


def _engine(name: str, jobs: int | None) -> engines.Engine:
    kind, _, address = name.partition("=")
    if kind == "ray":
        return ray_engine.on_ray(address)
    if name == "processes":
        return engines.processes(jobs or engines.cores())
    raise SettingError(f"there is no engine '{name}'; there are: processes, ray, ray=ADDRESS")


@click.command()
@click.argument("places", nargs=-1, required=True, metavar="IN... OUT")
@click.option("--to", type=click.Choice(["responses", "chat"]), required=True, help="The API of the output.")
@click.option("--shape", default="auto", metavar="NAME", help="What each line is.  [default: as each line looks]")
@click.option("--request", "request_path", default="", metavar="PATH", help="Where the request is: a dotted path.")
@click.option("--answer", "answer_path", default="", metavar="PATH", help="Where the answer is: a dotted path.")
@click.option("--column", default="", metavar="NAME", help="The column of a Parquet file.")
@click.option("--profile", default="dataset", show_default=True, metavar="NAME", help="Of whom will read the output.")
@click.option("--set", "set_", metavar="KEY=VALUE", multiple=True, help="Change a setting of the profile (repeatable).")
@click.option("--model", default="", metavar="NAME", help="The model of requests that name none.")
@click.option("--strict", is_flag=True, help="Refuse lines that would lose something.")
@click.option("--check", is_flag=True, help="Convert each line back and compare.")
@click.option(
    "--sample", type=click.IntRange(1), default=None, metavar="N", help="Convert only N lines, evenly spread."
)
@click.option("--split", is_flag=True, help="Write batch files of at most 50,000 lines and 200 MB.")
@click.option("--compress", is_flag=True, help="Compress the parts in a folder with zstd.")
@click.option("--max-bad", callback=_limit, metavar="N|N%", help="Stop if more lines than that are bad.")
@click.option("--max-line", callback=_size, default="64M", show_default=True, metavar="SIZE", help="The longest line.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="How many processes.  [default: one per core]")
@click.option(
    "--engine", "engine_name", default="processes", show_default=True, metavar="NAME", help="Who does the work."
)
@click.option("--report", "report_path", metavar="FILE", help="Write what was lost: .html, .md or .json.")
@click.option("--values", is_flag=True, help="Show values in the report.")
@click.option("--restart", is_flag=True, help="Begin anew, and replace what is there.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option(
    "--shapes", is_flag=True, is_eager=True, expose_value=False, callback=_show_shapes, help="List the shapes."
)
def migrate(places: tuple[str, ...], **flags: Any) -> None:
    """Convert logs, batch files, datasets and recordings into the other API.

    IN are files (.jsonl, .json, .gz, .zst, .parquet, .yaml, .har, .sse), folders, globs, URLs, or - for standard input.
    OUT is a file, or a folder of parts if it is a folder or ends with a slash. The same command again does what is
    missing. Beside OUT, OUT.migration has the ledger, and bad.jsonl with the lines that could not be converted.

    Exit status: 0 if all is converted, 1 if it failed or was interrupted, 2 for a wrong setting, 3 if lines are bad.
    """
    if len(places) < 2:
        raise click.UsageError("at least one input and the output are needed")
    try:
        outcome, place = _run(list(places[:-1]), places[-1], flags)
    except SettingError as error:
        raise SettingsError(str(error)) from None
    except MigrationError as error:
        raise _Failure(str(error)) from None
    except KeyboardInterrupt:
        raise _Failure("interrupted; the same command again goes on from here") from None
    click.echo(summary(outcome, place, flags["report_path"] or "--report losses.html"), err=True)
    sys.exit(_status(outcome))


def _status(outcome: Outcome) -> int:
    if not outcome.is_complete:
        return 1
    return _BAD if outcome.tally.bad else 0


def _run(names: list[str], out: str, flags: dict[str, Any]) -> tuple[Outcome, output.Place]:
    chosen = _options(flags)
    place = output.place_of(out, splits=flags["split"], compress=flags["compress"])
    if flags["report_path"]:
        report.check_path(flags["report_path"])
    engine = _engine(flags["engine_name"], flags["jobs"])
    shapes.candidates(chosen)
    sources = _sources(names, place, chosen)
    if flags["report_path"]:
        output.check_report(place, sources, flags["report_path"])
    migration = Migration(sources, place, chosen, limit=flags["max_bad"], sample=flags["sample"] or 0)
    progress = Progress(sys.stderr, is_quiet=flags["quiet"])
    outcome = migration.run(engine, progress, restart=flags["restart"])
    if flags["report_path"]:
        about = report.About(
            version(), chosen.to, chosen.profile.name, sum(source.size for source in sources), flags["sample"] or 0
        )
        report.write(Path(flags["report_path"]), outcome, about)
    return outcome, place


def _options(flags: dict[str, Any]) -> options.Options:
    try:
        profile = config.profile_of(flags["profile"], dict(map(setting_sources.assignment, flags["set_"])))
    except ValueError as error:
        raise SettingError(str(error)) from None
    names = ("to", "shape", "column", "model", "strict", "check", "values", "max_line")
    chosen = {name: flags[name] for name in names}
    return options.Options(**chosen, request=flags["request_path"], answer=flags["answer_path"], profile=profile)


def _sources(names: list[str], place: output.Place, chosen: options.Options) -> list[inputs.Source]:
    if names.count(inputs.STANDARD_INPUT) > 1:
        raise SettingError("standard input (-) can be read only once")
    sources: list[inputs.Source] = []
    for name in names:
        if name == inputs.STANDARD_INPUT:
            sources.append(output.spool(place, sys.stdin.buffer))
        else:
            sources += inputs.sources_of([name], chosen.shape, place.begun)
    return sources


def summary(outcome: Outcome, place: output.Place, report_path: str) -> str:
    """Return what was done, in a few lines; losses are in the report."""
    tally = outcome.tally
    words = [
        f"{tally.converted:,} of {tally.lines:,} lines converted, in {amount(outcome.parts, 'part')}: {place.path}"
    ]
    words += [f"{count:,} {name}" for name, count in sorted(tally.checks.items())]
    if tally.bad:
        refused = f", {tally.refused:,} of them because they would lose something" if tally.refused else ""
        words.append(f"{amount(tally.bad, 'bad line')}{refused}: {place.bad}")
    if tally.losses:
        words.append(f"{amount(len(tally.losses), 'kind of loss', 'kinds of losses')}: see {report_path}")
    if not outcome.is_complete:
        words.append("Interrupted. The same command again goes on from here.")
    return "\n".join(words)
