"""Parquet files: a column of texts, bytes or structures; a row group is a part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...translator import encode_json
from ..missing import install_hint
from . import inputs
from .compressed import CutOff
from .errors import LineError, MigrationError, SettingError

_ROWS = 1_000


def row_groups(source: inputs.Source) -> int:
    """Return how many row groups a file has."""
    with inputs.opened(source.path) as file:
        return _file(file, source).num_row_groups


def check_column(source: inputs.Source, column: str) -> None:
    """Raise SettingError if the column is missing, or none is named."""
    with inputs.opened(source.path) as file:
        names = _file(file, source).schema_arrow.names
    if column not in names:
        what = f"there is no column '{column}'" if column else "--column must name the column with the lines"
        raise SettingError(f"{source.path}: {what}; the columns are: {', '.join(names)}")


def rows(source: inputs.Source, group: int, column: str) -> Iterator[bytes | LineError | None]:
    """Yield the lines in a column of a row group: texts as they are, structures as JSON; None for a null, and a
    LineError for what has no JSON.

    Raises CutOff where the group is damaged.
    """
    with inputs.opened(source.path) as file:
        batches = _file(file, source).iter_batches(_ROWS, row_groups=[group], columns=[column])
        while (values := _next_values(batches)) is not None:
            yield from map(_line, values)


def _next_values(batches: Iterator[Any]) -> Any:
    from pyarrow import ArrowException, binary, large_binary, types

    try:
        batch = next(batches, None)
    except (ArrowException, OSError) as error:
        raise CutOff(f"the row group is damaged: {error}") from None
    if batch is None:
        return None
    column = batch.column(0)
    if types.is_string(column.type):
        column = column.cast(binary())  # also if it is not UTF-8: the line will say so
    elif types.is_large_string(column.type):
        column = column.cast(large_binary())
    return column


def _line(scalar: Any) -> bytes | LineError | None:
    try:
        value = scalar.as_py()
        if value is None or isinstance(value, bytes):
            return value
        return value.encode() if isinstance(value, str) else encode_json(_without_nulls(value))
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        return LineError(f"The row cannot be written as JSON: {error}")


def _without_nulls(value: Any) -> Any:
    """A structure has all fields in every row: null means absent."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _file(file: Any, source: inputs.Source) -> Any:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise SettingError(install_hint(source.path, "pyarrow", "parquet")) from None
    try:
        return ParquetFile(file)
    except (ArrowException, OSError) as error:
        raise MigrationError(f"{source.path}: {error}") from None
