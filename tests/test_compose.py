"""docker-compose.yaml and Dockerfile, as far as they can be checked without containers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.celery import compose as reading

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yaml").read_text()
IMAGE = (ROOT / "Dockerfile").read_text()
WORKERS = {"worker-1", "worker-2"}
AIRFLOW = {"init", "api-server", "scheduler", "dag-processor", "triggerer"} | WORKERS


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(TEXT)
    return content


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    script = [sys.executable, ROOT / "tools" / "compose_secrets.py"]
    made = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in made.splitlines())


def test_every_part_of_airflow_is_a_service(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == AIRFLOW | {"postgres", "redis"}
    for name in AIRFLOW:
        service = compose["services"][name]
        assert service["environment"]["AIRFLOW__ACTIVATION__STATE_FOLDER"] == "file:///opt/airflow/activation"
        assert service["environment"]["AIRFLOW__ACTIVATION__STATE_FOLDER_IS_SHARED"] == "True"
        assert "state:/opt/airflow/activation" in service["volumes"]
        assert "logs:/opt/airflow/logs" in service["volumes"]


def test_both_workers_are_the_same(compose: dict[str, Any]) -> None:
    first, second = (compose["services"][name] for name in sorted(WORKERS))
    assert first == second
    assert first["command"] == "celery worker"


def test_settings_are_the_same_everywhere(compose: dict[str, Any]) -> None:
    for name in ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__CELERY__BROKER_URL"):
        assert len({compose["services"][service]["environment"][name] for service in AIRFLOW}) == 1


def test_the_queue_hands_a_task_out_again_after_a_day(compose: dict[str, Any]) -> None:
    environment = compose["services"]["worker-1"]["environment"]
    assert environment["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"] == "86400"


def test_every_service_that_goes_on_has_a_health_check(compose: dict[str, Any]) -> None:
    assert {name for name, service in compose["services"].items() if "healthcheck" not in service} == {"init"}


def test_services_and_volumes_that_are_named_exist(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        named = {volume.split(":")[0] for volume in service.get("volumes", ())}
        assert {name for name in named if not name.startswith("./")} <= set(compose["volumes"])
        assert all((ROOT / name).is_dir() for name in named if name.startswith("./"))
    used = {volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", ())}
    assert set(compose["volumes"]) <= used


def test_no_secret_has_a_default_and_the_script_makes_each(secrets: dict[str, str]) -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    assert set(re.findall(r"(?<!\$)\$\{(\w+):\?[^}]+\}", TEXT)) == asked
    assert secrets.keys() == asked


def test_secrets_fit_into_addresses_and_command_lines(secrets: dict[str, str]) -> None:
    for name in secrets.keys() - {"AIRFLOW_FERNET_KEY"}:
        assert re.fullmatch(r"[0-9a-f]{24,}", secrets[name]), name


def test_nothing_that_looks_like_a_secret_stands_in_the_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|FERNET|SQL_ALCHEMY_CONN|RESULT_BACKEND", name):
                assert "${" in value, name


def test_nothing_runs_as_root(compose: dict[str, Any]) -> None:
    assert {compose["services"][name]["user"] for name in AIRFLOW} == {"50000:0"}
    assert re.findall(r"^USER (.+)$", IMAGE, re.MULTILINE) == ["airflow"]


def test_the_image_has_the_bundle_and_an_airflow_that_starts(compose: dict[str, Any]) -> None:
    build = compose["services"]["worker-1"]["build"]
    extras = re.findall(r"^ARG (\w+)=", IMAGE, re.MULTILINE)
    assert build["args"].keys() == set(extras)
    project = (ROOT / "pyproject.toml").read_text()
    assert all(re.search(rf"^{name} = \[", project, re.MULTILINE) for name in build["args"]["EXTRAS"].split(","))
    assert '"celery<5.7"' in IMAGE
    version = re.findall(r"apache/airflow:(\S+)", IMAGE)
    assert version == re.findall(r"apache-airflow==([\d.]+)", IMAGE)
    for source in re.findall(r"^COPY --chown=airflow:0 (.+) \S+$", IMAGE, re.MULTILINE):
        kept = (ROOT / ".dockerignore").read_text().split()
        assert all(f"!{name}" in kept for name in source.split()), source


def test_services_are_read_with_every_variable_filled_in(secrets: dict[str, str]) -> None:
    found = reading.services(secrets)
    assert found["worker-2"].command == ("celery", "worker")
    assert found["worker-2"].after == {"init": "service_completed_successfully", "api-server": "service_healthy"}
    assert found["postgres"].environment["POSTGRES_PASSWORD"] == secrets["POSTGRES_PASSWORD"]
    assert found["scheduler"].mounts["/opt/airflow/dags"] == "./dags"
    assert not [name for one in found.values() for name, value in one.environment.items() if "$" in value]


def test_a_variable_without_a_value_is_an_error(secrets: dict[str, str]) -> None:
    with pytest.raises(KeyError, match="AIRFLOW_JWT_SECRET"):
        reading.services({name: value for name, value in secrets.items() if name != "AIRFLOW_JWT_SECRET"})
