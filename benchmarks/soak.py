"""Many chained responses, one after the other: memory and connections must stay as they are, bytes grow evenly."""

from __future__ import annotations

import gc
from typing import Any

import psutil

from benchmarks.chains import Chain
from benchmarks.servers import stores

_LOOKS = 10


def soak(count: int, depth: int) -> dict[str, Any]:
    """Store *count* responses in chains of *depth*, and look ten times; by store, what was seen."""
    found: dict[str, Any] = {}
    with stores.urls() as urls:
        for name, url in urls.items():
            chain = Chain(name, url)
            chain.open()
            print(f"\n{name}: responses, resident MB, open files, bytes of the store per response")
            found[name] = _looks(chain, count, depth)
            chain.close()
    return found


def _looks(chain: Chain, count: int, depth: int) -> list[dict[str, float]]:
    looks, before = [], chain.size()
    for number in range(1, count + 1):
        chain.take_turn()
        if chain.turns == depth:
            chain.begin()
        if number % (count // _LOOKS) == 0:
            size = chain.size()
            look = {
                "responses": number,
                "resident": _resident(),
                "open files": psutil.Process().num_fds(),
                "bytes per response": round((size - before) / (count // _LOOKS)),
            }
            before = size
            looks.append(look)
            print(
                "{responses:>8,}{resident:>10.1f}{open files:>6}{bytes per response:>10,}".format_map(look), flush=True
            )
    return looks


def _resident() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6
