"""A service's processes: all of them end, whoever ends them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil

from sandbox.celery.process import Process

_PARENT = (
    "import subprocess, sys, time; print('up', flush=True); subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
)


def _started(folder: Path) -> Process:
    process = Process("service", [sys.executable, "-c", _PARENT], os.environ, folder)
    deadline = time.monotonic() + 30
    while len(process.processes()) < 2:
        assert time.monotonic() < deadline, process.tail()
        time.sleep(0.05)
    return process


def test_a_loss_ends_every_process_at_once(tmp_path: Path) -> None:
    process = _started(tmp_path)
    pids = [each.pid for each in process.processes()]
    assert process.kill() == len(pids) == 2
    assert process.processes() == []
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert process.code not in (None, 0)


def test_a_stop_ends_children_too(tmp_path: Path) -> None:
    process = _started(tmp_path)
    process.ask_to_stop()
    process.join()
    assert process.processes() == []
    assert process.tail() == "up"
