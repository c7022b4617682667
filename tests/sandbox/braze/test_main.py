"""The server as a process."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.braze import ControlClient
from sandbox.braze.__main__ import main

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "sandbox.braze"]


@contextmanager
def running(*options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    process = subprocess.Popen([*COMMAND, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def track(url: str, key: str, **arrays: Any) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return requests.post(f"{url}/users/track", json=arrays, headers=headers, timeout=10).status_code


def test_options_reach_the_server() -> None:
    options = ["--key", "writer", "--permission", "users.track", "--key", "all", "--latency-ms", "1", "--no-rate-limit"]
    options += ["--limit-profile", "combined_5", "--settings", '{"answers": {"error_style": "enum"}}']
    with running(*options) as (process, url):
        settings = ControlClient(url).settings()
        assert settings["answers"]["latency_ms"] == 1
        assert settings["answers"]["error_style"] == "enum"
        assert settings["limits"]["track"] == "combined_5"
        assert settings["rate"]["enabled"] is False
        assert track(url, "writer", attributes=[{"external_id": "u"}]) == 201
        assert track(url, "sandbox-key", attributes=[{"external_id": "u"}]) == 401
        export = {"external_ids": ["u"]}
        answers = [
            requests.post(f"{url}/users/export/ids", json=export, headers={"Authorization": f"Bearer {key}"}, timeout=10)
            for key in ("writer", "all")
        ]
        assert [answer.status_code for answer in answers] == [403, 201]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_interrupt_stops_cleanly() -> None:
    with running() as (process, url):
        assert url.startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--settings", '{"limits": {"trak": 1}}'], "unknown setting 'limits.trak'; did you mean 'track'?"),
        (["--settings", "{"], "--settings is not JSON"),
        (["--limit-profile", "75"], "unknown limit profile '75'"),
        (["--permission", "users.track", "--key", "k"], "--permission stands before the first --key"),
        (["--permission", "users.everything"], "invalid choice: 'users.everything'"),
    ],
)
def test_mistakes_are_told_and_end_with_2(capsys: pytest.CaptureFixture[str], options: list[str], text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_taken_port_ends_with_1() -> None:
    with running() as (_, url):
        options = ["--port", url.rsplit(":", 1)[1]]
        ended = subprocess.run([*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("cannot start: ")
