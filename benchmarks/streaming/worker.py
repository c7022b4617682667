"""A process in which one sender sends records: ``python -m benchmarks.streaming.worker NAME URL``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

from benchmarks.processes import ROOT, Jobs, Process
from benchmarks.streaming.records import arrived
from benchmarks.streaming.stub import Counts
from benchmarks.worker import serve

SENDERS = {
    "ours": "benchmarks.streaming.ours:ours",
    "put_record": "benchmarks.streaming.loops:row_loop",
    "put_records": "benchmarks.streaming.loops:batch_loop",
    "threads": "benchmarks.streaming.loops:threads",
    "async-kinesis": "benchmarks.streaming.producer:producer",
    "warehouse": "benchmarks.streaming.detecting:ours",
    "naive": "benchmarks.streaming.naive:naive",
}
"""Name -> the function that makes the sender, or what finds changes, of the stub's address."""

REQUIREMENTS = ROOT / "benchmarks" / "streaming" / "peer" / "requirements.txt"


class Stub(Process):
    """The stub, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__("benchmarks.streaming.stub", errors=folder / "stub.log")
        self._spool = folder / "calls"
        self._open = build_opener(ProxyHandler({})).open
        self.url = f"http://127.0.0.1:{int(self.line())}"

    def begin(self, *, latency: float = 0.0, faults: str = "", keep: bool = False) -> None:
        """Begin new counts.

        :param latency: seconds from a call to its answer.
        :param faults: the code with which one record of twenty fails the first time that it comes; empty: none does.
        :param keep: whether the calls are kept, for :meth:`records`.
        """
        self._control(latency, faults, str(self._spool) if keep else None)

    def end(self) -> Counts:
        """What arrived since :meth:`begin`."""
        return self._control(0.0, "", None)

    def records(self) -> Iterator[tuple[str, bytes]]:
        """Key and data of the records that are in, of the calls that were kept."""
        return arrived(self._spool)

    def _control(self, latency: float, faults: str, spool: str | None) -> Counts:
        body = json.dumps({"latency": latency, "faults": faults, "spool": spool}).encode()
        with self._open(Request(f"{self.url}/control", data=body), timeout=30) as reply:  # noqa: S310 - always http
            return Counts(**json.load(reply))


def ceiling(url: str, folder: Path, file: Path, connections: int, seconds: float) -> float:
    """Records a second that the stub takes from a sender that does nothing else."""
    arguments = (url, str(file), str(connections), str(seconds))
    with Process("benchmarks.streaming.ceiling", *arguments, errors=folder / "ceiling.log") as process:
        return float(process.line())


class Sender(Jobs):
    """Runs this module.

    :param name: a key of :data:`SENDERS`.
    :param folder: takes what it prints and keeps.
    :raises RuntimeError: if the packages of a sender cannot be installed.
    """

    def __init__(self, name: str, url: str, folder: Path) -> None:
        python = sys.executable
        if name == "async-kinesis":
            from sandbox.environments import environment

            python = str(environment(name, REQUIREMENTS))
        errors = folder / f"{name}.log"
        given = {"BENCHMARK_HOME": str(folder)}
        super().__init__("benchmarks.streaming.worker", name, url, errors=errors, variables=given, python=python)


def make(name: str, url: str) -> None:
    """Let one sender do its jobs."""
    module, _, function = SENDERS[name].partition(":")
    serve(lambda: getattr(import_module(module), function)(url))


if __name__ == "__main__":
    make(*sys.argv[1:])
