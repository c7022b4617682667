"""Rules that reject a row, written as data: a code, a condition over the batch's columns and a text for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to reject a row.

    :ivar code: the reason code that stands in the reject and in the report.
    :ivar when: SQL condition over the columns of the batch; the rules before this one are known to hold.
    :ivar message: what is wrong and what would be right.
    """

    code: str
    when: str
    message: str


TRUE, FALSE = "(?i)true|t|1|yes|y", "(?i)false|f|0|no|n"
"""Patterns of the whole text of a boolean. They are no IN lists, which DuckDB makes joins of that look at every row."""


def first_broken(rules: Sequence[Rule]) -> str:
    """SQL expression that gives the index of the first rule that a row breaks, NULL for a good row."""
    branches = " ".join(f"WHEN {rule.when} THEN {index}" for index, rule in enumerate(rules))
    return f"CASE {branches} END" if rules else "NULL"


def text_of(value: str) -> str:
    """SQL expression that writes a text column as a JSON string, with every escape that JSON asks for."""
    return f"CAST(to_json({value}) AS VARCHAR)"
