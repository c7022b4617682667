"""The table of facts: every entry marked, every entry can be overridden, nothing else can."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from activation.destinations.kakao_moment.table import FACTS, TABLE, Table, facts
from activation.errors import ConfigurationError


def test_every_entry_has_a_mark_a_row_and_a_text() -> None:
    assert {fact.mark for _, fact in facts()} == {"D", "S", "I"}
    assert [name for name, fact in facts() if not fact.row or not fact.text] == []


def test_the_parts_have_exactly_the_entries() -> None:
    assert [part.name for part in fields(Table)] == list(FACTS)
    for group, entries in FACTS.items():
        assert [part.name for part in fields(getattr(TABLE, group))] == list(entries)


@pytest.mark.parametrize(("group", "entry"), [(group, entry) for group, entries in FACTS.items() for entry in entries])
def test_every_entry_can_be_overridden_and_no_other_changes(group: str, entry: str) -> None:
    default = FACTS[group][entry].value
    other: Any = (
        [*default, default[0]] if isinstance(default, tuple) else {**default, "x": "y"} if isinstance(default, dict) else None
    )
    if other is None:
        other = default + "x" if isinstance(default, str) else not default if isinstance(default, bool) else default + 1
    table = Table.overridden({group: {entry: other}})
    assert getattr(getattr(table, group), entry) == (tuple(other) if isinstance(other, list) else other)
    assert Table.overridden({group: {entry: default if not isinstance(default, tuple) else list(default)}}) == TABLE


@pytest.mark.parametrize(
    ("given", "problem", "fix"),
    [
        ({"limit": {}}, "overrides the group 'limit', which the table does not have.", "Did you mean limits? Allowed: api, "),
        (
            {"limits": {"files_per_acount": 60}},
            "overrides limits.files_per_acount, which the table does not have.",
            "Did you mean files_per_account? Allowed: files_per_account, ",
        ),
        ({"limits": {"files_per_account": "60"}}, "sets table.limits.files_per_account to a value", "Write it like 50."),
        ({"limits": {"files_per_account": True}}, "sets table.limits.files_per_account to a value", "Write it like 50."),
        ({"limits": {"files_per_account": 0}}, "sets table.limits.files_per_account to a value", "Write it like 50."),
        ({"limits": {"names_unique": 0}}, "sets table.limits.names_unique to a value", "Write it like True."),
        ({"pace": {"write_seconds": -1}}, "sets table.pace.write_seconds to a value", "Write it like 5.0."),
        ({"codes": {"retry": ["-1"]}}, "sets table.codes.retry to a value", "Write it like [-1, "),
        ({"codes": {"retry": []}}, "sets table.codes.retry to a value", "Write it like [-1, "),
        ({"customer_files": {"edit": "PUT /x"}}, "to 'PUT /x', which is no route.", "Write it like 'PUT /openapi"),
        ({"customer_files": {"list": "/x"}}, "to '/x', which is no route.", "Write it like 'GET /openapi"),
        ({"limits": 5}, "has table.limits, which is no JSON object.", "Write it like {"),
        ([], "has a table that is no JSON object.", "Write it like {"),
    ],
)
def test_what_a_wrong_override_is_told(given: Any, problem: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Table.overridden(given, "The Kakao Moment connection 'kakao'")
    assert problem in raised.value.problem
    assert raised.value.problem.startswith("The Kakao Moment connection 'kakao' ")
    assert raised.value.fix.startswith(fix)
