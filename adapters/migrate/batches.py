"""Tables with a column of lines, a batch at a time: for pipelines that exist already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .errors import LineError
from .lines import convert_line
from .options import Options


class MapBatches:
    """Adds the columns `converted`, `losses` and `error` to a batch; it can be pickled.

    A batch is a mapping of columns (Ray Data, `datasets.map(batched=True)`), a table of pyarrow or a frame of pandas;
    the same comes back. Where a line cannot be converted, `converted` is null and `error` says why.

    >>> MapBatches("line", Options(to="chat"))({"line": ['{"model":"m","input":"Hi"}']})["converted"]
    ['{"model":"m","messages":[{"role":"user","content":"Hi"}]}']
    """

    def __init__(self, column: str, options: Options) -> None:
        self.column: str = column
        self.options: Options = options

    def __call__(self, batch: Any) -> Any:
        """Return the batch with three more columns."""
        if isinstance(batch, Mapping):
            return {**batch, **self._columns(batch[self.column])}
        if hasattr(batch, "assign"):
            return batch.assign(**self._columns(batch[self.column]))
        return _with_columns(batch, self._columns(batch.column(self.column).to_pylist()))

    def _columns(self, lines: Iterable[Any]) -> dict[str, list[Any]]:
        rows = [self._row(line) for line in lines]
        return {name: [row[i] for row in rows] for i, name in enumerate(("converted", "losses", "error"))}

    def _row(self, line: Any) -> tuple[str | None, list[str], str | None]:
        if not isinstance(line, (str, bytes)):
            return None, [], "The row has no line."
        try:
            made = convert_line(line, self.options)
        except LineError as error:
            return None, [], str(error)
        return made.data.decode(), [str(loss) for loss in made.losses], None


def _with_columns(table: Any, columns: dict[str, list[Any]]) -> Any:
    import pyarrow as arrow

    types = {"converted": arrow.string(), "losses": arrow.list_(arrow.string()), "error": arrow.string()}
    for name, values in columns.items():
        table = table.append_column(name, arrow.array(values, types[name]))
    return table
