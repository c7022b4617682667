"""What is special about Redshift: the client that is chosen, logins, TLS, tags, limits of cursors, lost connections, rights."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
import redshift_connector

from activation.cursor.window import Position, Window
from activation.errors import ConfigurationError, TransientError
from activation.hooks.connections import open_source
from activation.warehouses import explain
from activation.warehouses.base import Query
from activation.warehouses.redshift import RedshiftWarehouse
from activation.warehouses.redshift_psycopg import PsycopgClient, authorities
from activation.warehouses.redshift_rows import RowsClient
from sandbox.tls import private_authority
from sandbox.warehouses.postgres import LIMITED, PASSWORD
from sandbox.warehouses.redshift import DATABASE, OWNER, RedshiftSandbox
from sandbox.warehouses.redshift_front import RedshiftFront
from tests.contracts.sources import EVERYTHING, reading

ROWS = 5_000
CONN_ID = "redshift_test"

BOTH = pytest.mark.parametrize("more", [{}, {"region": "us-east-1"}], ids=["psycopg", "rows"])
"""An extra field that only the hook's driver knows makes that one read."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RedshiftSandbox]:
    """The server, with a table of 5,000 rows, one a second, in a schema of their own."""
    with RedshiftSandbox() as one, pytest.MonkeyPatch.context() as patch:
        for name, value in one.environment().items():
            patch.setenv(name, value)
        stamps = pa.array([(1_767_225_600 + n) * 1_000_000 for n in range(ROWS)], pa.timestamp("us", "UTC"))
        texts = [f"text {n}" if n % 3 else None for n in range(ROWS)]
        one.load(("space", "rows"), pa.table({"id": range(ROWS), "u": stamps, "payload": texts}), {"id": "integer"})
        yield one


@pytest.fixture
def opened(sandbox: RedshiftSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RedshiftWarehouse]]:
    """Open warehouses through the official hook; they are closed after the test."""
    warehouses: list[RedshiftWarehouse] = []

    def one(more: dict[str, Any] | None = None, tag: dict[str, str] | None = None, **changed: Any) -> RedshiftWarehouse:
        fields = {**json.loads(sandbox.connection(application_name="test", **(more or {}))), **changed}
        monkeypatch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", json.dumps(fields))
        found = open_source("redshift", CONN_ID, tag=tag)
        assert isinstance(found, RedshiftWarehouse)
        warehouses.append(found)
        return found

    yield one
    for warehouse in warehouses:
        warehouse.close()


def refused(opened: Callable[..., RedshiftWarehouse], **changed: Any) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        opened(**changed)
    assert PASSWORD not in str(caught.value)
    return caught.value


@BOTH
def test_every_row_and_every_value_comes(opened: Callable[..., RedshiftWarehouse], more: dict[str, Any]) -> None:
    warehouse = opened(more)
    assert isinstance(warehouse.client, RowsClient if more else PsycopgClient)
    rows = reading(warehouse, ("space", "rows")).rows()
    assert [row["id"] for row in rows] == [str(n) for n in range(ROWS)]
    assert [row["payload"] for row in rows[:3]] == [None, "text 1", "text 2"]
    assert rows[7][""] == 1_767_225_607_000_000


@BOTH
def test_the_server_sees_the_tag_on_every_statement(
    opened: Callable[..., RedshiftWarehouse], sandbox: RedshiftSandbox, more: dict[str, Any]
) -> None:
    warehouse = opened(more, {"dag": "it's", "task": "import", "run": "x" * 400})
    extract = reading(warehouse, ("space", "rows")).extract
    sandbox.front.seen.clear()
    warehouse.survey(extract, None)
    warehouse.count(extract, EVERYTHING)
    list(warehouse.batches(extract, EVERYTHING))
    want = f"dag=it''s, task=import, run={'x' * 400}"[:321]
    assert {one.group for one in sandbox.front.seen} == {want}
    texts = [one.text for one in sandbox.front.seen]
    assert sum('FROM "space"."rows"' in text for text in texts) >= 3
    assert all(text.startswith(("BEGIN READ ONLY", "ROLLBACK", "SELECT", "DECLARE", "FETCH", "CLOSE")) for text in texts)


