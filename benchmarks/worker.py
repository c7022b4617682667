"""A process in which one contestant runs: takes jobs as JSON lines and tells the time, the processor time and the memory."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.processes import Place

Contestant = Callable[..., Any]
"""Does a job: sends the table with ``rows`` rows, with ``in_flight`` requests in flight."""

CONTESTANTS = {
    "ours": "benchmarks.ours:ours",
    "row loop": "benchmarks.loops:row_loop",
    "batch loop": "benchmarks.loops:batch_loop",
    "drt-core": "benchmarks.drt_batch:drt_batch",
}
"""Name -> the function that makes the contestant of a :class:`~benchmarks.processes.Place`."""


def resident() -> tuple[int, int]:
    """Bytes of memory that are resident now, and the most there ever were."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:  # no Linux: only the peak is known, in bytes on macOS
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return peak, peak
    sizes = {line.partition(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return int(sizes["VmRSS"]) * 1024, int(sizes["VmHWM"]) * 1024


def run(contestant: Contestant, job: dict[str, Any]) -> dict[str, Any]:
    """Do one job."""
    found, seconds, (memory, _), cpu = None, [], resident(), time.process_time()
    for _ in range(job["repeat"]):
        began = time.perf_counter()
        found = contestant(**job["arguments"])
        seconds.append(time.perf_counter() - began)
    return {"seconds": seconds, "cpu": time.process_time() - cpu, "memory": memory, "peak": resident()[1], "found": found}


def serve(make: Callable[[], Contestant]) -> None:
    """Do the jobs that come in on the standard input.

    :param make: makes the contestant; whatever it prints goes to the standard error.
    """
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not stand among the replies
    contestant = make()
    for line in sys.stdin:
        try:
            reply = run(contestant, json.loads(line))
        except Exception as error:  # noqa: BLE001 - whatever it is, the benchmark reports it as this contestant's failure
            reply = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def main(name: str, place: Place) -> None:
    """Let one contestant do its jobs."""
    module, _, function = CONTESTANTS[name].partition(":")
    serve(lambda: getattr(import_module(module), function)(place))


if __name__ == "__main__":
    main(sys.argv[1], Place(**json.loads(sys.argv[2])))
