"""User deletes: which identifiers count, and which call a row goes to (contracts: braze 1.1, 2.5)."""

from __future__ import annotations

import pytest

from activation.destinations.braze.kinds import KINDS, Options
from activation.errors import ConfigurationError
from activation.records.layout import bind
from activation.warehouses.base import Column

from .kinds import encode, sent, verdict

ROWS = [{"external_id": "u1"}, {"alias_name": "이름", "alias_label": "l"}, {"braze_id": "b"}, {"external_id": "u2"}]


def columns(*names: str) -> list[Column]:
    return [Column(name, "varchar") for name in names]


def test_f02_each_row_names_one_user() -> None:
    assert sent("deletes", *ROWS) == ["u1", {"alias_name": "이름", "alias_label": "l"}, "b", "u2"]


def test_f02_each_kind_of_identifier_goes_to_its_own_call() -> None:
    groups = encode("deletes", *ROWS).groups
    assert groups is not None
    assert groups.tolist() == [0, 1, 2, 0]
    calls = KINDS["deletes"].calls(Options())
    assert [call.array for call in calls] == ["external_ids", "user_aliases", "braze_ids"]
    assert {(call.method, call.path, call.permission) for call in calls} == {("POST", "/users/delete", "users.delete")}
    assert calls[0].body(b'"u1","u2"') == b'{"external_ids":["u1","u2"]}'


def test_f02_a_table_with_a_payload_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ConfigurationError) as raised:
        bind(("crm", "gone"), columns("UPDATED_AT", "EXTERNAL_ID", "Payload"), cursor="UPDATED_AT", shape=KINDS["deletes"].shape)
    assert str(raised.value) == (
        "crm.gone has a column Payload. Rows of a table with a payload are meant to update users, not to delete them, so nothing "
        "was sent. Fix: Read from a view without it."
    )


def test_f02_other_columns_are_ignored() -> None:
    found = bind(("t",), columns("UPDATED_AT", "EXTERNAL_ID", "EMAIL", "note"), cursor="UPDATED_AT", shape=KINDS["deletes"].shape)
    assert found.roles == {"external_id": "EXTERNAL_ID"}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({}, "no_identifier"),
        ({"alias_name": "n"}, "half_alias"),
        ({"external_id": "u", "braze_id": "b"}, "multiple_identifiers"),
        ({"external_id": "x" * 988}, "identifier_too_long"),
        ({"external_id": "u", "cursor": None}, "null_updated_at"),
    ],
)
def test_f02_bad_rows(row: dict[str, str], code: str) -> None:
    assert verdict("deletes", row) == code
