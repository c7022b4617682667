"""The folders of the ways: a DAG file each, and what it reads. All of them are made from the shapes of our DAGs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.parsing import pipelines
from benchmarks.parsing.shapes import Shape

DAG_FILE = "dags.py"
PIPELINES = "pipelines"
OPERATOR = "benchmarks.parsing.neutral.CarryOperator"
TOLD = "benchmarks.parsing.neutral.tell"
ASSET = "benchmarks.parsing.neutral.asset"
_BLOCKS = ("source", "destination", "cursor", "columns", "delivery")

_OURS = '''"""Makes an Airflow DAG of each pipeline file in the folder beside this file."""

from activation.dags import load

globals().update(load("pipelines"))
'''

_LOOP = '''"""Airflow DAGs of the rows of a JSON file, in a loop."""

from benchmarks.parsing.loop import dags

globals().update(dags(__file__))
'''

_FACTORY = '''"""Airflow DAGs of a folder of YAML files, by dag-factory."""

from pathlib import Path

from dagfactory import load_yaml_dags

FOLDER = str(Path(__file__).parent / "pipelines")

load_yaml_dags(globals_dict=globals(), dags_folder=FOLDER, defaults_config_path=FOLDER)
'''

_BLUEPRINT = '''"""Airflow DAGs of a folder of YAML files, by blueprint."""

import json
from pathlib import Path

from blueprint import build_all_airflow_dags

from benchmarks.parsing.loop import form

FORMS = json.loads(Path(__file__).with_name("forms.json").read_text(encoding="utf-8"))


def add(dag, file):
    """Give a DAG its form: blueprint itself makes forms of the keys of its templates only."""
    dag.params = form(FORMS[dag.task_ids[0]]["params"])


build_all_airflow_dags(on_dag_built=add)
'''


def ours(folder: Path, count: int) -> None:
    """The pipeline files and their DAG file."""
    pipelines.write(folder / PIPELINES, count)
    (folder / DAG_FILE).write_text(_OURS, encoding="utf-8")


def loop(folder: Path, shapes: Sequence[Shape], *, neutral: bool) -> None:
    """A loop over rows that are read from one file, with our operators or the neutral one."""
    rows = [{**shape, "tasks": [_operated(task, neutral=neutral) for task in shape["tasks"]]} for shape in shapes]
    _start(folder, _LOOP)
    (folder / "rows.json").write_text(json.dumps(rows), encoding="utf-8")


def factory(folder: Path, shapes: Sequence[Shape], *, neutral: bool) -> None:
    """A YAML file a DAG, as dag-factory's documentation has them: a typed object only where no plain value will do."""
    _start(folder, _FACTORY)
    for shape in shapes:
        given = dict(shape["dag"])
        name = given.pop("dag_id")
        tasks = {task["task_id"]: _factory_task(shape, _operated(task, neutral=neutral)) for task in shape["tasks"]}
        timeout = {"__type__": "datetime.timedelta", "seconds": shape["default_args"]["execution_timeout"]}
        dag = {
            **given,
            "schedule": _factory_schedule(shape["schedule"]),
            "start_date": shape["start"],
            "tags": shape["tags"],
            "default_args": {**shape["default_args"], "execution_timeout": timeout},
            "params": {param: {"__type__": "airflow.sdk.Param", **value} for param, value in shape["params"].items()},
            "tasks": tasks,
        }
        _write(folder / PIPELINES / f"{name}.yaml", {name: dag})


def blueprint(folder: Path, shapes: Sequence[Shape], *, neutral: bool) -> None:
    """A YAML file a DAG, and the module of the templates, which knows what is the same for all pipelines of a kind."""
    _start(folder, _BLUEPRINT)
    source = Path(__file__).with_name("templates.py").read_text(encoding="utf-8")
    (folder / "templates.py").write_text(source, encoding="utf-8")
    forms: dict[str, Any] = {}
    for shape in shapes:
        steps = {}
        for task in (_operated(one, neutral=neutral) for one in shape["tasks"]):
            rendered = {name: value for name, value in task["arguments"].items() if _is_rendered(value)}
            kind = {"operator": task["operator"], "params": shape["params"], "rendered": rendered, "callbacks": task["set"]}
            if len(task["set"]) >= len(forms.get(task["task_id"], {}).get("callbacks", ())):
                forms[task["task_id"]] = kind
            blocks = {name: value for name, value in task["arguments"].items() if name not in rendered}
            steps[task["task_id"]] = {"blueprint": "carry", **blocks, **({"told": shape["told"]} if task["set"] else {})}
        plan = {name: value for name, value in shape["schedule"].items() if value}
        given = {"start": shape["start"], "tags": shape["tags"], "plan": plan, "default_args": shape["default_args"]}
        _write(folder / PIPELINES / f"{shape['dag']['dag_id']}.dag.yaml", {**shape["dag"], **given, "steps": steps})
    (folder / "forms.json").write_text(json.dumps(forms), encoding="utf-8")


def _start(folder: Path, dag_file: str) -> None:
    (folder / PIPELINES).mkdir(parents=True)
    (folder / DAG_FILE).write_text(dag_file, encoding="utf-8")


def _write(file: Path, data: Any) -> None:
    file.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _is_rendered(value: Any) -> bool:
    return "{{" in str(value)


def _operated(task: Shape, *, neutral: bool) -> Shape:
    """A task with the operator that it is to have; the neutral one takes all that Airflow renders as ``order``."""
    if not neutral:
        return task
    given = task["arguments"]
    order = {name: value for name, value in given.items() if name not in ("pipeline_id", "order", *_BLOCKS)}
    kept = {name: value for name, value in given.items() if name not in (*order, "order")}
    return {**task, "operator": OPERATOR, "arguments": {**kept, "order": {**given.get("order", {}), **order}}}


def _factory_task(shape: Shape, task: Shape) -> Shape:
    told = {name: {"callback": TOLD, "to": shape["told"]} for name in task["set"]}
    return {"operator": task["operator"], **task["arguments"], **told}


def _factory_schedule(schedule: Shape) -> Any:
    if schedule["after"]:
        return [{"__type__": ASSET, "pipeline_id": one} for one in schedule["after"]]
    if not schedule["timezone"]:
        return schedule["cron"]
    kind = "CronDataIntervalTimetable" if schedule["interval"] else "CronTriggerTimetable"
    return {"__type__": f"airflow.sdk.{kind}", "__args__": [schedule["cron"]], "timezone": schedule["timezone"]}
