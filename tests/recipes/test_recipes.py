"""The recipes in examples/ for pipelines that exist, with the libraries themselves: `make recipes` installs them."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from lines_of import batch, migrated, place

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
PAGE = EXAMPLES.parent / "docs" / "migrating.md"
ROWS = {"ray_data": ("ray", "line"), "spark_rows": ("pyspark", "value"), "hugging_face": ("datasets", "text")}
"""Recipes with rows: what they need, and their column of lines."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Lines without losses and errors fill the first batch of each library."""
    path = tmp_path / "logs" / "in.jsonl"
    path.parent.mkdir()
    plain = b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}\n'
    lossy = batch(700, "Gr\u00fc\u00dfe \u2028").replace(b"\\u2028", "\u2028".encode())
    path.write_bytes(plain * 11_000 + b"no line\n" + lossy)
    return path


def needs(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: `make recipes` has it")
    if package == "pyspark" and shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java: on Debian and Ubuntu, install default-jre-headless")


def _text(line: str | bytes) -> str:
    return line.decode() if isinstance(line, bytes) else line


def run(name: str, folder: Path, *arguments: str) -> str:
    """Run a recipe as its reader would."""
    home = {"HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1", "RAY_ADDRESS": "local"}
    spark = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1", "MASTER": "local[2]"}
    environment = {**os.environ, **home, **spark, "PYSPARK_SUBMIT_ARGS": "--master local[2] pyspark-shell"}
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr[-3_000:]
    return ran.stdout


@pytest.mark.parametrize("name", ROWS)
def test_rows(tmp_path: Path, source: Path, name: str) -> None:
    """Every row has what `diglot migrate` makes of its line, or the error, whichever batch it is in."""
    package, column = ROWS[name]
    needs(package)
    made = tmp_path / ("out.parquet" if name == "hugging_face" else "out")
    run(name, tmp_path, str(source.parent if name == "ray_data" else source), str(made))
    table = pyarrow.parquet.read_table(made)
    assert table.column_names == [column, "converted", "losses", "error"]
    rows = {_text(row[column]): row for row in table.to_pylist()}
    assert (len(table), table.column("error").null_count) == (11_701, 11_700)
    migrated(source, place(tmp_path, "plain.jsonl"))
    lines = source.read_text().removesuffix("\n").split("\n")
    converted = [rows[line]["converted"] for line in lines if rows[line]["error"] is None]
    assert "\n".join([*converted, ""]) == place(tmp_path, "plain.jsonl").path.read_text()
    assert rows["no line"]["error"].startswith("The line is not JSON")
    assert rows[lines[-1]]["losses"] == ["dropped seed: Responses requests have no `seed`"]


def test_parts_with_spark(tmp_path: Path, source: Path) -> None:
    """The output and what was set aside are those of `diglot migrate`; a second run has nothing to do."""
    needs("pyspark")
    source.write_bytes((batch(5_000, "x" * 1_300) + b"no line\n") * 3)
    where, plain = place(tmp_path), place(tmp_path, "plain.jsonl")
    said = run("spark_parts", tmp_path, str(source), str(where.path))
    assert said == "15000 lines in 3 parts, and 3 were set aside\n"
    outcome = migrated(source, plain)
    assert outcome.parts == 3
    assert where.path.read_bytes() == plain.path.read_bytes()
    assert where.bad.read_bytes() == plain.bad.read_bytes()
    before = where.path.stat().st_mtime_ns
    assert run("spark_parts", tmp_path, str(source), str(where.path)) == said
    assert where.path.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", [*ROWS, "spark_parts"])
def test_the_page_shows_it(name: str) -> None:
    """What a reader copies from the page is what is tried here."""
    code = {line.strip() for line in (EXAMPLES / f"{name}.py").read_text().splitlines()}
    blocks = re.findall(r"```py\n# examples/(\w+)\.py\n(.*?)```", PAGE.read_text(), re.S)
    assert [line for line in dict(blocks)[name].splitlines() if line.strip() not in code] == []
