"""``activation check``: one line a finding, and an exit code that a script can use."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from activation.cli import main
from activation.hooks.checks import ENGINES, OTHERS
from activation.hooks.connections import HOOKS
from activation.warehouses.checks import SAMPLES
from sandbox.braze import ApiKey, BrazeSandbox
from sandbox.braze.testing import kept_to

KEY = "0a1b2c3d-4e5f-key"


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection ``w``: a database file with a table."""
    file = tmp_path / "w.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE users (changed TIMESTAMP, external_id VARCHAR, payload VARCHAR)")
        connection.execute("""INSERT INTO users VALUES ('2026-01-01', 'secret-1', '{"email": "a@b.c"}')""")
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps({"conn_type": "duckdb", "host": str(file)}))


def lines(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, str], str]:
    """Verdict by check, and all that was printed."""
    out, error = capsys.readouterr()
    assert error == ""
    found = (re.match(r"(ok|WRONG|skipped) +(.*?): .", line) for line in out.splitlines()[:-1])
    return {match[2]: match[1] for match in found if match}, out


@pytest.mark.usefixtures("warehouse")
def test_a_sound_warehouse_is_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "w", "--table", "main.users", "--cursor", "changed"]) == 0
    found, out = lines(capsys)
    assert [name for name, verdict in found.items() if verdict == "skipped"] == ["time-out", "tag"]
    assert "WRONG" not in out.replace("0 WRONG", "")
    assert {"connection", "clock", "key order", "cursor timestamp_ns", "columns", "rows", "cancellation"} <= set(found)
    assert "ok       latest change: 2026-01-01T00:00:00Z" in out
    assert "secret" not in out
    assert "a@b.c" not in out
    assert re.fullmatch(r"\d+ ok, 0 WRONG, 2 skipped in \d+\.\d s\.", out.splitlines()[-1])


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--table", "main.nowhere"], "main.nowhere"),
        (["--table", "main.users"], "main.users has no column UPDATED_AT"),
        (["--table", "main.users", "--cursor", "external_id"], "which cannot be the cursor"),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_is_checked(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "w", *arguments]) == 1
    found, out = lines(capsys)
    assert any(line.startswith("WRONG") and told in line for line in out.splitlines())
    assert found["cancellation"] == "ok"
    assert " 0 WRONG" not in out


def test_a_connection_that_does_not_open_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_GONE", json.dumps({"conn_type": "duckdb", "host": str(tmp_path / "gone.duckdb")}))
    assert main(["check", "gone"]) == 1
    found, out = lines(capsys)
    assert found == {"connection": "WRONG"}
    assert "which does not exist" in out
    assert out.splitlines()[-1].startswith("0 ok, 1 WRONG, 0 skipped")


@pytest.mark.usefixtures("warehouse")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "There is no Airflow connection 'nowhere' and no pipeline dags/pipelines/nowhere.yaml."),
        (["nowhere.yaml"], "There is no file nowhere.yaml."),
        (["cloud"], "The connection 'cloud' is one to AWS: it does not say which bucket or stream it is for, nor whose role."),
        (["mail"], "The connection 'mail' has the type 'smtp', which nothing here can check."),
        (["w", "--type", "oracle"], "There is no engine 'oracle'."),
        (["w", "--data", "users"], "There is no data 'users'."),
        (["w", "--timeout", "60"], "--timeout is not a duration with a unit."),
        (["w", "--timeout", "0s"], "--timeout is nothing."),
        (["w", "--table", "users"], "The table name has 1 part where 2 or 3 are needed."),
        (["crm", "--table", "a.b"], "The connection 'crm' is no warehouse."),
        (["crm", "--slow"], "The connection 'crm' is no warehouse."),
    ],
)
def test_what_cannot_be_checked_is_told(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD", json.dumps({"conn_type": "aws", "login": "a", "password": "b"}))
    monkeypatch.setenv("AIRFLOW_CONN_MAIL", json.dumps({"conn_type": "smtp", "host": "x"}))
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "braze", "host": "x.io", "password": KEY}))
    assert main(["check", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(f"activation: {message}")


def test_a_table_is_looked_at_as_its_data_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "gone.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE gone (updated_at TIMESTAMP, external_id VARCHAR)")
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps({"conn_type": "duckdb", "host": str(file)}))
    assert main(["check", "w", "--table", "main.gone", "--data", "deletes"]) == 0
    assert lines(capsys)[0]["columns"] == "ok"
    assert main(["check", "w", "--table", "main.gone"]) == 1
    assert lines(capsys)[0]["columns"] == "WRONG"


@pytest.mark.usefixtures("warehouse")
def test_a_type_can_be_given(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ODD", json.dumps({"conn_type": "generic", "host": str(tmp_path / "w.duckdb")}))
    assert main(["check", "odd", "--type", "duckdb"]) == 0
    assert lines(capsys)[0]["clock"] == "ok"


def test_braze_is_asked_as_its_connection_test_asks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with kept_to(BrazeSandbox(keys=[ApiKey(KEY)]), allow={"empty"}) as braze:
        monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "braze", "host": braze.url, "password": KEY}))
        assert main(["check", "crm"]) == 0
        assert lines(capsys)[0] == {"connection": "ok"}
        monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "braze", "host": braze.url, "password": "wrong-key"}))
        assert main(["check", "crm"]) == 1
        found, out = lines(capsys)
        assert found == {"connection": "WRONG"}
        assert "wrong-key" not in out


def test_every_source_has_a_type_of_connection_and_samples() -> None:
    assert set(HOOKS) <= set(ENGINES.values()) == set(SAMPLES)
    assert not set(ENGINES) & set(OTHERS)
