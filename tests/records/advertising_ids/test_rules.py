"""Which column holds the ids, before anything is read."""

from __future__ import annotations

import pytest

from activation.errors import ConfigurationError
from activation.records.advertising_ids import id_column
from activation.warehouses.base import Column

TEXTS = (
    "VARCHAR", "varchar(36)", "character varying", "character varying(36)", "character(36)", "char(36)", "bpchar", "text", "TEXT",
    "STRING", "string", "nvarchar(36)", "VARCHAR(16777216)",
)  # fmt: skip
OTHERS = (
    "uuid", "UUID", "bytea", "BINARY", "BLOB", "BYTES", "varbyte(16)", "NUMBER(38,0)", "bigint", "VARIANT", "json", "super",
    "VARCHAR[]", "text[]", "ARRAY<STRING>", "array<string>", "STRUCT(adid VARCHAR)", "MAP(VARCHAR, VARCHAR)", "timestamp",
)  # fmt: skip


@pytest.mark.parametrize("kind", TEXTS)
def test_texts_of_every_engine_are_taken(kind: str) -> None:
    assert id_column([Column("id", "BIGINT"), Column("adid", kind)], "adid", "crm.ids").type == kind


@pytest.mark.parametrize("kind", OTHERS)
def test_another_type_is_refused_by_name_and_type(kind: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        id_column([Column("AdId", kind)], "adid", "crm.ids")
    assert f"The column AdId of crm.ids has the type {kind};" in caught.value.problem
    assert "AdId" in caught.value.fix


def test_the_fix_says_what_to_cast() -> None:
    fixes = {}
    for kind in ("uuid", "bigint", "BINARY"):
        with pytest.raises(ConfigurationError) as caught:
            id_column([Column("adid", kind)], "adid", "crm.ids")
        fixes[kind] = caught.value.fix
    assert fixes["uuid"] == fixes["bigint"]
    assert "SELECT CAST(adid AS VARCHAR) AS adid FROM …" in fixes["uuid"]
    assert "hexadecimal digits in groups of 8-4-4-4-12" in fixes["BINARY"]


def test_the_column_is_found_in_any_case_and_by_its_exact_name_first() -> None:
    columns = [Column("id", "BIGINT"), Column("ADID", "TEXT")]
    assert id_column(columns, "adid", "t").name == "ADID"
    assert id_column([*columns, Column("adid", "TEXT")], "adid", "t").name == "adid"


def test_no_column_and_more_than_one_are_told_with_what_is_there() -> None:
    with pytest.raises(ConfigurationError, match=r"t has no column 'adid'; its columns are: id, idfa\..*ids\.column"):
        id_column([Column("id", "BIGINT"), Column("idfa", "TEXT")], "adid", "t")
    with pytest.raises(ConfigurationError, match=r"t has more than one column 'adid'; its columns are: ADID, AdId\."):
        id_column([Column("ADID", "TEXT"), Column("AdId", "TEXT")], "adid", "t")
