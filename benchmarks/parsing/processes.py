"""The processes of the ways: ours in the product's environment, the libraries in one of their own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.parsing.results import BLUEPRINT, BLUEPRINT_OURS, FACTORY, FACTORY_OURS, LOOP, LOOP_OURS, OURS
from benchmarks.processes import ROOT, Jobs, Process

REQUIREMENTS = ROOT / "benchmarks" / "parsing" / "peer" / "requirements.txt"
_NEUTRAL = ("benchmarks.parsing.neutral",)
_OPERATORS = tuple(
    f"activation.operators.{name}" for name in ("braze_import", "s3_export", "kinesis_stream", "kakao_customer_file")
)

MODULES = {
    OURS: ("activation.dags",),
    LOOP: ("benchmarks.parsing.loop", *_NEUTRAL),
    LOOP_OURS: ("benchmarks.parsing.loop", *_OPERATORS),
    FACTORY: ("dagfactory", *_NEUTRAL),
    BLUEPRINT: ("blueprint", "benchmarks.parsing.loop", *_NEUTRAL),
    FACTORY_OURS: ("dagfactory", *_NEUTRAL, *_OPERATORS),
    BLUEPRINT_OURS: ("blueprint", "benchmarks.parsing.loop", *_OPERATORS),
}
"""What a DAG file of each way imports, itself or through what it names."""

PEERS = (FACTORY, BLUEPRINT, FACTORY_OURS, BLUEPRINT_OURS)


def python(way: str) -> str:
    """The interpreter of a way.

    :raises RuntimeError: if the packages of the libraries cannot be installed.
    """
    if way not in PEERS:
        return sys.executable
    from sandbox.environments import environment

    return str(environment("parsing-peers", REQUIREMENTS))


def variables(home: Path) -> dict[str, str]:
    """What a process needs in its environment before it imports Airflow."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "no dags"),
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "600",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
    }


class Reader(Jobs):
    """Runs :mod:`benchmarks.parsing.worker` for a way.

    :param folder: takes its Airflow home and what it prints.
    :raises RuntimeError: as :func:`python`.
    """

    def __init__(self, way: str, folder: Path) -> None:
        errors = folder / f"{way}.log"
        home = folder / f"airflow of {way}"
        super().__init__("benchmarks.parsing.worker", *MODULES[way], errors=errors, variables=variables(home), python=python(way))

    def job(self, job: str, file: Path, *, warm: bool = True, **arguments: Any) -> Any:
        """Do a job of :data:`benchmarks.parsing.worker.JOBS` in a fork.

        :param warm: whether what the DAG file imports is loaded before the time is taken.
        :raises BenchmarkError: if it fails.
        """
        return self.do(job=job, file=str(file), warm=warm, **arguments).found


def imports(way: str, folder: Path) -> dict[str, Any]:
    """What :mod:`benchmarks.parsing.importing` tells of a way, in a fresh process."""
    given = variables(folder / f"airflow of {way}")
    with Process(
        "benchmarks.parsing.importing", *MODULES[way], errors=folder / f"{way}.log", variables=given, python=python(way)
    ) as process:
        found: dict[str, Any] = json.loads(process.line())
    return found
