"""docker-compose.yaml, as far as it can be checked without containers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yaml").read_text()
AIRFLOW = {"init", "api-server", "scheduler", "dag-processor", "triggerer", "worker"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(TEXT)
    return content


def test_every_part_of_airflow_is_a_service(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == AIRFLOW | {"postgres", "redis"}
    for name in AIRFLOW:
        environment = compose["services"][name]["environment"]
        assert environment["AIRFLOW__ACTIVATION__STATE_FOLDER"] == "file:///opt/airflow/activation"
        assert "state:/opt/airflow/activation" in compose["services"][name]["volumes"]


def test_services_and_volumes_that_are_named_exist(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        named = {volume.split(":")[0] for volume in service.get("volumes", ())}
        assert {name for name in named if not name.startswith("./")} <= set(compose["volumes"])
        assert all((ROOT / name).is_dir() for name in named if name.startswith("./"))


def test_no_secret_has_a_default_and_the_script_makes_each() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT))
    assert set(re.findall(r"(?<!\$)\$\{(\w+):\?[^}]+\}", TEXT)) == asked
    script = [sys.executable, ROOT / "tools" / "compose_secrets.py"]
    made = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    assert {line.partition("=")[0] for line in made.splitlines()} == asked


def test_celery_is_held_below_the_version_that_breaks_airflow(compose: dict[str, Any]) -> None:
    assert "celery<5.7" in compose["x-airflow"]["build"]["dockerfile_inline"]
