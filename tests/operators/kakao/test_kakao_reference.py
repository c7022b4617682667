"""What the reference connector has around its uploads: sign-in, settings, retries and notices (contracts: kakao_moment 6.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from activation.cli import main
from activation.dags import build_dag
from activation.operators.kakao_customer_file import KakaoCustomerFileOperator
from activation.spec import load_file
from sandbox.kakao import KakaoSandbox

from .kakao_world import FAST, KakaoWorld, make

REDIRECT = "https://app.example.com/kakao"


@pytest.fixture
def signing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KakaoWorld]:
    """A world whose connection has an app, and no token yet."""
    with KakaoSandbox(limits={"write_seconds": 0}, oauth={"redirect_uris": [REDIRECT]}) as server:
        world = make(server, tmp_path, monkeypatch)
        app = {"client_secret": "business-secret", "redirect_uri": REDIRECT, "ad_account_id": "12345", "auth_host": server.url}
        fields = {"conn_type": "kakao_moment", "host": server.url, "login": server.rest_key, "extra": {**app, "table": FAST}}
        monkeypatch.setenv("AIRFLOW_CONN_WORLD_KAKAO", json.dumps(fields))
        yield world


def test_feature_sign_in_gives_a_connection_that_uploads(
    signing: KakaoWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def consent() -> str:
        address = re.search(r"^ +(http\S+)$", capsys.readouterr().err, re.MULTILINE)
        assert address is not None
        return f"{REDIRECT}?{urlencode(signing.kakao.consent(address[1]))}"

    monkeypatch.setattr("builtins.input", consent)
    assert main(["kakao-login", "world_kakao", "--no-browser"]) == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[0])["world_kakao"]
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_KAKAO", json.dumps(printed))
    signing.many(5)
    assert signing.run()["rows"]["sent"] == 5


def test_feature_token_paste(kakao: KakaoWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"conn_type": "kakao_moment", "host": kakao.kakao.url, "password": kakao.kakao.token}
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_KAKAO", json.dumps(fields))
    kakao.many(5)
    assert kakao.run()["rows"]["sent"] == 5


@pytest.mark.parametrize(
    ("settings", "ours"),
    [
        ({"mode": "register"}, {"mode": "register"}),
        ({"mode": "edit", "action": "stop"}, {"mode": "edit", "file": {"when_over_limit": "stop"}}),
        ({"mode": "edit", "action": "send first"}, {"mode": "edit", "file": {"when_over_limit": "first_200mb"}}),
    ],
)
def test_feature_every_setting_of_the_reference_has_a_key(
    kakao: KakaoWorld, settings: dict[str, str], ours: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``type``, ``data_source`` and ``result_connection`` become ``type`` and ``connection``."""
    if settings["mode"] == "edit":
        kakao.by_hand("VIP")
    shared = {"type": "kakao_moment", "connection": "world_kakao", "ad_account_id": kakao.kakao.account, "file_name": "VIP"}
    task = task_of(kakao.folder, shared | ours)
    kakao.many(5)
    task.order = {"mode": "run"}  # as Airflow renders it
    monkeypatch.setattr(kakao, "operator", lambda: task)
    assert kakao.run()["files"][0]["name"] == "VIP"
    assert kakao.files()["VIP"]["unique"] == 5


def test_feature_retries_time_limit_and_notices(kakao: KakaoWorld) -> None:
    to = {"type": "kakao_moment", "connection": "world_kakao", "ad_account_id": 1, "mode": "register", "file_name": "VIP"}
    blocks = {"errors": {"retries": 4, "retry_delay": "5m", "timeout": "2h"}, "alerts": {"email": ["crm@example.com"]}}
    task = task_of(kakao.folder, to, **blocks)
    assert (task.retries, task.retry_delay, task.execution_timeout) == (4, timedelta(minutes=5), timedelta(hours=2))
    assert task.on_failure_callback and task.on_success_callback


def task_of(folder: Path, destination: dict[str, Any], **blocks: Any) -> KakaoCustomerFileOperator:
    """The task that a pipeline file becomes."""
    source = {"type": "duckdb", "connection": "world_duckdb", "table": "crm.push_ids"}
    (folder / "p.yaml").write_text(yaml.safe_dump({"source": source, "destination": destination, **blocks}))
    task = build_dag(load_file(folder / "p.yaml")).get_task("upload")
    assert isinstance(task, KakaoCustomerFileOperator)
    return task