@BOTH
def test_a_cluster_of_one_node_gives_no_more_rows_at_once_than_it_may(
    opened: Callable[..., RedshiftWarehouse], sandbox: RedshiftSandbox, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    monkeypatch.setattr(sandbox.front, "single_node", True)
    warehouse = opened(more)
    for _ in range(2):
        sandbox.front.seen.clear()
        found = reading(warehouse, ("space", "rows"))
        assert [row["id"] for row in found.rows()] == [str(n) for n in range(ROWS)]
        pages = [
            int(one.text.split()[2])
            for one in sandbox.front.seen
            if one.text.startswith("FETCH FORWARD") and "probe" not in one.text
        ]
        assert max(pages) == 1_000


@BOTH
def test_a_lost_connection_may_pass_and_the_next_one_reads_the_rest(
    opened: Callable[..., RedshiftWarehouse], sandbox: RedshiftSandbox, more: dict[str, Any]
) -> None:
    warehouse = opened(more)
    extract = reading(warehouse, ("space", "rows")).extract
    stream = warehouse.batches(extract, EVERYTHING, rows=100)
    seen = [text for batch in itertools.islice(stream, 3) for text in batch.column("id").to_pylist()]
    sandbox.front.drop()
    with pytest.raises(TransientError):
        for batch in stream:
            seen += batch.column("id").to_pylist()
    assert len(seen) < ROWS
    with pytest.raises(TransientError):
        warehouse.count(extract, EVERYTHING)
    after = Position((1_767_225_600 + int(seen[-1])) * 1_000_000_000, (seen[-1],))
    rest = opened(more).batches(extract, EVERYTHING, after)
    seen += [text for batch in rest for text in batch.column("id").to_pylist()]
    assert seen == [str(n) for n in range(ROWS)]


@BOTH
def test_a_session_that_was_ended_may_pass(
    opened: Callable[..., RedshiftWarehouse], sandbox: RedshiftSandbox, more: dict[str, Any]
) -> None:
    warehouse = opened(more)
    extract = reading(warehouse, ("space", "rows")).extract
    stream = warehouse.batches(extract, EVERYTHING, rows=100)
    next(stream)
    sandbox.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test'")
    with pytest.raises(TransientError, match=r"Reading space\.rows from Redshift failed"):
        list(stream)


KEYS = ["a'b", "a\\b", "\\", "\\\\'", "'; DROP TABLE x; --", "%s", "한😀", "a\nb", "'", ""]


@BOTH
def test_every_key_is_only_a_value(
    opened: Callable[..., RedshiftWarehouse], sandbox: RedshiftSandbox, more: dict[str, Any]
) -> None:
    stamp = pa.array([1_767_225_600_000_000] * len(KEYS), pa.timestamp("us", "UTC"))
    sandbox.load(("space", "keys"), pa.table({"id": KEYS, "u": stamp}))
    found = reading(opened(more), ("space", "keys"))
    places = found.positions()
    assert [place.key[0] for place in places] == sorted(KEYS)
    for number, place in enumerate(places):
        assert found.positions(after=place) == places[number + 1 :]


def test_a_key_with_a_character_that_redshift_has_not_is_refused(opened: Callable[..., RedshiftWarehouse]) -> None:
    found = reading(opened(), ("space", "rows"))
    with pytest.raises(ConfigurationError, match="NUL"):
        found.positions(after=Position(0, ("a\0b",)))


def test_a_query_may_use_what_only_redshift_has(opened: Callable[..., RedshiftWarehouse]) -> None:
    query = Query("SELECT 1 AS id, GETDATE() AS u, JSON_PARSE('{\"a\":[1,null]}') AS doc")
    warehouse = opened()
    assert [column.type for column in warehouse.columns(query)] == ["integer", "timestamp without time zone", "super"]
    (row,) = reading(warehouse, query).rows()
    assert row["doc"] == '{"a":[1,null]}'


@BOTH
def test_rights_are_asked_for_by_statement(
    opened: Callable[..., RedshiftWarehouse], sandbox: RedshiftSandbox, more: dict[str, Any]
) -> None:
    extract = reading(opened(more), ("space", "rows")).extract
    limited = opened(more, login=LIMITED)
    sandbox.execute(f"REVOKE ALL ON SCHEMA space FROM {LIMITED}; REVOKE ALL ON space.rows FROM {LIMITED}")
    calls = (lambda: limited.columns(extract.table), lambda: limited.count(extract, EVERYTHING))
    for right in ('USAGE ON SCHEMA "space"', 'SELECT ON "space"."rows"'):
        for call in calls:
            with pytest.raises(ConfigurationError) as caught:
                call()
            assert caught.value.fix == f'Let an owner run: GRANT {right} TO "{LIMITED}";'
        sandbox.execute(f"GRANT {right} TO {LIMITED}")
    assert limited.count(extract, EVERYTHING) == ROWS


def test_a_view_that_writes_is_refused(opened: Callable[..., RedshiftWarehouse], sandbox: RedshiftSandbox) -> None:
    sandbox.execute(
        "CREATE FUNCTION space.sneaky() RETURNS integer LANGUAGE sql AS 'DELETE FROM space.rows RETURNING id'; "
        "CREATE VIEW space.writes AS SELECT space.sneaky() AS id, now() AS u"
    )
    warehouse = opened()
    with pytest.raises(ConfigurationError, match="25006"):
        list(warehouse.batches(reading(warehouse, ("space", "writes")).extract, EVERYTHING))
    assert sandbox.execute("SELECT COUNT(*) FROM space.rows") == [(ROWS,)]


def test_one_connection_runs_one_statement(opened: Callable[..., RedshiftWarehouse]) -> None:
    warehouse = opened()
    extract = reading(warehouse, ("space", "rows")).extract
    stream = warehouse.batches(extract, EVERYTHING, rows=10)
    next(stream)
    with pytest.raises(RuntimeError, match="read the stream to its end, or close it"):
        warehouse.count(extract, EVERYTHING)
    assert sum(batch.num_rows for batch in stream) == ROWS - 10
    assert warehouse.count(extract, Window(None, True, EVERYTHING.upper, nulls=False)) == ROWS


@BOTH
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong-secret"}, "login or the password"),
        ({"login": "nobody"}, "login or the password"),
        ({"schema": "nowhere"}, "Correct the database"),
    ],
)
def test_a_refused_login_says_what_to_correct(
    opened: Callable[..., RedshiftWarehouse], more: dict[str, Any], changed: dict[str, str], said: str
) -> None:
    error = refused(opened, more=more, **changed)
    assert said in error.fix
    assert "wrong-secret" not in str(error)


