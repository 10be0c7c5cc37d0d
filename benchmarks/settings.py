"""The command line that all benchmarks share."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Settings:
    """How much is measured, and against whom."""

    short: bool
    rounds: int
    turn: float  # seconds of CPU time for one turn of one contestant
    litellm: Path | None
    responses_js: Path | None

    def few(self, rounds: int) -> Settings:
        """The same with fewer rounds, for what takes long."""
        return Settings(self.short, min(rounds, self.rounds), self.turn, self.litellm, self.responses_js)


def parser() -> argparse.ArgumentParser:
    """The options; run.py adds its own."""
    options = argparse.ArgumentParser()
    options.add_argument("--short", action="store_true", help="see that it runs: small cases, few rounds, no files")
    options.add_argument("--rounds", type=int, default=11)
    options.add_argument("--litellm", type=Path, metavar="FILE", help="LiteLLM's command, with its proxy installed")
    options.add_argument("--responses-js", type=Path, metavar="FOLDER", help="a built huggingface/responses.js")
    return options


def from_command_line() -> Settings:
    return settled(parser().parse_args())


def settled(given: argparse.Namespace) -> Settings:
    """Fill in what was not said; `make litellm` leaves the proxy where it is looked for here."""
    beside = ROOT / ".venv-litellm" / "bin" / "litellm"
    litellm = given.litellm or (beside if beside.exists() else None)
    rounds, turn = (2, 0.002) if given.short else (given.rounds, 0.05)
    return Settings(given.short, rounds, turn, litellm and litellm.resolve(), given.responses_js)
