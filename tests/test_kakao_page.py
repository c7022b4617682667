"""docs/kakao.md names a test for every row of the contract, and every test that is named after a row or a feature."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "kakao.md").read_text(encoding="utf-8")
ROWS = {match[1]: match[0] for match in re.finditer(r"^\| ((?:C|6\.1|6\.3) ?\d+) \|.*$", PAGE, re.MULTILINE)}
OTHERS = {"6.1 1", "6.1 5", "6.1 16"}
"""Rows without a test, which say why."""


def named_tests(pattern: str) -> set[tuple[str, str]]:
    """File and name of each test whose name begins so."""
    found = set()
    for path in TESTS.rglob("*.py"):
        if "kakao" in path.relative_to(TESTS).as_posix():
            text = path.read_text(encoding="utf-8")
            found |= {(path.relative_to(TESTS).as_posix(), name) for name in re.findall(rf"def (test_(?:{pattern})\w*)\(", text)}
    return found


def shown(text: str) -> set[tuple[str, str]]:
    """File and name of each test that a part of the page names."""
    found, file = set(), ""
    for name in re.findall(r"`([\w/]+\.py|test_\w+)`", text):
        if name.endswith(".py"):
            file = name
        else:
            found.add((file, name))
    return found


def test_every_row_stands_on_the_page() -> None:
    first = [f"C{number}" for number in range(1, 14)]
    assert list(ROWS) == first + [f"6.1 {number}" for number in range(1, 18)] + [f"6.3 {number}" for number in range(1, 13)]


def test_every_row_of_the_server_has_a_test_and_names_all() -> None:
    for number in range(1, 14):
        tests = {(file, name) for file, name in named_tests(r"\w*c\d") if f"_c{number}_" in name}
        assert any(file.startswith("sandbox/kakao/") for file, _ in tests)
        ours = {(file, name) for file, name in tests if not file.startswith("sandbox/")}
        assert shown(ROWS[f"C{number}"]) == ours, f"C{number}"
        for file, _ in tests:
            assert f"`{file}`" in ROWS[f"C{number}"], (number, file)


def test_every_feature_has_a_test_and_every_test_of_a_feature_is_named() -> None:
    features = {row: shown(text) for row, text in ROWS.items() if row[0] == "6"}
    assert {row for row, tests in features.items() if not tests} == OTHERS
    assert set().union(*features.values()) == named_tests("feature_|61_|63_")
