"""docs/kakao.md shows the table of facts as it is in the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from activation.destinations.kakao_moment.table import Table, facts

TEXT = (Path(__file__).parents[2] / "docs" / "kakao.md").read_text(encoding="utf-8")
HEAD = "| entry | value | mark | meaning |\n|---|---|---|---|\n"


def shown(value: Any) -> str:
    """A value as the document writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{json.dumps(value)}`" if isinstance(value, dict) else f"`{value}`"


def table() -> str:
    """All facts."""
    rows = [f"| `{name}` | {shown(fact.value)} | {fact.mark} | {fact.text} ({fact.row}) |" for name, fact in facts()]
    return "\n".join(rows) + "\n"


def test_the_document_has_every_fact_with_its_mark() -> None:
    written = TEXT.partition(HEAD)[2].partition("\n\n")[0] + "\n"
    assert written == table()


def test_the_example_of_a_correction_is_taken() -> None:
    example = TEXT.partition("```json\n")[2].partition("```")[0]
    changed = Table.overridden(json.loads(example)["table"])
    assert (changed.limits.name_most, changed.customer_files.edit) == (100, "POST /openapi/v4/customerFiles/{id}")


@pytest.mark.parametrize("mark", ["D", "S", "I"])
def test_every_mark_is_explained(mark: str) -> None:
    assert f"**{mark}** " in TEXT and mark in {fact.mark for _, fact in facts()}
