"""Finding the fixed columns of contracts: braze 1.1 in a table, and the messages where they are not."""

from __future__ import annotations

import pytest

from activation.errors import ConfigurationError
from activation.records.layout import bind
from activation.warehouses.base import Column

TABLE = ("crm", "users")


def columns(*names: str) -> list[Column]:
    return [Column(name, "TEXT") for name in names]


def error(*names: str, cursor: str = "UPDATED_AT", key: tuple[str, ...] = ()) -> str:
    with pytest.raises(ConfigurationError) as raised:
        bind(TABLE, columns(*names), cursor=cursor, key=key)
    return str(raised.value)


def test_the_columns_are_found_in_any_case_and_keep_their_names() -> None:
    layout = bind(TABLE, columns("Payload", "note", "updated_at", "eXternal_ID", "EMAIL"), cursor="UPDATED_AT")
    assert layout.roles == {"external_id": "eXternal_ID", "email": "EMAIL", "payload": "Payload"}
    extract = layout.extract
    assert (extract.table, extract.cursor.name) == (TABLE, "updated_at")
    assert [column.name for column in extract.key] == ["eXternal_ID", "EMAIL"]
    assert [column.name for column in extract.values] == ["eXternal_ID", "EMAIL", "Payload"]


def test_all_identifiers_are_used_and_other_columns_are_not_read() -> None:
    names = ["external_id", "alias_name", "alias_label", "braze_id", "email", "phone"]
    layout = bind(TABLE, columns("secret", "payload", *reversed(names), "updated_at"), cursor="updated_at")
    assert list(layout.roles) == [*names, "payload"]
    assert [column.name for column in layout.extract.values] == [*names, "payload"]
    assert [column.name for column in layout.extract.key] == names


def test_a_key_of_ones_own_orders_the_rows_and_is_read_once() -> None:
    layout = bind(
        TABLE, columns("updated_at", "id", "Seq", "external_id", "payload"), cursor="updated_at", key=("seq", "external_id")
    )
    assert [column.name for column in layout.extract.key] == ["Seq", "external_id"]
    assert [column.name for column in layout.extract.values] == ["external_id", "payload", "Seq"]
    assert {column.name for column in layout.extract.key} <= {column.name for column in layout.extract.values}


def test_a_column_keeps_its_type() -> None:
    typed = [Column("updated_at", "TIMESTAMP_NTZ(9)"), Column("external_id", "VARCHAR"), Column("payload", "VARIANT")]
    layout = bind(TABLE, typed, cursor="updated_at")
    assert layout.extract.cursor == typed[0]
    assert layout.extract.values == tuple(typed[1:])


def test_a_name_that_a_person_has_spelled_exactly_goes_first() -> None:
    names = ("Changed", "changed", "external_id", "payload", "Seq", "SEQ")
    layout = bind(TABLE, columns(*names), cursor="changed", key=("SEQ",))
    assert layout.extract.cursor.name == "changed"
    assert [column.name for column in layout.extract.key] == ["SEQ"]


def test_missing_cursor_column() -> None:
    assert error("UPDATED_ON", "EXTERNAL_ID", "PAYLOAD") == (
        "crm.users has no column UPDATED_AT (it has UPDATED_ON, EXTERNAL_ID, PAYLOAD). Did you mean UPDATED_ON? "
        "Fix: Name the column as the pipeline expects it, or read from a view that does."
    )


def test_missing_cursor_column_without_anything_like_it() -> None:
    assert error("a", "b") == (
        "crm.users has no column UPDATED_AT (it has a, b). "
        "Fix: Name the column as the pipeline expects it, or read from a view that does."
    )


def test_missing_payload() -> None:
    assert error("UPDATED_AT", "EXTERNAL_ID", "PAYLOADS") == (
        "crm.users has no column payload (it has UPDATED_AT, EXTERNAL_ID, PAYLOADS). Did you mean PAYLOADS? "
        "Fix: Give the table the column, or make the payload of other columns: columns: {fields: {city: CITY}}."
    )


def test_missing_key_column() -> None:
    assert error("UPDATED_AT", "EXTERNAL_ID", "PAYLOAD", key=("row_number",)) == (
        "crm.users has no column row_number (it has UPDATED_AT, EXTERNAL_ID, PAYLOAD). "
        "Fix: Name the column as the pipeline expects it, or read from a view that does."
    )


def test_no_identifier() -> None:
    assert error("UPDATED_AT", "USER_ID", "PAYLOAD") == (
        "crm.users has no identifier column (it has UPDATED_AT, USER_ID, PAYLOAD). "
        "Fix: Add at least one of EXTERNAL_ID, ALIAS_NAME, ALIAS_LABEL, BRAZE_ID, EMAIL, PHONE, "
        "or name the column in the pipeline: columns: {identifiers: {external_id: COLUMN}}."
    )


@pytest.mark.parametrize(("there", "missing"), [("ALIAS_NAME", "ALIAS_LABEL"), ("ALIAS_LABEL", "ALIAS_NAME")])
def test_half_an_alias(there: str, missing: str) -> None:
    text = f"crm.users has {there} but not {missing}. Fix: An alias needs both columns."
    assert error("UPDATED_AT", there.lower(), "PAYLOAD") == text
    assert error("UPDATED_AT", "EXTERNAL_ID", there, "PAYLOAD") == text


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("External_Id", "EXTERNAL_ID"), "EXTERNAL_ID"),
        (("external_id", "EXTERNAL_ID"), "EXTERNAL_ID"),
        (("payload", "PAYLOAD"), "PAYLOAD"),
        (("Updated_At", "updated_at"), "UPDATED_AT"),
    ],
)
def test_two_columns_that_differ_in_case_only(names: tuple[str, str], wanted: str) -> None:
    others = [name for name in ("UPDATED_AT", "EXTERNAL_ID", "PAYLOAD") if name != wanted]
    assert error(*others, *names) == (
        f"crm.users has more than one column that can be {wanted}: {', '.join(names)}. Fix: Read from a view that has one."
    )


def test_no_column_that_is_read_may_have_the_name_that_batches_use() -> None:
    assert error("UPDATED_AT", "EXTERNAL_ID", "PAYLOAD", "cursor", key=("cursor",)) == (
        "crm.users has a column cursor that is to be read, but the name is taken. "
        "Fix: Read from a view that gives it another name."
    )
    bind(TABLE, columns("cursor", "external_id", "payload"), cursor="cursor")


def test_a_wide_table_is_not_listed_to_the_end() -> None:
    text = error(*(f"c{number}" for number in range(31)), "EXTERNAL_ID")
    assert "c0, c1, " in text
    assert "c29, …)" in text
    assert "c30" not in text
