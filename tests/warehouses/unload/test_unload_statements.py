"""The statements that unload: columns under their names, values and quotes that cannot break out, answers that are checked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from activation.cursor.timestamps import from_text
from activation.cursor.window import Window
from activation.errors import ConfigurationError, FatalError
from activation.warehouses import ENGINES as READ
from activation.warehouses.base import Column, Extract, Only, Query
from activation.warehouses.redshift import DIALECT, RedshiftWarehouse
from activation.warehouses.unload import ENGINES, REFUSALS, unloader_of
from activation.warehouses.unload.base import Target, Written
from activation.warehouses.unload.query import nested, query, quoted
from activation.warehouses.unload.redshift import RedshiftUnloader
from activation.warehouses.unload.redshift import files_of as redshift_files
from activation.warehouses.unload.snowflake import files_of as snowflake_files

HOUR = Window(from_text("2026-07-19T09:00:00Z"), True, from_text("2026-07-19T09:59:59.999999Z"), nulls=False)
AT, NAME = Column("at", "timestamp with time zone"), Column("name", "character varying")
EVENTS = Extract(("crm", "events"), AT, (NAME,), (AT, NAME), (Only(NAME, ("df_login", "구매")),))
ROLE = "arn:aws:iam::123456789012:role/unload"
TARGET = Target("s3://bucket/crm/unload=1/", "parquet", "snappy", ROLE)


class NoClient:
    """A connection that nothing may be asked of."""

    user = ""


def unloader() -> RedshiftUnloader:
    found = unloader_of("redshift", RedshiftWarehouse(NoClient()))  # type: ignore[arg-type]
    assert isinstance(found, RedshiftUnloader)
    return found


def test_the_query_is_that_of_a_read_with_names_and_values() -> None:
    assert query(replace(DIALECT, typed="."), EVENTS, HOUR) == (
        'SELECT src."at" AS "at", src."name" AS "name" FROM "crm"."events" AS src '
        "WHERE (src.\"at\" >= CAST('2026-07-19 09:00:00+00' AS TIMESTAMPTZ) "
        "AND src.\"at\" <= CAST('2026-07-19 09:59:59.999999+00' AS TIMESTAMPTZ)) "
        "AND CAST(src.\"name\" AS VARCHAR) IN ('df_login', '구매') "
        'ORDER BY src."at" ASC, COALESCE(CAST(src."name" AS VARCHAR), \'\') ASC'
    )


def test_a_name_that_looks_like_a_place_for_a_name_stays() -> None:
    odd = Column(' AS v2, "% AS v1', "character varying")
    extract = Extract(Query("SELECT 1 AS v1, '%' AS v2"), AT, (), (odd, NAME))
    found = query(replace(DIALECT, typed="."), extract, HOUR)
    assert found.startswith(
        'SELECT src." AS v2, ""% AS v1" AS " AS v2, ""% AS v1", src."name" AS "name" FROM (SELECT 1 AS v1, \'%\' AS v2\n) AS src'
    )


@pytest.mark.parametrize("value", ["it's", "back\\slash", "a;b", "line\nend", "nul\0", "(1)", "$$"])
def test_a_value_that_is_not_plain_is_refused(value: str) -> None:
    extract = replace(EVENTS, only=(Only(NAME, (value,)),))
    with pytest.raises(ConfigurationError, match=r"cannot stand in a statement that unloads"):
        query(DIALECT, extract, HOUR)


def test_quotes_are_doubled_or_refused() -> None:
    assert nested("SELECT 'a''b'") == "'SELECT ''a''''b'''"
    for text in ("a\\", "a\0"):
        with pytest.raises(ConfigurationError):
            nested(text)
    for text in ("it's", "a\\", "line\nend", "\x7f"):
        with pytest.raises(ConfigurationError):
            quoted(text)


def test_redshift_is_told_format_size_key_and_region() -> None:
    target = replace(TARGET, part_bytes=512_000_000, encryption="aws:kms", key="alias/crm", region="eu-west-1")
    text = unloader().statement(EVENTS, HOUR, target)
    assert text.startswith('UNLOAD (\'SELECT src."at" AS "at", ')
    assert text.endswith(
        f") TO 's3://bucket/crm/unload=1/' IAM_ROLE '{ROLE}' FORMAT PARQUET MANIFEST VERBOSE MAXFILESIZE 512 MB "
        "KMS_KEY_ID 'alias/crm' ENCRYPTED REGION 'eu-west-1'"
    )
    csv = unloader().statement(EVENTS, HOUR, replace(TARGET, kind="csv", compression="gzip"))
    assert "FORMAT CSV HEADER GZIP MANIFEST VERBOSE" in csv
    assert 'TO_CHAR(src."at", \'\'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\'\') AS "at"' in csv


@pytest.mark.parametrize(("size", "told"), [(1_000_000, 5), (64_999_999, 64), (10_000_000_000, 6_200)])
def test_a_size_is_brought_within_the_limits_of_redshift(size: int, told: int) -> None:
    assert f"MAXFILESIZE {told} MB" in unloader().statement(EVENTS, HOUR, replace(TARGET, part_bytes=size))


@pytest.mark.parametrize(
    "changed",
    [
        {"credential": ""},
        {"credential": f"{ROLE};{ROLE}"},
        {"credential": f"{ROLE}' x"},
        {"kind": "jsonl", "compression": "gzip"},
        {"compression": "zstd"},
        {"encryption": "aws:kms"},
        {"part_rows": 9},
    ],
)
def test_what_redshift_cannot_do_is_told(changed: dict[str, Any]) -> None:
    assert unloader().refusal(TARGET) == ""
    assert unloader().refusal(replace(TARGET, **changed)).startswith("Redshift ")


def test_a_path_with_a_quote_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="has a quote"):
        unloader().statement(EVENTS, HOUR, replace(TARGET, url="s3://bucket/it's/"))


def test_a_manifest_of_redshift_gives_its_files_in_order() -> None:
    told = {
        "entries": [
            {"url": "s3://b/1_part_00", "meta": {"content_length": 5, "record_count": 2}},
            {"url": "s3://b/0_part_00", "meta": {"content_length": 4, "record_count": 1}},
        ],
        "meta": {"content_length": 9, "record_count": 3},
    }
    assert redshift_files(json.dumps(told).encode()) == (Written("s3://b/0_part_00", 1), Written("s3://b/1_part_00", 2))
    told["meta"] = {"record_count": 4}
    with pytest.raises(FatalError, match="says 4 rows, its files have 3"):
        redshift_files(json.dumps(told).encode())
    for broken in (b"", b"[]", b'{"entries": [{"url": "s3://b/0"}]}'):
        with pytest.raises(FatalError, match="not as documented"):
            redshift_files(broken)


def test_an_answer_of_snowflake_gives_its_files_wherever_it_says_they_are() -> None:
    rows = [("crm/unload=1/data_1.parquet", 9, 2), ("data_0.parquet", 8, 1)]
    assert snowflake_files(["FILE_NAME", "FILE_SIZE", "ROW_COUNT"], rows, TARGET.url) == (
        Written("s3://bucket/crm/unload=1/data_0.parquet", 1), Written("s3://bucket/crm/unload=1/data_1.parquet", 2)
    )  # fmt: skip
    with pytest.raises(FatalError, match="has no column ROW_COUNT; it has rows_unloaded"):
        snowflake_files(["rows_unloaded", "FILE_NAME"], [(3, "a")], TARGET.url)


def test_engines_that_cannot_have_no_unloader_but_a_reason() -> None:
    assert set(ENGINES) == {"databricks", "redshift", "snowflake"}
    assert set(ENGINES) | set(REFUSALS) == set(READ)
    for engine, reason in REFUSALS.items():
        assert unloader_of(engine, RedshiftWarehouse(NoClient())) is None  # type: ignore[arg-type]
        assert reason.endswith(".")
    assert "BigQuery Omni" in REFUSALS["bigquery"]


def test_columns_can_be_shown_in_another_way_than_they_order_rows() -> None:
    shown = replace(DIALECT, json=((r"^character", "UPPER({column})"), *DIALECT.json), typed="^timestamp")
    assert query(replace(DIALECT, typed="."), EVENTS, HOUR, shown).startswith(
        'SELECT src."at" AS "at", UPPER(src."name") AS "name" FROM'
    )
    assert query(replace(DIALECT, typed="."), EVENTS, HOUR, shown).endswith(
        "IN ('df_login', '구매') ORDER BY src.\"at\" ASC, COALESCE(CAST(src.\"name\" AS VARCHAR), '') ASC"
    )
