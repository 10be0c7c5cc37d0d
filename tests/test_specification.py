"""What sources, tests and golden files refer to exists: sections of the specification, rules in the tables of docs/."""

import re
from pathlib import Path

import pytest

from golden_files import load

ROOT = Path(__file__).parent.parent
SPECIFICATION = (ROOT / "docs" / "protocol.md").read_text("utf-8")
CODES = re.findall(r"^\| ([A-Z]\d{1,2}) \|", "".join(p.read_text("utf-8") for p in (ROOT / "docs").glob("*.md")), re.M)

RULES = set(CODES)
SECTIONS = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\b", SPECIFICATION, re.M))
RECIPES = {f"1.5{letter}" for letter in re.findall(r"^\| ([a-z]) \|", SPECIFICATION, re.M)}

_FAMILIES = "".join(sorted({rule[0] for rule in RULES}))
_RULE = re.compile(rf"\b([{_FAMILIES}])(\d{{1,2}})\b")
_RANGE = re.compile(rf"\b([{_FAMILIES}])(\d{{1,2}})-\1?(\d{{1,2}})\b")
_SECTION = r"\d+(?:\.\d+)?[a-z]?\b"
_SECTIONS = re.compile(rf"\bprotocol ({_SECTION}(?:(?:, | and |-){_SECTION})*)")


def missing(text: str) -> set[str]:
    """The rules and sections that *text* refers to, and that the specification lacks."""
    rules = {f"{letter}{int(number)}" for letter, number in _RULE.findall(text)}  # names of files have D07
    for letter, first, last in _RANGE.findall(text):
        rules |= {f"{letter}{number}" for number in range(int(first), int(last) + 1)}
    sections = {name for names in _SECTIONS.findall(text) for name in re.findall(_SECTION, names)}
    return (rules - RULES) | (sections - SECTIONS - RECIPES)


@pytest.mark.parametrize("folder", ["package", "translator", "adapters", "tests", "docs"])
def test_references_exist(folder: str) -> None:
    """Every reference in code, comments, docstrings and pages leads somewhere."""
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md") and path != Path(__file__)]
    found = {str(path.relative_to(ROOT)): missing(path.read_text("utf-8")) for path in files}
    assert {name: codes for name, codes in found.items() if codes} == {}


def test_references_of_golden_files_exist() -> None:
    """So does every reference in their names and in what they say they are about."""
    files = list((ROOT / "tests" / "golden").rglob("*.json"))
    found = {path.name: missing(f"{path.stem} {load(path).get('about')}") for path in files}
    assert files
    assert {name: codes for name, codes in found.items() if codes} == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("protocol 7.2, D7 and W3", set()),
        ("(protocol 1.5b) (protocol 3.1-3.4)", set()),
        ("protocol 9.9", {"9.9"}),
        ("protocol 7.2 and 10.1", {"10.1"}),
        ("protocol 1.5z", {"1.5z"}),
        ("D99", {"D99"}),
        ("D41-D44", {"D43", "D44"}),
        ("D41-44", {"D43", "D44"}),
        ("HTTP/1.1, W3C, utf-8", set()),
    ],
)
def test_what_is_missing_is_found(text: str, expected: set[str]) -> None:
    """A code or a section that does not exist is found, in lists and ranges too."""
    assert missing(text) == expected


def test_no_rule_is_told_twice() -> None:
    """A code names one rule."""
    assert sorted(CODES) == sorted(RULES)
