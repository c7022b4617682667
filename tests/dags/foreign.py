"""Runs somebody else's DAG with a pipeline in it, in a process of its own; prints what Airflow then knows as JSON.

The first argument is a folder with ``nightly.py``, a DAG file.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from tests.cli.conftest import register


def known(run: Any) -> dict[str, Any]:
    """The tasks of a run with their states, XComs and links, and the events of assets."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.models.xcom import XComModel
    from airflow.serialization.definitions.operatorlink import XComOperatorLink
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from activation.operators.links import LINKS

    found: dict[str, Any] = {"state": str(run.state), "tasks": {}}
    with create_session() as session:
        for task in run.get_task_instances(session=session):
            mine = XComModel.task_id == task.task_id, XComModel.key == "return_value"
            values = session.execute(select(XComModel.value).where(*mine))
            links = {one.name: XComOperatorLink(one.name, one.xcom_key).get_link(task, ti_key=task.key) for one in LINKS}
            found["tasks"][task.task_id] = {"state": str(task.state), "values": [one for (one,) in values], "links": links}
        events = session.execute(select(AssetModel.name, AssetModel.uri).join(AssetEvent, AssetEvent.asset_id == AssetModel.id))
        found["events"] = sorted([list(event) for event in events])
    return found


def main(folder: Path) -> None:
    """Make the metadata database, run the DAG, tell."""
    from airflow.utils.db import initdb

    initdb()
    dag = next(one for one in runpy.run_path(str(folder / "nightly.py")).values() if isinstance(one, DAG))
    register(dag)
    run = dag.test()
    (folder / "known.json").write_text(json.dumps(known(run), default=str), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
