"""What the demo and the tests ask of a running Airflow, over its public REST API."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from sandbox.airflow.client import AirflowApiError, AirflowTimeoutError, ApiClient
from sandbox.airflow.log_text import render

Json = dict[str, Any]
_FINISHED = ("success", "failed")
_NOT_FOUND = 404


class AirflowApi(ApiClient):
    """DAGs, runs, tasks and asset states of one Airflow; the dictionaries are those of the REST API."""

    def wait_for_dag(self, dag_id: str, *, timeout: float = 120, on_tick: Callable[[float], None] | None = None) -> Json:
        """Wait until the DAG processor has read a DAG, and give the DAG.

        :param on_tick: told twice a second how many seconds have passed.
        :raises AirflowTimeoutError: if the DAG is not there in time; its text holds the import errors.
        """
        began = time.monotonic()
        while (dag := self._dag(dag_id)) is None:
            seconds = time.monotonic() - began
            if seconds > timeout:
                errors = "\n".join(f"{each['filename']}: {each['stack_trace']}" for each in self.import_errors())
                raise AirflowTimeoutError(f"No DAG {dag_id!r} after {seconds:.0f} s. Import errors: {errors or 'none'}")
            if on_tick:
                on_tick(seconds)
            time.sleep(0.5)
        return dag

    def _dag(self, dag_id: str) -> Json | None:
        try:
            dag: Json = self.call("GET", f"/dags/{quote(dag_id)}")
        except AirflowApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        return None if dag["is_stale"] else dag

    def pause(self, dag_id: str) -> None:
        """Keep the DAG from starting runs."""
        self.call("PATCH", f"/dags/{quote(dag_id)}", body={"is_paused": True})

    def unpause(self, dag_id: str) -> None:
        """Let the DAG start runs; a new DAG is paused."""
        self.call("PATCH", f"/dags/{quote(dag_id)}", body={"is_paused": False})

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Ask for a run of an unpaused DAG and give the run's id."""
        body = {"logical_date": None, "conf": dict(conf or {})}
        return str(self.call("POST", f"/dags/{quote(dag_id)}/dagRuns", body=body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> Json:
        """One DAG run."""
        run: Json = self.call("GET", _run_path(dag_id, run_id))
        return run

    def wait_for_run(
        self, dag_id: str, run_id: str, on_tick: Callable[[Json], None] | None = None, *, timeout: float = 600
    ) -> str:
        """Wait until a run has finished, and give its state: ``success`` or ``failed``.

        :param on_tick: given the run twice a second while it goes on.
        :raises AirflowTimeoutError: if it goes on for longer than ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while (run := self.run(dag_id, run_id))["state"] not in _FINISHED:
            if time.monotonic() > deadline:
                tasks = {each["task_id"]: each["state"] for each in self.task_instances(dag_id, run_id)}
                raise AirflowTimeoutError(
                    f"Run {run_id!r} of {dag_id!r} is {run['state']} after {timeout:.0f} s, its tasks: {tasks}"
                )
            if on_tick:
                on_tick(run)
            time.sleep(0.5)
        return str(run["state"])

    def task_instances(self, dag_id: str, run_id: str) -> list[Json]:
        """The task instances of a run, each in its latest try."""
        return list(self.pages(f"{_run_path(dag_id, run_id)}/taskInstances", "task_instances"))

    def tries(self, dag_id: str, run_id: str, task_id: str) -> list[Json]:
        """Every try of one task of a run, the first one first."""
        found = self.call("GET", f"{_task_path(dag_id, run_id, task_id)}/tries")["task_instances"]
        return sorted(found, key=lambda each: int(each["try_number"]))

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """What a task left under a key, as JSON."""
        path = f"{_task_path(dag_id, run_id, task_id)}/xcomEntries/{quote(key, safe='')}"
        return self.call("GET", path)["value"]

    def task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> str:
        """The whole log of one try, a line an entry: time, level, text, fields."""
        path = f"{_task_path(dag_id, run_id, task_id)}/logs/{try_number}"
        return render(self.call("GET", path, params={"full_content": True})["content"])

    def clear_task(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Let one task of a finished run run again."""
        body = {"dry_run": False, "dag_run_id": run_id, "task_ids": [task_id], "only_failed": False, "reset_dag_runs": True}
        self.call("POST", f"/dags/{quote(dag_id)}/clearTaskInstances", body=body)

    def import_errors(self) -> list[Json]:
        """The DAG files that cannot be read, each with ``filename`` and ``stack_trace``."""
        return list(self.pages("/importErrors", "import_errors"))

    def asset_states(self, asset_name: str) -> Json:
        """What the tasks keep for an asset, value by key."""
        path = f"/assets/{self._asset_id(asset_name)}/state-store"
        return {each["key"]: each["value"] for each in self.pages(path, "asset_state_store")}

    def set_asset_state(self, asset_name: str, key: str, value: Any) -> None:
        """Write one value of an asset's state by hand."""
        self.call("PUT", f"/assets/{self._asset_id(asset_name)}/state-store/{quote(key, safe='')}", body={"value": value})

    def _asset_id(self, name: str) -> int:
        found = [each for each in self.pages("/assets", "assets", {"name_pattern": name}) if each["name"] == name]
        if not found:
            raise LookupError(f"No active asset is named {name!r}: is its DAG read and unpaused?")
        return int(found[0]["id"])


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"


def _task_path(dag_id: str, run_id: str, task_id: str) -> str:
    return f"{_run_path(dag_id, run_id)}/taskInstances/{quote(task_id, safe='')}"
