"""The lint: it agrees with a walk through the value, and its quick test passes over nothing that is bad."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.records.lint import MOST_BYTES, OPERATORS, SUSPECT, Lint

_keys = st.sampled_from(["a", "b c", "d.e", "$f", "$time", "$add", "한글", 'q"x y', "tab\t", "back\\slash z", "null", "{", ","])
_leaves = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(
        [
            "",
            "null",
            "x y",
            "a.b",
            "$",
            "2026-07-19",
            "2026-02-30",
            '", "k k": ',
            "{",
            "[null]",
            "3001-01-01",
            "2999-12-31T00:00:00Z",
        ]
    )
)
_values = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3), max_leaves=8
)
_payloads = st.dictionaries(_keys, _values, max_size=4)


def walk(value: Any, depth: int = 0) -> set[str]:
    """The codes that a value deserves, by a plain walk."""
    found: set[str] = set()
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        if depth and inner is None:
            found.add("nested_null")
        if key == "$time" and not _is_date(inner):
            found.add("nested_time_invalid")
        if depth and isinstance(key, str) and (set(" .") & set(key) or ("$" in key and key not in OPERATORS)):
            found.add("nested_key_invalid")
        found |= walk(inner, depth + 1)
    return found


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value[:10]).year <= 3000
    except ValueError:
        return False


@pytest.fixture(scope="module")
def lint() -> Any:
    made = Lint()
    yield made
    made.close()


def suspects(payloads: list[str]) -> list[bool]:
    with duckdb.connect() as connection:
        connection.register("p", pa.table({"n": range(len(payloads)), "payload": payloads}))
        return [bool(row[0]) for row in connection.execute(f"SELECT {SUSPECT} FROM p ORDER BY n").fetchall()]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_payloads, min_size=1, max_size=10), st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\n")])
)
def test_f14_it_finds_what_a_walk_finds_and_suspects_no_less(
    lint: Lint, payloads: list[dict[str, Any]], ascii_only: bool, separators: tuple[str, str]
) -> None:
    texts = [json.dumps(payload, ensure_ascii=ascii_only, separators=separators) for payload in payloads]
    found = lint.broken(pa.array(texts), np.arange(len(texts)))
    for row, (payload, suspect) in enumerate(zip(payloads, suspects(texts), strict=True)):
        deserved = walk(payload)
        assert (row in found) == bool(deserved), texts[row]
        assert row not in found or found[row].code in deserved
        assert suspect or not deserved, texts[row]


@pytest.mark.parametrize("value", [["x" * 9] * 9_000, {"a": "x" * MOST_BYTES}])
def test_f14_a_nested_value_has_a_greatest_size(lint: Lint, value: Any) -> None:
    text = json.dumps({"a": value})
    assert suspects([text]) == [True]
    assert {row: rule.code for row, rule in lint.broken(pa.array([text]), np.arange(1)).items()} == (
        {0: "nested_too_large"} if len(json.dumps(value, separators=(",", ":"))) > MOST_BYTES else {}
    )
    assert lint.broken(pa.array([json.dumps({"a": "x" * MOST_BYTES * 2})]), np.arange(1)) == {}


def test_nothing_to_look_at_gives_nothing(lint: Lint) -> None:
    assert lint.broken(pa.array(["{}"]), np.arange(0)) == {}


def test_only_the_suspects_are_looked_at(lint: Lint) -> None:
    bad = '{"a": {"b": null}}'
    assert set(lint.broken(pa.array([bad, "{}", bad]), np.asarray([2]))) == {2}
