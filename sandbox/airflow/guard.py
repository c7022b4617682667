"""Runs a command and answers for its whole process tree: whatever happens to the caller, nothing is left running.

``python guard.py CALLER_PID GRACE_SECONDS COMMAND…``, as the leader of a session of its own, starts the command and ends
every process that came of it when the command ends, when the guard gets SIGTERM, or when the caller is gone, be it by SIGKILL.
A process that does not follow SIGTERM within the grace gets SIGKILL. Airflow's tasks leave the process group and outlive their
parents, so the guard adopts orphans (Linux) and looks at the session as well (everywhere).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from types import FrameType

import psutil

_PR_SET_CHILD_SUBREAPER = 36


class Guard:
    """One command and everything that it starts.

    :param caller: process id of the parent; the guard clears up when it has another parent.
    :param grace: seconds between SIGTERM and SIGKILL.
    """

    def __init__(self, caller: int, grace: float, command: list[str]) -> None:
        self.caller = caller
        self.grace = grace
        self.stopping = False
        self.codes: dict[int, int] = {}
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.command = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def run(self) -> int:
        """Wait for one of the three ends, clear up and give the command's exit code (0 if it was asked to stop)."""
        while not self.stopping and os.getppid() == self.caller and self.command.pid not in self.codes:
            self._reap()
            time.sleep(0.1)
        self._end_all()
        return 0 if self.stopping else self.codes.get(self.command.pid, 0)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.codes[pid] = os.waitstatus_to_exitcode(status)

    def _end_all(self) -> None:
        deadline = time.monotonic() + self.grace
        told: set[int] = set()
        while processes := tree(os.getpid()):
            for process in processes:
                if time.monotonic() > deadline:
                    _send(process, signal.SIGKILL)
                elif process.pid not in told:
                    told.add(process.pid)
                    _send(process, signal.SIGTERM)
            time.sleep(0.1)
            self._reap()


def tree(guard: int) -> list[psutil.Process]:
    """The living processes below the guard or in its session, without the guard itself."""
    try:
        found = set(psutil.Process(guard).children(recursive=True))
    except psutil.NoSuchProcess:
        found = set()
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == guard and process.pid != guard:
                found.add(process)
        except OSError:
            continue
    return [process for process in found if _lives(process)]


def kill(guard: int) -> None:
    """End what is left of a guard that is gone itself."""
    for process in tree(guard):
        _send(process, signal.SIGKILL)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


if __name__ == "__main__":
    sys.exit(Guard(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]).run())
