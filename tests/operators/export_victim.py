"""Exports to be killed: a process that has everything loaded, and makes of itself one process for each try.

Says ``ready``. Then it reads a line for each try: a JSON object with ``kill_after``, the seconds after which the try is killed or
``null``, ``environment``, ``folder``, ``bucket``, ``destination``, ``interval`` and ``run``; and writes its exit code in a line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, cast

import activation.operators.exporting  # noqa: F401 - loaded before the clock of a try runs
from sandbox.aws import AwsSandbox
from tests.operators.export_world import ExportWorld


def main() -> None:
    """Serve until the input ends."""
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        kill_after = order.pop("kill_after")
        process = os.fork()
        if not process:
            _export(**order)
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(process, signal.SIGKILL)  # until it is waited for, the id is its own
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def _export(
    environment: dict[str, str], folder: str, bucket: str, destination: dict[str, Any], interval: list[str], run: str
) -> None:
    """Export in this process, and end it."""
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    code = 1
    try:
        ExportWorld(cast(AwsSandbox, None), Path(folder), bucket, destination).run(interval[0], interval[1], run_id=run)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
