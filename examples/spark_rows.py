"""Lines as rows of a Spark pipeline, with what became of them beside them.

    spark-submit spark_rows.py chat.jsonl converted/

`read.text` takes lines as they are; `read.json` would make one schema of all of them, and nulls of
keys that are absent.
"""

from __future__ import annotations

import sys

from pyspark.sql import DataFrame, SparkSession

from diglot.adapters.migrate import MapBatches, Options

COLUMNS = "value string, converted string, losses array<string>, error string"


def convert(lines: DataFrame) -> DataFrame:
    """Add the columns `converted`, `losses` and `error`."""
    add_columns = MapBatches("value", Options(to="responses"))
    return lines.mapInArrow(lambda batches: map(add_columns, batches), COLUMNS)


def main(source: str, folder: str) -> None:
    spark = SparkSession.builder.getOrCreate()
    convert(spark.read.text(source, lineSep="\n")).write.parquet(folder)
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
