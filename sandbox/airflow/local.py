"""Starts ``airflow standalone`` for as long as a ``with`` block lasts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import requests

from sandbox.airflow import guard
from sandbox.airflow.api import AirflowApi
from sandbox.airflow.client import AirflowApiError, ApiClient
from sandbox.airflow.settings import HOST, Settings, environment, free_ports, port_is_free

Progress = Callable[[float, str], None]
_PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")
_TAIL = 40
_GRACE = 8.0


class AirflowStartError(Exception):
    """Airflow did not come up; the text ends with the last lines of its log."""


class LocalAirflow:
    """A real Airflow: API server with the UI, scheduler, DAG processor, triggerer, LocalExecutor, SQLite.

    Usable as a context manager. The processes end with the block, and also if this process is killed.

    :param home: ``AIRFLOW_HOME``, made if missing; what it holds of an earlier start is used again.
    :param dags: folder of the DAG files.
    :param plugins: plugins folder; left out where the bundle is installed, because Airflow would then register it twice.
    :param env: added to the environment of every Airflow process, for example ``AIRFLOW_CONN_BRAZE``.
    :param settings: port, users and intervals.
    :param progress: told twice a second ``(seconds since the start, what is waited for)``.
    :ivar url: where the UI and the API answer, without a slash at the end. Set by :meth:`start`.
    :ivar log_file: the output of all Airflow processes.
    """

    def __init__(
        self,
        home: Path,
        dags: Path,
        plugins: Path | None = None,
        *,
        env: Mapping[str, str] | None = None,
        settings: Settings | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.home = home.resolve()
        self.dags = dags.resolve()
        self.plugins = (plugins or home / "plugins").resolve()
        self.env = dict(env or {})
        self.settings = settings or Settings()
        self.progress: Progress = progress or (lambda seconds, text: None)
        self.log_file = self.home / "airflow.log"
        self.url = ""
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the guard that all Airflow processes run below; its session has the same number."""
        return self._guard.pid if self._guard else None

    @property
    def running(self) -> bool:
        """Whether Airflow was started and has not ended since."""
        return self._guard is not None and self._guard.poll() is None

    def start(self) -> None:
        """Start Airflow and wait until all of its parts are healthy.

        :raises AirflowStartError: if the port is taken, a process ends early or the time is over.
        """
        if self.running:
            return
        port = self.settings.port or free_ports(1)[0]
        if not port_is_free(port):
            raise AirflowStartError(f"Port {port} of {HOST} is taken. Stop what listens there, or choose another port.")
        self.url = f"http://{HOST}:{port}"
        for folder in (self.home, self.dags, self.plugins):
            folder.mkdir(parents=True, exist_ok=True)
        self._spawn(environment(self.home, self.dags, self.plugins, port, self.settings) | self.env)
        try:
            self._wait_until_healthy()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process of this Airflow; does nothing if there is none."""
        if self._guard is None:
            return
        guard_pid = self._guard.pid
        self._guard.terminate()
        try:
            self._guard.wait(timeout=_GRACE * 2)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        guard.kill(guard_pid)
        self._guard = None

    def api(self, user: str = "admin") -> AirflowApi:
        """A client of this Airflow's REST API that acts as one of ``settings.users``."""
        return AirflowApi(self.url, user, self.settings.users[user])

    def log_tail(self, lines: int = _TAIL) -> str:
        """The last lines that the Airflow processes wrote."""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> LocalAirflow:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _spawn(self, env: Mapping[str, str]) -> None:
        guarded = [sys.executable, "-I", guard.__file__, str(os.getpid()), str(_GRACE)]
        with self.log_file.open("wb") as log:
            self._guard = subprocess.Popen(
                [*guarded, sys.executable, "-m", "airflow", "standalone"],
                cwd=self.home,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_until_healthy(self) -> None:
        began = time.monotonic()
        while missing := self._unhealthy():
            seconds = time.monotonic() - began
            if not self.running:
                raise AirflowStartError(
                    f"Airflow ended after {seconds:.0f} s. Its log, {self.log_file}, ends with:\n{self.log_tail()}"
                )
            if seconds > self.settings.start_timeout:
                raise AirflowStartError(
                    f"Airflow was not ready after {seconds:.0f} s, missing: {missing}. "
                    f"Its log, {self.log_file}, ends with:\n{self.log_tail()}"
                )
            self.progress(seconds, f"waiting for {missing}")
            time.sleep(0.5)
        self.progress(time.monotonic() - began, "ready")

    def _unhealthy(self) -> str:
        try:
            health = ApiClient(self.url, "", "").health()
        except requests.ConnectionError:
            return "the API server"
        except (requests.Timeout, AirflowApiError):
            return "the API server's first answer"
        return ", ".join(part.replace("_", " ") for part in _PARTS if (health.get(part) or {}).get("status") != "healthy")
