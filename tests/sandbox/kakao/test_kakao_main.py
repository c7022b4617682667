"""The server as a process (contract: kakao_moment 8)."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.kakao import KakaoSandbox
from sandbox.kakao.__main__ import main
from tests.sandbox.kakao.conftest import Moment


@pytest.mark.parametrize("settings", ["{", '{"limit": {}}', '{"limits": {"files": "many"}}', '{"generation": "third"}'])
def test_settings_that_are_none_end_it_at_once(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--settings", settings])
    assert stopped.value.code == 2
    assert "--settings:" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(server: KakaoSandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", str(urlsplit(server.url).port), "--folder", str(tmp_path)]) == 1
    assert "cannot start" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_it_stops() -> None:
    with KakaoSandbox() as server:
        (part,) = server.parts(Moment(server).new())
        assert part.exists()
    assert not part.exists()
    assert server.url.startswith("http://127.0.0.1:")


def test_the_connection_leads_here(server: KakaoSandbox) -> None:
    connection = json.loads(server.connection(ad_account_id="54321"))
    assert (connection["conn_type"], connection["host"]) == ("kakao_moment", server.url)
    assert connection["extra"] == {"ad_account_id": "54321"}
    assert Moment(server, token=connection["password"]).ask("GET").status_code == 200


def test_what_is_deleted_is_gone_from_the_disk(moment: Moment, server: KakaoSandbox) -> None:
    number = moment.complete()
    (part,) = server.parts(number)
    moment.ask("DELETE", f"/{number}")
    assert not part.exists()
    assert (server.content(number), server.files()[0]["customerFileStatus"]) == ([], "DELETE")
