"""Tables, a batch at a time."""

import json
import pickle
from typing import Any

import pyarrow

from diglot.adapters.migrate import MapBatches, Options

LINES = ['{"model":"m","input":"Hi","truncation":"auto"}', "bad", None]
MAP = MapBatches("line", Options(to="chat"))


def check(columns: Any) -> None:
    assert json.loads(columns["converted"][0])["messages"][0]["content"] == "Hi"
    assert (columns["losses"][0][0][:18], columns["error"][0]) == ("dropped truncation", None)
    assert list(columns["converted"][1:]) == [None, None]
    assert columns["error"][1].startswith("The line is not JSON")
    assert columns["error"][2] == "The row has no line."


def test_mappings() -> None:
    """Columns of lists, as Ray Data and `datasets` have them; the callable can be pickled."""
    made = pickle.loads(pickle.dumps(MAP))({"line": LINES, "other": [1, 2, 3]})
    check(made)
    assert made["other"] == [1, 2, 3]


def test_tables() -> None:
    """Of pyarrow, as Spark has them; the types do not depend on the values."""
    table = MAP(pyarrow.table({"line": LINES}))
    check(table.to_pydict())
    assert table.schema.types[1:] == MAP(pyarrow.table({"line": [None]})).schema.types[1:]


def test_frames() -> None:
    """What has `assign`, as frames of pandas have."""

    class Frame(list[Any]):
        def __getitem__(self, name: Any) -> Any:
            return LINES

        def assign(self, **columns: Any) -> Any:
            return columns

    check(MAP(Frame()))
