"""How the local Airflow is set up: SQLite and LocalExecutor, quick to notice changes, silent to the outside."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a caller may choose about a local Airflow.

    :ivar port: of the API server and the UI; 0 takes a free one.
    :ivar users: password by user name; the name is the role too (``admin``, ``op``, ``user``, ``viewer``).
    :ivar refresh_interval: seconds after which new and changed DAG files are noticed.
    :ivar parallelism: most tasks at a time.
    :ivar start_timeout: seconds until a start counts as failed; a first start on a slow machine compiles many modules.
    """

    port: int = 0
    users: Mapping[str, str] = field(default_factory=lambda: {"admin": "admin", "viewer": "viewer"})
    refresh_interval: int = 5
    parallelism: int = 4
    start_timeout: float = 240


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens on, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def port_is_free(port: int) -> bool:
    """Whether a server can listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def write_passwords(home: Path, users: Mapping[str, str]) -> Path:
    """Write the passwords of the simple auth manager, which would otherwise invent its own on the first start."""
    path = home / "passwords.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(dict(users)))
    return path


def environment(home: Path, dags: Path, plugins: Path, port: int, settings: Settings) -> dict[str, str]:
    """The whole environment of the Airflow processes: this process's own without any ``AIRFLOW*``, plus our settings.

    :param home: holds the database, the logs and the passwords; must exist.
    :param port: of the API server; the port in ``settings`` is not looked at.
    """
    task_logs, trigger_logs = free_ports(2)
    url = f"http://{HOST}:{port}"
    ours = {
        "API__BASE_URL": url,
        "API__HOST": HOST,
        "API__PORT": str(port),
        "API__WORKERS": "1",
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__PARALLELISM": str(settings.parallelism),
        "CORE__PLUGINS_FOLDER": str(plugins),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(write_passwords(home, settings.users)),
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{name}" for name in settings.users),
        "CORE__TEST_CONNECTION": "Enabled",
        "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": str(settings.refresh_interval),
        "DAG_PROCESSOR__REFRESH_INTERVAL": str(settings.refresh_interval),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_logs),
        "LOGGING__WORKER_LOG_SERVER_PORT": str(task_logs),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    env |= {f"AIRFLOW__{name}": value for name, value in ours.items()}
    env["AIRFLOW_HOME"] = str(home)
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return env | _straight_to_this_machine()


def _straight_to_this_machine() -> dict[str, str]:
    """Keep a proxy of the surroundings out of the way between the tasks and the API server."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = ",".join(filter(None, [known, HOST, "localhost"]))
    return {"NO_PROXY": hosts, "no_proxy": hosts}
