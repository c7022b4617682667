"""What is special about PostgreSQL: settings of a role, plans, lost connections, rights, and the copy in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import psycopg2
import pytest

from activation.cursor.window import Position, Window
from activation.errors import ConfigurationError, FatalError, TransientError
from activation.warehouses import explain, open_warehouse, sql
from activation.warehouses import postgres_copy as bulk
from activation.warehouses.base import Column, Extract, Warehouse
from activation.warehouses.postgres import DIALECT
from activation.warehouses.sql import Statement
from tests.contracts.sources import EVERYTHING, reading
from tests.support.postgres import LIMITED, PASSWORD, Postgres, postgres

__all__ = ["postgres"]

STAMP = "timestamp with time zone"
CURSOR, ID = Column("u", STAMP), Column("id", "integer")


@pytest.fixture(params=[psycopg2.connect, psycopg.connect], ids=["psycopg2", "psycopg3"])
def connect(request: pytest.FixtureRequest, postgres: Postgres) -> Callable[..., Any]:
    """Open a connection through each driver, as the hook does."""
    return lambda **changed: request.param(
        **{"host": postgres.host, "dbname": postgres.database, "user": postgres.user, "application_name": "test", **changed}
    )


@pytest.fixture
def opened(connect: Callable[..., Any]) -> Iterator[Callable[..., Warehouse]]:
    """Open warehouses that are closed after the test."""
    warehouses: list[Warehouse] = []

    def one(**changed: str) -> Warehouse:
        warehouses.append(open_warehouse("postgres", connect(**changed)))
        return warehouses[-1]

    yield one
    for warehouse in warehouses:
        warehouse.close()


@pytest.fixture
def table(postgres: Postgres) -> Iterator[str]:
    """5,000 rows, one a second, in a schema of their own."""
    postgres.execute(
        "CREATE SCHEMA space; CREATE TABLE space.rows AS "
        "SELECT i AS id, timestamptz '2026-01-01 00:00:00+00' + i * interval '1 s' AS u, 'text ' || i AS payload "
        "FROM generate_series(1, 5000) i; CREATE INDEX ON space.rows (u); ANALYZE space.rows"
    )
    yield "rows"
    postgres.execute("DROP SCHEMA space CASCADE")


def extract(name: str, *values: str) -> Extract:
    return Extract(("space", name), CURSOR, (ID,), (ID, *(Column(value, "text") for value in values)))


def test_settings_of_the_role_change_nothing(opened: Callable[..., Warehouse], postgres: Postgres, table: str) -> None:
    postgres.execute(
        "CREATE VIEW space.odd AS SELECT 1 AS id, u, u AS at, decode('00ff', 'hex') AS raw, 0.1::float8 AS number, "
        "interval '1 day 2 hours' AS span, '한😀' AS text FROM space.rows WHERE id = 1"
    )
    options = (
        "-c datestyle=German -c timezone=Asia/Seoul -c bytea_output=escape -c intervalstyle=iso_8601 -c extra_float_digits=-9"
    )
    texts = []
    for changed in ({}, {"options": options, "client_encoding": "EUC_KR"}):
        texts.append(reading(opened(**changed), ("space", "odd")).rows())
    assert texts[0] == texts[1]
    row = texts[0][0]
    assert row.pop("") == 1_767_225_601_000_000
    assert row == {
        "id": "1",
        "at": "2026-01-01 00:00:01+00",
        "raw": "\\x00ff",
        "number": "0.1",
        "span": "1 day 02:00:00",
        "text": "한😀",
    }


def test_a_key_is_compared_in_utf_8_whatever_the_client_encoding(opened: Callable[..., Warehouse], table: str) -> None:
    warehouse = opened(client_encoding="EUC_KR")
    found = reading(warehouse, ("space", table), key=("payload",))
    place = found.positions()[0]
    assert warehouse.count(found.extract, EVERYTHING, Position(place.at, ("😀",))) == 4_999


def test_window_position_and_survey_use_an_index(postgres: Postgres, table: str) -> None:
    window = Window(EVERYTHING.upper // 2, True, EVERYTHING.upper, nulls=False)
    place = place_at(4_900)
    statements = (
        sql.select(DIALECT, extract(table), Window(place.at, False, EVERYTHING.upper, nulls=False)),
        sql.select(DIALECT, extract(table), Window(None, False, EVERYTHING.upper, nulls=False), place),
        sql.count(DIALECT, extract(table), window),
        sql.survey(DIALECT, extract(table), place.at),
    )
    for statement in statements:
        plan = "\n".join(row[0] for row in postgres.execute(f"EXPLAIN {statement.sql}", statement.params))
        assert "Index Cond" in plan, plan
        assert "Seq Scan" not in plan, plan


def place_at(second: int) -> Position:
    return Position((1_767_225_600 + second) * 1_000_000_000, (str(second),))


def test_a_domain_is_shown_as_the_type_below_it(opened: Callable[..., Warehouse], postgres: Postgres, table: str) -> None:
    postgres.execute("CREATE DOMAIN space.moment AS timestamptz(3); CREATE TABLE space.d (id integer, u space.moment)")
    postgres.execute("INSERT INTO space.d VALUES (1, '2026-01-01 00:00:00.123456+00')")
    warehouse = opened()
    assert warehouse.columns(("space", "d"))[1] == Column("u", "timestamp(3) with time zone")
    assert [place.at for place in reading(warehouse, ("space", "d")).positions()] == [1_767_225_600_123_000_000]


def test_a_name_may_have_its_database_in_front(opened: Callable[..., Warehouse], postgres: Postgres, table: str) -> None:
    warehouse = opened()
    assert len(reading(warehouse, (postgres.database, "space", table)).rows()) == 5_000
    for parts in (("elsewhere", "space", table), ("a", postgres.database, "space", table)):
        with pytest.raises(ConfigurationError, match="no table or view"):
            warehouse.columns(parts)


def test_one_connection_runs_one_statement(opened: Callable[..., Warehouse], table: str) -> None:
    warehouse = opened()
    stream = warehouse.batches(extract(table), EVERYTHING, rows=10)
    next(stream)
    with pytest.raises(RuntimeError, match="read the stream to its end, or close it"):
        warehouse.count(extract(table), EVERYTHING)
    assert sum(batch.num_rows for batch in stream) == 4_990
    assert warehouse.count(extract(table), EVERYTHING) == 5_000


def test_no_thread_is_left(opened: Callable[..., Warehouse], table: str) -> None:
    warehouse = opened()
    for read in (1, 3):
        stream = warehouse.batches(extract(table, "payload"), EVERYTHING, rows=100)
        for _ in range(read):
            next(stream)
        stream.close()
    assert len(list(warehouse.batches(extract(table), EVERYTHING))) == 1
    assert [thread for thread in threading.enumerate() if thread.name == "postgres-copy"] == []


@pytest.mark.timeout(60)
def test_an_early_close_does_not_wait_for_the_server(opened: Callable[..., Warehouse], postgres: Postgres, table: str) -> None:
    postgres.execute(
        "CREATE FUNCTION space.stall(id integer) RETURNS text STABLE LANGUAGE plpgsql AS "
        "$$ BEGIN IF id > 500 THEN PERFORM pg_sleep(3600); END IF; RETURN repeat('x', 1000); END $$; "
        "CREATE VIEW space.endless AS SELECT id, u, space.stall(id) AS p FROM space.rows"
    )
    warehouse = opened(options="-c enable_sort=off -c enable_seqscan=off -c enable_bitmapscan=off")  # rows in the index's order
    stream = warehouse.batches(extract("endless", "p"), Window(None, True, EVERYTHING.upper, nulls=False), rows=10)
    assert next(stream).num_rows == 10
    stream.close()
    assert warehouse.count(extract(table), EVERYTHING) == 5_000


def test_a_lost_connection_may_pass(opened: Callable[..., Warehouse], postgres: Postgres, table: str) -> None:
    warehouse = opened()
    wide = "(SELECT repeat(payload, 1000) AS payload, id, u FROM space.rows)"
    postgres.execute(f"CREATE VIEW space.wide AS SELECT * FROM {wide} AS w")
    stream = warehouse.batches(extract("wide", "payload"), EVERYTHING, rows=10)
    next(stream)
    postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test'")
    with pytest.raises(TransientError, match=r"Reading space\.wide from PostgreSQL failed"):
        for _ in stream:
            pass
    with pytest.raises(TransientError):
        warehouse.count(extract(table), EVERYTHING)


def test_a_statement_timeout_may_pass(opened: Callable[..., Warehouse], postgres: Postgres, table: str) -> None:
    postgres.execute("CREATE VIEW space.slow AS SELECT 1 AS id, now() AS u FROM pg_sleep(60)")
    warehouse = opened(options="-c statement_timeout=20")
    with pytest.raises(TransientError, match=r"\(57014\): canceling statement due to statement timeout"):
        list(warehouse.batches(extract("slow"), EVERYTHING))


def test_an_error_in_the_middle_reaches_the_reader_without_the_value(
    opened: Callable[..., Warehouse], postgres: Postgres, table: str
) -> None:
    postgres.execute(
        "CREATE FUNCTION space.number(id integer) RETURNS integer LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN CASE WHEN id = 4000 THEN 'kim@example.com' ELSE '1' END; END $$; "
        "CREATE VIEW space.bad AS SELECT id, u, space.number(id) AS p FROM space.rows"
    )
    warehouse = opened()
    seen = 0
    with pytest.raises(ConfigurationError) as caught:
        for batch in warehouse.batches(extract("bad", "p"), EVERYTHING, rows=1_000):
            seen += batch.num_rows
    assert "(22P02)" in caught.value.problem
    assert "kim@example.com" not in str(caught.value)
    assert "view" in caught.value.fix
    assert seen in (0, 1_000, 2_000, 3_000)
    assert warehouse.count(extract(table), EVERYTHING) == 5_000


def test_a_value_that_its_type_in_arrow_cannot_hold_is_told_with_its_column(
    opened: Callable[..., Warehouse], postgres: Postgres, table: str
) -> None:
    postgres.execute("CREATE VIEW space.endless AS SELECT id, u, id % 2 = 0 AS even, date 'infinity' AS day FROM space.rows")
    values = (ID, Column("even", "boolean"), Column("day", "date"))
    with pytest.raises(FatalError, match=r"^A value of the column day is no date32\[day\]: "):
        list(opened().typed(Extract(("space", "endless"), CURSOR, (ID,), values), EVERYTHING))


def test_lines_and_quotes_in_texts_stay_where_they_are(opened: Callable[..., Warehouse], postgres: Postgres, table: str) -> None:
    postgres.execute(
        "CREATE VIEW space.lines AS SELECT id, u, repeat(E'\"\\r\\n,\\n', id % 4) AS payload, timestamp '2026-01-01' + "
        "id * interval '1 us' AS local FROM space.rows"
    )
    values = (ID, Column("payload", "text"), Column("local", "timestamp without time zone"))
    read = list(opened().typed(Extract(("space", "lines"), CURSOR, (ID,), values), EVERYTHING, rows=700))
    start = datetime(2026, 1, 1, tzinfo=timezone.utc)
    assert [row for batch in read for row in batch.to_pylist()] == [
        {"id": n, "payload": '"\r\n,\n' * (n % 4), "local": start + timedelta(microseconds=n)} for n in range(1, 5_001)
    ]


def test_a_view_that_writes_is_refused(opened: Callable[..., Warehouse], postgres: Postgres, table: str) -> None:
    postgres.execute(
        "CREATE FUNCTION space.sneaky() RETURNS integer LANGUAGE sql AS 'DELETE FROM space.rows RETURNING id'; "
        "CREATE VIEW space.writes AS SELECT space.sneaky() AS id, now() AS u"
    )
    with pytest.raises(ConfigurationError, match="call no function that writes"):
        list(opened().batches(extract("writes"), EVERYTHING))
    assert postgres.execute("SELECT COUNT(*) FROM space.rows") == [(5_000,)]


def test_rights_are_asked_for_by_statement(opened: Callable[..., Warehouse], postgres: Postgres, table: str) -> None:
    limited = opened(user=LIMITED, password=PASSWORD)
    with pytest.raises(ConfigurationError) as caught:
        limited.columns(("space", table))
    assert caught.value.fix == f'Let an owner run: GRANT USAGE ON SCHEMA "space" TO "{LIMITED}";'
    with pytest.raises(ConfigurationError) as caught:
        limited.count(extract(table), EVERYTHING)
    assert caught.value.fix == f'Let an owner run: GRANT USAGE ON SCHEMA "space" TO "{LIMITED}";'
    postgres.execute(f"GRANT USAGE ON SCHEMA space TO {LIMITED}")
    for call in (lambda: limited.columns(("space", table)), lambda: limited.count(extract(table), EVERYTHING)):
        with pytest.raises(ConfigurationError) as caught:
            call()
        assert caught.value.fix == f'Let an owner run: GRANT SELECT ON "space"."{table}" TO "{LIMITED}";'
    postgres.execute(f"GRANT SELECT (id, u) ON space.{table} TO {LIMITED}")
    assert limited.count(extract(table), EVERYTHING) == 5_000


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"user": LIMITED, "password": "wrong-secret"}, "login or the password"),
        ({"user": LIMITED}, "login or the password"),
        ({"user": "nobody"}, "login or the password"),
        ({"dbname": "nowhere"}, "Correct the database"),
        ({"no_such_option": "wrong-secret"}, "extra fields"),
    ],
)
def test_a_refused_login_says_what_to_correct(connect: Callable[..., Any], changed: dict[str, str], said: str) -> None:
    with pytest.raises((psycopg2.Error, psycopg.Error)) as caught:
        connect(**changed)
    error = explain("postgres", caught.value)
    assert isinstance(error, ConfigurationError)
    assert said in error.fix
    assert "wrong-secret" not in str(error)


def test_a_server_that_is_away_may_come_back(connect: Callable[..., Any]) -> None:
    with pytest.raises((psycopg2.Error, psycopg.Error)) as caught:
        connect(host="/nonexistent")
    assert isinstance(explain("postgres", caught.value), TransientError)


def test_the_pieces_of_a_connection_string_are_hidden() -> None:
    with pytest.raises(psycopg2.Error) as caught:
        psycopg2.connect("host=x password=first second")
    assert "second" not in str(explain("postgres", caught.value))


def test_what_is_not_the_drivers_comes_back_as_it_is() -> None:
    error = ValueError("mine")
    assert explain("postgres", error) is error


def test_parameters_reach_a_copy_in_both_drivers(connect: Callable[..., Any]) -> None:
    connection = connect()
    old = type(connection).__module__.startswith("psycopg2")
    values = ("'; --", "a\\b", "한😀", "%s")
    statement = Statement(f"SELECT {', '.join(['CAST(%s AS text)'] * len(values))}", values)
    copy = bulk.Copy((bulk.psycopg2_copy if old else bulk.psycopg3_copy)(connection, statement), (connection.Error,), 10)
    rows = [chunk.data for chunk in copy.chunks()]
    connection.close()
    assert b"".join(rows).decode() == "'; --,a\\b,한😀,%s\n"
