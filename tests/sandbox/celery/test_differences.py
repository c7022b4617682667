"""What is changed of docker-compose.yaml for processes of one machine: no container is named any more, the rest stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.celery.compose import secrets, services
from sandbox.celery.differences import QUICK, Machine, command

MACHINE = Machine(Path("/here"), "/sockets", api_port=1, redis_port=2)


@pytest.mark.parametrize("name", ["init", "api-server", "scheduler", "dag-processor", "triggerer", "worker-1", "worker-2"])
def test_no_host_or_folder_of_a_container_is_left(name: str) -> None:
    service = services(secrets())[name]
    values = " ".join(MACHINE.value(value) for value in service.environment.values())
    assert not [word for word in ("@postgres", "redis:6379", "api-server", "/opt/airflow") if word in values]


def test_hosts_are_replaced_and_the_rest_stays() -> None:
    service = services(dict.fromkeys(secrets(), "pw"))["worker-1"]
    value = {name: MACHINE.value(text) for name, text in service.environment.items()}
    assert value["AIRFLOW__CELERY__BROKER_URL"] == "redis://:@127.0.0.1:2/0"
    assert value["AIRFLOW__CELERY__RESULT_BACKEND"] == "db+postgresql://airflow:pw@/airflow?host=/sockets"
    assert value["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:1/execution/"
    assert value["AIRFLOW__ACTIVATION__STATE_FOLDER"] == "file:///here/volumes/state"
    assert value["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert value["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"] == "86400"


def test_only_workers_get_a_name() -> None:
    assert command("worker-2", ("celery", "worker")) == ["celery", "worker", "--celery-hostname", "celery@worker-2"]
    assert command("scheduler", ("scheduler",)) == ["scheduler"]


def test_ports_of_services_differ_and_a_test_is_quick_to_notice_a_loss() -> None:
    first, second = (MACHINE.own(Path(name)) for name in ("/one", "/two"))
    ports = {name for name in first if name.endswith("_PORT") and name != "AIRFLOW__API__PORT"}
    assert len(ports) == 3
    assert all(first[name] != second[name] for name in ports)
    assert first["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"] == QUICK["SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"]
