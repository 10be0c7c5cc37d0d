"""Whole files, part by part, on a Spark cluster whose nodes see the same files: no line travels between processes.

    spark-submit spark_parts.py chat.jsonl responses.jsonl

The output is that of `diglot migrate`, byte for byte, and so are the ledger and the lines that were set aside: if the
program is killed, the same command goes on from there.
"""

from __future__ import annotations

import itertools
import sys

from pyspark import SparkContext

from diglot.adapters.migrate import Engine, Options, migrate_files


def on_spark(context: SparkContext) -> Engine:
    """Return the engine: it takes as many parts at once as keep the cluster at work."""
    most = 4 * context.defaultParallelism

    def engine(run_part, parts, stops):
        while not stops() and (some := [*itertools.islice(parts, most)]):
            yield from context.parallelize(some, len(some)).map(run_part).collect()

    return engine


def main(source: str, out: str) -> None:
    context = SparkContext.getOrCreate()
    outcome = migrate_files([source], out, Options(to="responses"), engine=on_spark(context))
    context.stop()
    print(f"{outcome.tally.converted} lines in {outcome.parts} parts, and {outcome.tally.bad} were set aside")


if __name__ == "__main__":
    main(*sys.argv[1:])
