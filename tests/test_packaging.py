"""What people get who install the wheel, or who point Airflow's plugins folder at ``plugins/``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from activation.get_provider_info import get_provider_info

ROOT = Path(__file__).parents[1]
OWN = re.compile(r"_?airflow_activation|.*\.pth$")


def _bare_environment(folder: Path) -> Path:
    """An environment with every package of this one except the project itself, made of links; gives its interpreter."""
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if not OWN.match(package.name) and not (site / package.name).exists():
            (site / package.name).symlink_to(package)
    return folder / "bin" / "python"


def _run(python: Path, home: Path, *args: str, plugins: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHONPATH"))}
    env |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins or home / "plugins"),
    }
    result = subprocess.run([str(python), *args], env=env, cwd=home, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-4000:]
    return result


def _json(text: str) -> Any:
    """The JSON that a command ends with, after what it may have logged before."""
    return json.loads(text[text.index("[") :])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).parent / "uv"
    command = [
        uv,
        "build",
        "--wheel",
        "--offline",
        "--no-cache",
        "--no-build-isolation",
        "--python",
        sys.executable,
        "--out-dir",
        folder,
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-4000:]
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = _bare_environment(tmp_path_factory.mktemp("installed"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(next(python.parents[1].glob("lib/python*/site-packages")))
    return python


def test_the_wheel_holds_the_bundle_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {"activation_plugin.py", "activation/__init__.py", "activation/py.typed"} <= set(names)
    assert {name.split("/")[0] for name in names} == {"activation", "activation_plugin.py", "airflow_activation-0.1.0.dist-info"}
    assert "airflow_activation-0.1.0.dist-info/licenses/LICENSE" in names
    assert "activation/ui/static/main.js" in names, "make builds the Pipelines page"
    assert [name for name in names if "/ui/source/" in name] == []


def test_airflow_knows_the_provider_and_its_setting(installed: Path, tmp_path: Path) -> None:
    listed = _json(_run(installed, tmp_path, "-m", "airflow", "providers", "list", "-o", "json").stdout)
    assert {"airflow-activation": "0.1.0"}.items() <= {each["package_name"]: each["version"] for each in listed}.items()
    value = _run(installed, tmp_path, "-m", "airflow", "config", "get-value", "activation", "state_folder").stdout
    assert value.splitlines()[-1] == f"file://{tmp_path}/activation"


def test_airflow_lists_the_plugin_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    result = _run(installed, tmp_path, "-m", "airflow", "plugins", "-o", "json")
    sources = [each["source"] for each in _json(result.stdout) if each["name"] == "activation"]
    assert len(sources) == 1
    assert sources[0].startswith("airflow-activation==0.1.0: EntryPoint(")


@pytest.mark.parametrize("syntax", ["glob", "regexp"])
def test_a_plugins_folder_gives_the_plugin_and_imports_nothing_else(tmp_path: Path, syntax: str) -> None:
    python = _bare_environment(tmp_path / "bare")
    (tmp_path / "airflow.cfg").write_text(f"[core]\ndag_ignore_file_syntax = {syntax}\n")
    result = _run(python, tmp_path, "-X", "importtime", "-m", "airflow", "plugins", "-o", "json", plugins=ROOT / "plugins")
    assert "activation" in [each["name"] for each in _json(result.stdout)]
    assert "Failed to import plugin" not in result.stdout + result.stderr
    imported = {line.rsplit("|", 1)[-1].strip() for line in result.stderr.splitlines() if line.startswith("import time:")}
    assert [name for name in imported if name.split(".")[0] == "activation"] == []


def test_every_connection_type_names_the_hook_of_its_type() -> None:
    types = {each["connection-type"]: each["hook-class-name"] for each in get_provider_info()["connection-types"]}
    assert set(types) == {"braze", "duckdb", "kakao_moment"}
    for connection_type, path in types.items():
        module, _, name = path.rpartition(".")
        assert getattr(import_module(module), name).conn_type == connection_type


def test_every_module_that_the_provider_names_exists() -> None:
    info = get_provider_info()
    named = [module for kind in ("operators", "hooks", "triggers") for each in info[kind] for module in each["python-modules"]]
    integrations = {each["integration-name"] for each in info["integrations"]}
    assert {each["integration-name"] for kind in ("operators", "hooks", "triggers") for each in info[kind]} <= integrations
    for module in named:
        import_module(module)
