"""A process that has imported what Airflow's DAG processor has, and forks for each job: ``python -m benchmarks.parsing.worker``.

Airflow's DAG processor parses a file in a process of its own, forked from one that has loaded Airflow and none of the libraries
that the file imports; so does the supervisor of a task.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

from benchmarks.worker import serve

Found = dict[str, Any]


def _load(file: str, **_: Any) -> Found:
    """Load a DAG file as Airflow does, and once more: as a process would that has done it before."""
    first, count = _timed(lambda: len(_dags(file)))
    gc.collect()
    second, again = _timed(lambda: len(_dags(file)))
    return {"cold": first, "unchanged": second, "count": min(count, again)}


def _bag(file: str, **_: Any) -> Found:
    """Load it through Airflow's bag, as the DAG processor does."""
    seconds, count = _timed(lambda: len(_bagged(file, safe_mode=True).dags))
    return {"bag": seconds, "count": count}


def _one(file: str, dag_id: str, **_: Any) -> Found:
    """What a task's process does before the task: it says which DAG it needs, and loads the DAG file."""
    from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager

    def task() -> str:
        with _airflow_parsing_context_manager(dag_id=dag_id, task_id=None):
            return str(_bagged(file, safe_mode=False).dags[dag_id].tasks[0].task_id)

    seconds, _task_id = _timed(task)
    return {"one": seconds, "count": 1}


def _content(file: str, **_: Any) -> Found:
    from benchmarks.parsing.shapes import content

    return {dag_id: content(dag) for dag_id, dag in _dags(file).items()}


def _shapes(file: str, count: int, **_: Any) -> list[Found]:
    """The shapes of our own DAGs."""
    from benchmarks.parsing.pipelines import made
    from benchmarks.parsing.shapes import shape

    dags = _dags(file)
    return [shape(dags[one.pipeline_id], one) for one in made(count)]


JOBS: dict[str, Callable[..., Any]] = {"load": _load, "bag": _bag, "one": _one, "content": _content, "shapes": _shapes}
"""What a fork can do."""


def _timed(work: Callable[[], Any]) -> tuple[list[float], Any]:
    """Seconds of wall time and of processor time, and what came of it."""
    began, cpu = time.perf_counter(), time.process_time()
    found = work()
    return [time.perf_counter() - began, time.process_time() - cpu], found


def _dags(file: str) -> dict[str, Any]:
    from airflow.sdk import DAG

    loader = SourceFileLoader("benchmark_dag_file", file)
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = sys.modules[loader.name] = module_from_spec(spec)
    loader.exec_module(module)
    return {one.dag_id: one for one in vars(module).values() if isinstance(one, DAG)}


def _bagged(file: str, *, safe_mode: bool) -> Any:
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(
        dag_folder=file, bundle_path=Path(file).parent, bundle_name="benchmark", safe_mode=safe_mode, load_op_links=False
    )
    if bag.import_errors:
        raise RuntimeError(f"Airflow cannot load {Path(file).name}: {next(iter(bag.import_errors.values()))[-500:]}")
    return bag


def forked(work: Callable[[], Any]) -> Any:
    """Do something in a fork of this process.

    :raises RuntimeError: if it fails there.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            try:
                reply = {"found": work()}
            except Exception as error:  # noqa: BLE001 - whatever it is, the parent reports it
                reply = {"error": f"{type(error).__name__}: {error}"}
            with os.fdopen(writing, "w", encoding="utf-8") as pipe:
                json.dump(reply, pipe)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    answer = json.loads(text or '{"error": "The fork has died."}')
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["found"]


def contestant(modules: Sequence[str]) -> Callable[..., Any]:
    """Load what a DAG processor has loaded.

    :param modules: what a job imports first, unless it is to pay for that itself.
    """
    import airflow.dag_processing.dagbag
    import airflow.sdk
    import airflow.serialization.serialized_objects  # noqa: F401
    from airflow.sdk import DAG, Asset, BaseOperator, Param  # noqa: F401 - airflow.sdk loads them when they are named

    def work(job: str, warm: bool, **arguments: Any) -> Any:
        def do() -> Any:
            if warm:
                for module in modules:
                    import_module(module)
            return JOBS[job](**arguments)

        gc.collect()
        gc.freeze()
        return forked(do)

    return work


if __name__ == "__main__":
    serve(lambda: contestant(sys.argv[1:]))
