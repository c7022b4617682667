"""Tries of a task, out of the test's process: ``python -m tests.operators.kakao.kakao_victim fork|here``.

It loads everything and says ``ready``. Then it reads a line for each try: a JSON object with ``environment``, ``operator`` (the
operator's arguments), ``run``, ``attempt``, ``state`` (the file that holds the task's state) and ``event`` (what a trigger said,
or ``null``). It writes a line ``{"exit", "peak", "heavy", …}``: the exit code, the most bytes of memory that the try's process
ever held, which of pandas and DuckDB it has loaded, and one of ``report``, ``deferred`` (the path and the arguments of the
trigger) and ``error``.

With ``fork`` each try is a process of its own, which a line ``kill`` kills. With ``here`` all are done in this one: a fork does
not count the libraries that it shares with its parent, and so looks smaller than a task is. Neither pytest nor a warehouse is in
the process.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from airflow.providers.postgres.hooks.postgres import PostgresHook  # noqa: F401 - loaded once for all tries
from airflow.sdk import Context
from airflow.sdk.exceptions import TaskDeferred

import activation.hooks.kakao_moment
import activation.operators.kakao_run
import activation.warehouses.postgres  # noqa: F401 - loaded once for all tries
from activation.operators.kakao_customer_file import KakaoCustomerFileOperator
from tests.support.task import task_instance


class FileStore:
    """A task's state in a file, which outlives the process.

    :param path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, key: str, default: Any = None) -> Any:
        """A value."""
        return self._all().get(key, default)

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        self._write({**self._all(), key: value})

    def delete(self, key: str) -> None:
        """Drop a value."""
        self._write({name: value for name, value in self._all().items() if name != key})

    def _all(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self._path.read_text())) if self._path.exists() else {}

    def _write(self, values: Mapping[str, Any]) -> None:
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(values))
        new.replace(self._path)


def main(fork: bool) -> None:
    """Serve until the input ends."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as answers:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print("ready", file=answers, flush=True)
        while line := sys.stdin.readline():
            order = json.loads(line)
            print(json.dumps(_forked(order) if fork else _tried(**order)), file=answers, flush=True)


def _forked(order: dict[str, Any]) -> dict[str, Any]:
    """Do one try in a process of its own."""
    reader, writer = os.pipe()
    if not (process := os.fork()):
        try:
            os.write(writer, json.dumps(_tried(**order)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    code = _exit_code(process)
    with os.fdopen(reader) as told:
        return {"exit": code, **json.loads(told.read() or "{}")}


def _exit_code(process: int) -> int:
    """Wait for a try, and kill it if that is asked for."""
    while not (ended := os.waitpid(process, os.WNOHANG))[0]:
        if select.select([sys.stdin], [], [], 0.05)[0] and sys.stdin.readline():
            os.kill(process, signal.SIGKILL)  # until it is waited for, the id is its own
            ended = os.waitpid(process, 0)
            break
    return os.waitstatus_to_exitcode(ended[1])


def _tried(environment: dict[str, str], **order: Any) -> dict[str, Any]:
    """Do one try in this process."""
    os.environ.update(environment)
    try:
        told = _done(**order)
    except Exception as error:  # noqa: BLE001 - the test looks at it
        told = {"error": f"{type(error).__name__}: {error}"}
    return {**told, "peak": peak(), "heavy": sorted({"pandas", "duckdb"} & set(sys.modules))}


def _done(operator: dict[str, Any], run: str, attempt: int, state: str, event: dict[str, Any] | None) -> dict[str, Any]:
    made = KakaoCustomerFileOperator(task_id="upload", **operator)
    context = {
        "run_id": run,
        "ti": task_instance("p", "upload", attempt),
        "asset_state_store": {made.asset: FileStore(Path(f"{state}.asset"))},
        "task_state_store": FileStore(Path(state)),
        "outlet_events": {made.asset: SimpleNamespace(extra={})},
    }
    given = cast(Context, context)
    try:
        return {"report": made.execute(given) if event is None else made.execute_complete(given, event)}
    except TaskDeferred as deferred:
        return {"deferred": deferred.trigger.serialize()}


def peak() -> int:
    """Most bytes of memory that this process ever held."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


if __name__ == "__main__":
    main(sys.argv[1] == "fork")