def test_a_server_that_is_away_may_come_back(opened: Callable[..., RedshiftWarehouse]) -> None:
    with pytest.raises(TransientError, match="Connecting to Redshift failed"):
        opened(port=1)


def test_an_unknown_authority_is_not_trusted(opened: Callable[..., RedshiftWarehouse], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    error = refused(opened, more={"sslmode": "verify-ca"})
    assert "certificate verify failed" in error.problem
    assert "SSL_CERT_FILE" in error.fix


def test_the_row_driver_does_not_trust_it_either(sandbox: RedshiftSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(redshift_connector.Error) as caught:  # the hook would try again for half a minute
        redshift_connector.connect(host="localhost", port=sandbox.front.port, database=DATABASE, user=OWNER, password=PASSWORD)
    error = explain("redshift", caught.value)
    assert isinstance(error, ConfigurationError)
    assert "SSL_CERT_FILE" in error.fix


def test_another_name_in_the_certificate(
    opened: Callable[..., RedshiftWarehouse],
    sandbox: RedshiftSandbox,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    authority = private_authority(tmp_path_factory.mktemp("other"), host="cluster.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", authority.ca_file)
    front = RedshiftFront(sandbox.server.socket, authority.certificate, authority.private_key)
    try:
        error = refused(opened, port=front.port)
        assert "verify-ca" in error.fix
        assert opened({"sslmode": "verify-ca"}, port=front.port).columns(("space", "rows"))
    finally:
        front.stop()


def test_without_tls_the_server_refuses(opened: Callable[..., RedshiftWarehouse]) -> None:
    assert "extra field ssl" in refused(opened, more={"ssl": False}).fix


def test_both_drivers_trust_the_same_authorities(sandbox: RedshiftSandbox) -> None:
    found = authorities()
    with open(os.environ["SSL_CERT_FILE"], encoding="ascii") as file:  # noqa: PTH123 - as libpq does
        assert file.read().strip() in found
    assert found.count("BEGIN CERTIFICATE") > 1  # the bundle of redshift_connector
