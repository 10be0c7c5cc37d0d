"""How far a migration is: a bar where a terminal is, else a JSON line every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import IO, Any

from ...translator import encode_json
from ..missing import install_hint
from .tally import Tally

_INTERVAL = 10.0


class Progress:
    """Shows what is done. ``seconds`` is how long it has taken."""

    def __init__(self, out: IO[str], *, is_quiet: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._is_quiet = is_quiet
        self._clock = clock
        self._begin = self._shown = clock()
        self._done = self._size = self._earlier = 0
        self._bar: Any = None

    def __enter__(self) -> None:
        """Nothing is shown before the size is known."""

    def begin(self, size: int, earlier: int = 0) -> None:
        """Say how many bytes there are, and how many were done in an earlier run, which say nothing of the rate."""
        self._size, self._done, self._earlier = size, earlier, earlier
        if not self._is_quiet and self._out.isatty():
            try:
                import tqdm
            except ImportError:
                print(install_hint("The progress bar", "tqdm", "migrate"), file=self._out)
                return
            self._bar = tqdm.tqdm(
                total=size,
                initial=earlier,
                unit="B",
                unit_scale=True,
                unit_divisor=1024,
                dynamic_ncols=True,
                file=self._out,
            )

    def advance(self, size: int) -> None:
        """Some bytes are done."""
        self._done += size
        if self._bar is not None:
            self._bar.update(size)

    def show(self, tally: Tally, *, is_ending: bool = False) -> None:
        """Show the counts, if it is time, and whether it ends before all is done."""
        if self._bar is not None:
            ending = ", ending" * is_ending
            self._bar.set_postfix_str(f"{tally.lines:,} lines, {tally.bad:,} bad{ending}")
        elif not self._is_quiet and self._clock() - self._shown >= _INTERVAL:
            self._shown = self._clock()
            rate = (self._done - self._earlier) / max(self.seconds, 1e-9)
            left = round((self._size - self._done) / rate) if rate else None
            counts = {"lines": tally.lines, "bad": tally.bad, "bytes": self._done, "of": self._size}
            print(
                encode_json({**counts, "seconds": round(self.seconds), "left": left}).decode(),
                file=self._out,
                flush=True,
            )

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self._clock() - self._begin

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
