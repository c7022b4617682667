"""Errors of PostgreSQL by their SQLSTATE, and the copy's own last line of defence."""

from __future__ import annotations

import psycopg
import pyarrow as pa
import pytest

from activation.errors import ConfigurationError, FatalError, TransientError
from activation.warehouses.postgres_copy import Chunk, Copy, parse
from activation.warehouses.postgres_errors import map_error

SHAPE = pa.schema([pa.field("cursor", pa.int64()), pa.field("text", pa.string())])


@pytest.mark.parametrize(
    "state",
    ["08006", "40001", "40P01", "53300", "53200", "55P03", "57014", "57P01", "57P02", "57P03", "58030", "25P03", "XX000"],
)
def test_what_may_pass(state: str) -> None:
    found = map_error(psycopg.errors.lookup(state)("it happened"), ("s", "t"))
    assert isinstance(found, TransientError)
    assert str(found) == f"Reading s.t from PostgreSQL failed ({state}): it happened"


@pytest.mark.parametrize(
    "state", ["28P01", "28000", "3D000", "3F000", "42P01", "42703", "42501", "42883", "22012", "0A000", "25006", "54001", "57P04"]
)
def test_what_a_person_must_fix(state: str) -> None:
    found = map_error(psycopg.errors.lookup(state)("it happened"), ("s", "t"), "reader")
    assert isinstance(found, ConfigurationError)
    assert f"({state})" in found.problem
    assert found.fix


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("permission denied for table t", 'GRANT SELECT ON "s"."t" TO "reader";'),
        ("permission denied for view t", 'GRANT SELECT ON "s"."t" TO "reader";'),
        ("permission denied for table below", 'GRANT SELECT ON "below" TO "reader";'),
        ("permission denied for schema s", 'GRANT USAGE ON SCHEMA "s" TO "reader";'),
        ("permission denied for function f", 'GRANT EXECUTE ON FUNCTION f TO "reader";'),
        ("keine Berechtigung für Tabelle t", 'GRANT SELECT ON "s"."t" TO "reader";'),
    ],
)
def test_the_missing_right(text: str, fix: str) -> None:
    found = map_error(psycopg.errors.InsufficientPrivilege(text), ("s", "t"), "reader")
    assert isinstance(found, ConfigurationError)
    assert found.fix == f"Let an owner run: {fix}"


@pytest.mark.parametrize(
    "text",
    [
        "connection to postgresql://me:hunter2@host/db failed",
        "option password=hunter2 is bad",
        "password = 'hunter2 hunter2' is bad",
    ],
)
def test_secrets_are_hidden(text: str) -> None:
    found = map_error(psycopg.OperationalError(text))
    assert "hunter2" not in str(found)
    assert "***" in str(found)


def test_a_chunk_that_is_understood_otherwise_stops_the_run() -> None:
    assert parse(Chunk(b'1,"a\nb"\n,""\n', 2), SHAPE).to_pylist() == [{"cursor": 1, "text": "a\nb"}, {"cursor": None, "text": ""}]
    with pytest.raises(FatalError, match="sent 3 rows, but 2 were understood"):
        parse(Chunk(b"1,a\n2,b\n", 3), SHAPE)


def test_text_that_is_not_utf_8_says_so() -> None:
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        parse(Chunk(b"1,\xff\n", 1), SHAPE)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_copy_that_breaks_in_an_unknown_way_is_never_taken_for_complete() -> None:
    def run(copy: Copy) -> None:
        copy.write(b"1,a\n")
        raise MemoryError

    copy = Copy(run, (psycopg.Error,), 10)
    with pytest.raises(FatalError, match="before its end was seen"):
        list(copy.chunks())


def test_a_full_chunk_is_handed_over_before_the_next_row() -> None:
    rows = [b"x" * 3_000_000, b"y" * 6_000_000, b"z" * 9_000_000, b"1", b"2", b"3"]

    def run(copy: Copy) -> None:
        for row in rows:
            copy.write(row)

    chunks = list(Copy(run, (psycopg.Error,), 2).chunks())
    assert [chunk.rows for chunk in chunks] == [1, 1, 1, 2, 1]
    assert b"".join(chunk.data for chunk in chunks) == b"".join(rows)
