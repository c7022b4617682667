"""Runs the services of docker-compose.yaml while a ``with`` block lasts: PostgreSQL, Redis, Airflow with two Celery workers."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from sandbox.airflow.api import AirflowApi
from sandbox.celery import differences, entrypoint
from sandbox.celery.compose import Service, secrets, services
from sandbox.celery.health import Health
from sandbox.celery.process import Process
from sandbox.warehouses.postgres import PostgresSandbox

_START_SECONDS = 240
"""Until a start counts as failed; a busy machine is slow, and a new one compiles many modules."""


class ClusterStartError(Exception):
    """A service did not come up; the text ends with the last lines that it printed."""


class CeleryCluster:
    """All services, started in the order of ``depends_on``. What differs from the containers stands in ``differences``.

    The processes end with the block, and also if this process is killed; logs and state stay in the folder.

    :param folder: must exist; gets homes, volumes and logs.
    :param dags: what is mounted as the DAG folder, instead of the repository's.
    :param env: added to the environment of every Airflow service, for example ``AIRFLOW_CONN_BRAZE``.
    :ivar started: service -> seconds after which it was healthy, or had ended well.
    """

    def __init__(self, folder: Path, dags: Path, env: Mapping[str, str]) -> None:
        self.folder = folder.resolve()
        self.started: dict[str, float] = {}
        self._dags = dags.resolve()
        self._env = dict(env)
        self._secrets = secrets()
        self._services = services(self._secrets)
        self._database = PostgresSandbox()
        self._processes: dict[str, Process] = {}
        self._machine: differences.Machine | None = None

    @property
    def machine(self) -> differences.Machine:
        """Ports and folders; known once it is started."""
        if self._machine is None:
            raise RuntimeError("the services are not started")
        return self._machine

    def api(self) -> AirflowApi:
        """A client of the REST API that acts as the user that ``init`` has made."""
        user = self._services["init"].environment["_AIRFLOW_WWW_USER_USERNAME"]
        return AirflowApi(self.machine.url, user, self._secrets["AIRFLOW_ADMIN_PASSWORD"])

    def start(self) -> None:
        """Start everything and wait until it is healthy.

        :raises ClusterStartError: if a service ends early, or the time is over.
        """
        began = time.monotonic()
        try:
            self._start_database()
            self.started["postgres"] = time.monotonic() - began
            self._start_services(began)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process; does nothing if there is none."""
        processes, self._processes = list(self._processes.values()), {}
        for process in processes:
            process.ask_to_stop()
        for process in processes:
            process.join()
        self._database.stop()

    def kill(self, service: str) -> int:
        """Let a service be lost with all of its processes, as a container or a machine is; gives how many they were."""
        return self._processes.pop(service).kill()

    def pids(self, service: str) -> set[int]:
        """The processes of a service."""
        return {process.pid for process in self._processes[service].processes()}

    def log(self, service: str) -> str:
        """The last lines that a service printed."""
        return self._processes[service].tail()

    def __enter__(self) -> CeleryCluster:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _start_database(self) -> None:
        self._database.start()
        self._machine = differences.Machine(self.folder, self._database.host)
        asked = self._services["postgres"].environment
        role, name, password = (asked[f"POSTGRES_{word}"] for word in ("USER", "DB", "PASSWORD"))
        self._database.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        self._database.execute(f"CREATE DATABASE {name} OWNER {role}")

    def _start_services(self, began: float) -> None:
        health = Health(self.machine, self.api())
        waiting = {name: service for name, service in self._services.items() if name != "postgres"}
        while len(self.started) < len(self._services):
            for name, service in list(waiting.items()):
                if service.after.keys() - differences.NOT_WAITED_FOR <= self.started.keys():
                    self._processes[name] = self._process(waiting.pop(name))
            for name in self._processes.keys() - self.started.keys():
                if self._is_up(name, health):
                    self.started[name] = time.monotonic() - began
            if time.monotonic() - began > _START_SECONDS:
                missing = sorted(self._services.keys() - self.started.keys())
                logs = "\n".join(f"{name}: {self.log(name)}" for name in missing if name in self._processes)
                raise ClusterStartError(f"not ready after {_START_SECONDS} s: {', '.join(missing)}\n{logs}")
            time.sleep(0.1)

    def _is_up(self, name: str, health: Health) -> bool:
        """Whether a service is healthy; one that others wait for to complete must have ended with 0."""
        code = self._processes[name].code
        if code is None:
            return name != "init" and health.of(name)
        if code or name != "init":
            raise ClusterStartError(f"{name} ended with {code}; it printed at the end:\n{self.log(name)}")
        return True

    def _process(self, service: Service) -> Process:
        home = self.folder / service.name
        home.mkdir(exist_ok=True)
        if service.name == "redis":
            return Process(service.name, differences.redis(service.command, self.machine), differences.surroundings(), home)
        self._mount(service, home)
        given = {name: self.machine.value(value) for name, value in service.environment.items()}
        env = differences.surroundings() | given | self.machine.own(home) | self._env
        words = differences.command(service.name, service.command)
        return Process(service.name, [sys.executable, "-I", entrypoint.__file__, *words], env, home)

    def _mount(self, service: Service, home: Path) -> None:
        """Make links of the mounts below ``AIRFLOW_HOME``. The bundle is mounted elsewhere; here it is installed."""
        for place, source in service.mounts.items():
            if not place.startswith(f"{differences.CONTAINER_HOME}/"):
                continue
            target = self._dags if source == "./dags" else self.machine.volume(source)
            target.mkdir(parents=True, exist_ok=True)
            (home / place.removeprefix(f"{differences.CONTAINER_HOME}/")).symlink_to(target)
