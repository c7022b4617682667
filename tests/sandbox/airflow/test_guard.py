"""The guard on processes that do all they can to escape it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sandbox.airflow import guard

ESCAPER = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for leave in (lambda: None, os.setsid, os.setpgrp):
    if os.fork() == 0:
        leave()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
for _ in range(3):
    os.wait()
print("ready", flush=True)
time.sleep(float(sys.argv[1]))
sys.exit(7)
"""


def _start(seconds: float) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    command = [sys.executable, "-I", guard.__file__, str(os.getpid()), "0.5", sys.executable, "-c", ESCAPER, str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) == 4
    return process, children


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt the orphans below it")
class TestGuard:
    def test_ends_everything_when_it_is_told_to(self) -> None:
        process, children = _start(600)
        process.terminate()
        assert process.wait(timeout=20) == 0
        assert [child for child in children if child.is_running()] == []

    def test_ends_the_rest_and_gives_the_code_when_the_command_ends(self) -> None:
        process, children = _start(0)
        assert process.wait(timeout=20) == 7
        assert [child for child in children if child.is_running()] == []


def test_ends_everything_when_the_caller_is_killed(tmp_path: Path) -> None:
    caller = f"""
import os, subprocess, sys
guarded = [sys.executable, "-c", "import time; time.sleep(600)"]
command = [sys.executable, "-I", {guard.__file__!r}, str(os.getpid()), "0.5", *guarded]
print(subprocess.Popen(command, start_new_session=True).pid, flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen([sys.executable, "-c", caller], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    below = psutil.Process(int(process.stdout.readline()))
    process.send_signal(signal.SIGKILL)
    process.wait()
    _gone, alive = psutil.wait_procs([below], timeout=20)
    assert alive == []
    assert guard.tree(below.pid) == []
