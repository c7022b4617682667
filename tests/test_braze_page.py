"""docs/braze.md names a test for every row of the contract, and every test that is named after a row."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "braze.md").read_text(encoding="utf-8")
ROWS = {match[1]: match[0] for match in re.finditer(r"^\| ([FS]\d+) \|.*$", PAGE, re.MULTILINE)}
NOT_BUILT = {"F4"}
"""Canvas triggers: "later" in the contract's own table."""


def named_tests() -> dict[str, list[tuple[str, str]]]:
    """Row -> file and name of each test that is named after it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in TESTS.rglob("*.py"):
        for match in re.finditer(r"def (test_((?:[fs]\d\d_)+)\w*)\(", path.read_text(encoding="utf-8")):
            for row in re.findall(r"[fs]\d\d", match[2]):
                name = f"{row[0].upper()}{int(row[1:])}"
                found.setdefault(name, []).append((path.relative_to(TESTS).as_posix(), match[1]))
    return found


def test_every_row_stands_on_the_page_and_has_a_test() -> None:
    rows = {f"F{number}" for number in range(1, 34)} - NOT_BUILT | {f"S{number}" for number in range(1, 17)}
    assert set(ROWS) == rows
    assert set(named_tests()) == rows


def test_the_page_names_the_tests_that_there_are() -> None:
    for row, tests in named_tests().items():
        text = ROWS[row]
        for file, name in tests:
            assert f"`{file}`" in text, (row, file)
            assert row.startswith("S") or f"`{name}`" in text, (row, name)
        for name in re.findall(r"`(test_f\w+)`", text):
            assert name in {one for _, one in tests}, f"{row} names {name}, which is not there"
