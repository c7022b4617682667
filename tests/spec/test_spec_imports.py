"""The floor is light: reading pipeline files, and the commands that do, load no driver and no Airflow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("airflow", "pandas", "numpy", "boto3", "pyarrow", "duckdb", "aiohttp", "croniter", "pendulum", "sqlalchemy")
PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.mark.parametrize(
    "program",
    [
        "import activation.spec",
        "import activation.cli",
        "from activation.cli import main; main(['validate', 'users.yaml'])",
        "from activation.cli import main; main(['schema'])",
    ],
)
def test_nothing_heavy_is_loaded(program: str, tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(
        "source: {type: duckdb, connection: w, table: main.users}\n"
        "destination: {type: braze, connection: braze, data: attributes}\n"
        "alerts: {email: [crm@example.com]}\n",
        encoding="utf-8",
    )
    report = "; import sys, json; print(); print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", program + report],
        cwd=tmp_path,
        env={"PYTHONPATH": str(PLUGINS)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "activation" in loaded
    assert loaded.isdisjoint(HEAVY)
