"""A pipeline whose tries are done out of the test's process, from a real PostgreSQL to the Kakao server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from activation.triggers.kakao_moment import KakaoMomentTrigger
from sandbox.kakao import KakaoSandbox

from .kakao_world import event_of

ROOT = Path(__file__).parents[3]


class Victim:
    """The process of :mod:`tests.operators.kakao.kakao_victim`; see there.

    :param how: ``fork`` or ``here``.
    """

    def __init__(self, how: str) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "plugins"), str(ROOT)])}
        command = [sys.executable, "-m", "tests.operators.kakao.kakao_victim", how]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        assert self.answer() == "ready"

    def tell(self, line: str) -> None:
        """Write a line to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """Read a line of it."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate(timeout=60)


@dataclass
class Tries:
    """The tries of a pipeline's runs.

    :ivar environment: Airflow's settings and connections.
    :ivar ids: how many ids the warehouse gives.
    :ivar rejects: how many texts beside them that are none.
    """

    victim: Victim
    kakao: KakaoSandbox
    folder: Path
    environment: dict[str, str]
    destination: dict[str, Any] = field(default_factory=lambda: {"mode": "register", "file_name": "VIP"})
    ids: int = 1000
    rejects: int = 0
    run: int = 0
    attempt: int = 0

    def begin(self, *, retry: bool = False, event: Mapping[str, Any] | None = None) -> None:
        """Begin a try; it runs on while the test does something else."""
        self.attempt = self.attempt + 1 if retry else self.attempt if event else 1
        self.run += not (retry or event)
        destination = {"type": "kakao_moment", "connection": "world_kakao", "ad_account_id": self.kakao.account}
        operator = {
            "pipeline_id": "p",
            "source": {"type": "postgres", "connection": "world_postgres", "query": ids_of(self.ids, self.rejects)},
            "destination": {**destination, **self.destination},
        }
        order = {"environment": self.environment, "operator": operator, "run": f"run-{self.run}", "attempt": self.attempt}
        self.victim.tell(json.dumps({**order, "state": str(self._state), "event": event}))

    def end(self) -> dict[str, Any]:
        """Wait for the try; gives what the victim says of it."""
        return cast("dict[str, Any]", json.loads(self.victim.answer()))

    def kill(self) -> int:
        """Kill the try; gives its exit code."""
        self.victim.tell("kill")
        return int(self.end()["exit"])

    def whole(self, *, retry: bool = False) -> tuple[dict[str, Any], int]:
        """Do a whole run in which Kakao finishes as soon as it is waited for; gives its report, and its task's peak in bytes."""
        self.begin(retry=retry)
        told = self.end()
        assert "deferred" in told, told
        self.kakao.advance(3600)
        event = asyncio.run(event_of(KakaoMomentTrigger(**told["deferred"][1])))
        self.begin(event=event)
        ended = self.end()
        assert "report" in ended, ended
        return ended["report"], max(told["peak"], ended["peak"])

    def kept(self) -> list[dict[str, Any]]:
        """The files that the task's state knows, as it is now."""
        values = json.loads(self._state.read_text()) if self._state.exists() else {}
        return cast("list[dict[str, Any]]", values.get("kakao", {}).get("files", []))

    @property
    def _state(self) -> Path:
        return self.folder / f"state-{self.run}.json"


def ids_of(count: int, rejects: int = 0) -> str:
    """A query that gives so many different ids, which the server makes while they are read, and so many texts that are none."""
    ids = f"SELECT md5(n::text)::uuid::text AS adid FROM (SELECT generate_series(1, {count}) AS n) AS numbers"
    others = f"SELECT 'no \"id\" ' || n || chr(10) FROM (SELECT generate_series(1, {rejects}) AS n) AS numbers"
    return f"{ids} UNION ALL {others}" if rejects else ids


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something has come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)
