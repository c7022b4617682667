"""One service as a process tree that ends with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from sandbox.airflow import guard

_TAIL = 40


class Process:
    """A command with everything that it starts.

    :param grace: seconds between SIGTERM and SIGKILL.
    :ivar log: what it has printed.
    """

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], folder: Path, *, grace: float = 3) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._grace = grace
        guarded = [sys.executable, "-I", guard.__file__, str(os.getpid()), str(grace), *command]
        with self.log.open("ab") as log:
            self._guard = subprocess.Popen(
                guarded, cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def code(self) -> int | None:
        """The exit code; ``None`` while it runs."""
        return self._guard.poll()

    def tail(self) -> str:
        """The last lines that it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL:])

    def processes(self) -> list[psutil.Process]:
        """All of its processes that live."""
        return guard.tree(self._guard.pid)

    def kill(self) -> int:
        """End all of its processes at once by SIGKILL, as the loss of a machine would; gives how many there were.

        They are stopped first, so that none sees another one's end and tells of it.
        """
        found = self.processes()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in found:
                try:
                    process.send_signal(number)
                except psutil.NoSuchProcess:
                    continue
        self.join()
        return len(found)

    def ask_to_stop(self) -> None:
        """Send SIGTERM; :meth:`join` waits for the end."""
        self._guard.terminate()

    def join(self) -> None:
        """Wait until nothing of it runs any more."""
        try:
            self._guard.wait(timeout=self._grace * 2 + 2)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        guard.kill(self._guard.pid)
