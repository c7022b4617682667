from __future__ import annotations

from typing import Any

import pytest

from activation.cursor.recovery import Move, recover
from activation.cursor.timestamps import from_text
from activation.cursor.watermark import Watermark

ONE = Watermark(from_text("2026-07-19T09:07:23.123456789Z"), 5, 2, {"ab": 1}, "run-1")
TWO = Watermark(from_text("2026-07-20T00:00:00Z"), 1, 2, {}, "run-2")
TYPED = Watermark(from_text("2026-01-01T00:00:00Z"))


def test_the_json_form_keeps_everything() -> None:
    assert Watermark.from_json(ONE.to_json()) == ONE
    assert ONE.to_json()["updated_at"] == "2026-07-19T09:07:23.123456789Z"


def test_a_person_needs_to_type_only_the_timestamp() -> None:
    assert Watermark.from_json({"updated_at": "2026-01-01 00:00:00"}) == TYPED
    assert Watermark.from_json({"updated_at": None}) == Watermark()


@pytest.mark.parametrize("data", [{}, {"updatedAt": "2026-01-01T00:00:00Z"}, {"updated_at": "soon"}, "2026-01-01T00:00:00Z", [1]])
def test_anything_else_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"looks like|is not an ISO 8601 timestamp"):
        Watermark.from_json(data)


def test_without_a_journal_the_asset_state_counts() -> None:
    assert recover(ONE, None).watermark == ONE
    assert recover(None, None).watermark == Watermark()


def test_both_agree_in_silence() -> None:
    assert recover(TWO, Move(ONE, TWO)) == recover(TWO, None)


def test_a_missing_asset_state_is_restored_from_the_journal() -> None:
    found = recover(None, Move(ONE, TWO))
    assert found.watermark == TWO
    assert found.note == "The asset state is missing; the run journal's watermark 2026-07-20T00:00:00Z is used."


def test_a_crash_between_journal_and_asset_state_is_mended() -> None:
    found = recover(ONE, Move(ONE, TWO))
    assert found.watermark == TWO
    assert "one run behind" in found.note


def test_what_a_person_set_is_honoured() -> None:
    found = recover(TYPED, Move(ONE, TWO))
    assert found.watermark == TYPED
    assert "set by a person to 2026-01-01T00:00:00Z (the run journal says 2026-07-20T00:00:00Z)" in found.note


def test_a_reset_to_the_very_value_of_the_last_run_but_one_is_honoured() -> None:
    typed = Watermark(ONE.at, ONE.rows)
    assert recover(typed, Move(ONE, TWO)).watermark == typed


def test_a_reset_to_nothing_is_honoured_after_the_first_run() -> None:
    assert recover(Watermark(), Move(None, ONE)).watermark == Watermark()
