"""Imports go down only, and the floors below the line know nothing of Airflow."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from activation.get_provider_info import get_provider_info

PLUGINS = Path(__file__).parents[1] / "plugins"
PACKAGE = PLUGINS / "activation"
FLOORS = (
    "ui", "cli", "dags", "operators", "triggers", "hooks", "destinations", "setup", "delivery", "records", "warehouses", "cursor",
    "spec",
)  # fmt: skip
BELOW = FLOORS[FLOORS.index("destinations") :]
ABOVE_THE_LINE = {"airflow", "pandas", "boto3"}
HEAVY = {
    "aiobotocore", "aiohttp", "boto3", "botocore", "databricks", "duckdb",
    "numpy", "pandas", "psycopg", "psycopg2", "pyarrow", "redshift_connector",
}  # fmt: skip
HEAVY_PARTS = ("google.cloud.bigquery", "snowflake.connector", "databricks.sql")
"""Namespace packages that other distributions share, so that their first part says nothing."""


def _modules(floor: str) -> list[str]:
    """Every module of a floor by its dotted name, the floor's own package first."""
    paths = sorted((PACKAGE / floor).rglob("*.py"))
    parts = (path.relative_to(PLUGINS).with_suffix("").parts for path in paths)
    return [".".join(part[:-1] if part[-1] == "__init__" else part) for part in parts if part[-1] != "__main__"]


def _loaded_after(*modules: str, run: Path | None = None) -> set[str]:
    """The names in ``sys.modules`` of a fresh interpreter that has imported the modules, and run the file if there is one."""
    lines = ["import json, runpy, sys", *(f"import {module}" for module in modules)]
    lines += [f"runpy.run_path({str(run)!r})"] if run else []
    with TemporaryDirectory() as home:
        result = subprocess.run(
            [sys.executable, "-c", "\n".join([*lines, "print(json.dumps([*sys.modules]))"])],
            cwd=PLUGINS, env=os.environ | {"AIRFLOW_HOME": home}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a module imports, also inside of functions."""
    package = path.relative_to(PLUGINS).parent.parts
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) + "." if node.level else ""
            stem = (base + (node.module or "")).rstrip(".")
            yield node.lineno, stem
            yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)


def _floor_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "activation" and parts[1] in FLOORS else None


@pytest.mark.parametrize("floor", BELOW)
def test_a_floor_below_the_line_imports_without_airflow(floor: str) -> None:
    loaded = _loaded_after(*_modules(floor))
    assert loaded & ABOVE_THE_LINE == set()


def test_the_dag_processor_loads_no_driver() -> None:
    loaded = _loaded_after(*_modules("dags"))
    assert loaded & (HEAVY - _airflows_own()) == set()
    assert [name for name in HEAVY_PARTS if name in loaded] == []


@pytest.mark.parametrize("path", sorted((PLUGINS.parent / "dags").glob("*.py")), ids=lambda path: path.name)
def test_reading_a_dag_file_loads_no_driver(path: Path) -> None:
    loaded = _loaded_after(run=path)
    assert loaded & (HEAVY - _airflows_own()) == set()
    assert [name for name in HEAVY_PARTS if name in loaded] == []


def test_airflow_reads_the_provider_entry_in_the_middle_of_its_own_import() -> None:
    assert _loaded_after("activation.get_provider_info") & (HEAVY | ABOVE_THE_LINE) == set()


@pytest.mark.parametrize("form", get_provider_info()["connection-types"], ids=lambda form: form["connection-type"])
def test_a_hook_can_be_the_first_import_of_a_process(form: dict[str, str]) -> None:
    _loaded_after(form["hook-class-name"].rpartition(".")[0])


@cache
def _airflows_own() -> set[str]:
    """What ``import airflow.sdk`` alone brings with it."""
    return _loaded_after("airflow.sdk") & HEAVY


def test_imports_only_go_down() -> None:
    wrong = [
        f"{path.relative_to(PLUGINS)}:{line} is on the floor {floor} and imports {name}"
        for floor in FLOORS
        for path in sorted((PACKAGE / floor).rglob("*.py"))
        for line, name in _imports(path)
        if (target := _floor_of(name)) and FLOORS.index(target) < FLOORS.index(floor)
    ]
    assert wrong == []


def test_every_folder_of_the_package_is_a_floor() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - set(FLOORS) == set()
