from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from sandbox.airflow.log_text import render
from sandbox.airflow.settings import HOST, Settings, environment, free_ports, port_is_free


def test_nothing_of_another_airflow_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_BRAZE", "elsewhere")
    monkeypatch.setenv("no_proxy", "example.test")
    env = environment(tmp_path, tmp_path / "dags", tmp_path / "plugins", 1234, Settings(refresh_interval=7))
    assert env["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW_CONN_BRAZE" not in env
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:1234/execution/"
    assert env["AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL"] == "7"
    assert env["no_proxy"] == env["NO_PROXY"] == "example.test,127.0.0.1,localhost"


def test_the_passwords_are_there_before_the_first_start(tmp_path: Path) -> None:
    env = environment(tmp_path, tmp_path, tmp_path, 1, Settings(users={"admin": "secret", "op": "other"}))
    path = Path(env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
    assert json.loads(path.read_text()) == {"admin": "secret", "op": "other"}
    assert path.stat().st_mode & 0o077 == 0
    assert env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] == "admin:admin,op:op"


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        assert not port_is_free(taken.getsockname()[1])
    assert all(port_is_free(port) for port in free_ports(3))


def test_a_task_log_reads_as_lines() -> None:
    detail = [{"exc_type": "ValueError", "exc_value": "no", "frames": [{"filename": "a.py", "lineno": 3, "name": "f"}]}]
    content = [
        "old style",
        {"timestamp": "2026-01-01T00:00:00Z", "level": "info", "event": "sent", "rows": 3, "logger": "x"},
        {"event": "failed", "error_detail": detail},
    ]
    assert render(content).splitlines() == [
        "old style",
        "2026-01-01T00:00:00Z INFO sent rows=3",
        "failed",
        "ValueError: no",
        "  at a.py:3 in f",
    ]
