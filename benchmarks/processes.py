"""The processes of the benchmark: the capture server, and workers in which the contestants run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.request import ProxyHandler, Request, build_opener

from benchmarks.server import Counts

ROOT = Path(__file__).parents[1]


P = TypeVar("P", bound="Process")


class BenchmarkError(Exception):
    """Something without which there is no result."""


@dataclass(frozen=True)
class Place:
    """Where a contestant reads and writes.

    :ivar home: a folder for what it keeps.
    """

    url: str
    database: str
    home: str


@dataclass(frozen=True)
class Outcome:
    """What a worker did with a job.

    :ivar seconds: wall time of each repetition.
    :ivar cpu: processor time of the worker over all repetitions, in seconds.
    :ivar memory: resident bytes before the first repetition.
    :ivar peak: most resident bytes so far.
    :ivar found: what the last repetition gave.
    """

    seconds: list[float]
    cpu: float
    memory: int
    peak: int
    found: Any = None


def start(
    module: str, *arguments: str, errors: Path, variables: Mapping[str, str], python: str = sys.executable
) -> subprocess.Popen[str]:
    """Start a module of this package; nothing of it passes through a proxy.

    :param errors: the file that takes its standard error.
    :param variables: stand in its environment beside this process's own.
    :param python: the interpreter.
    """
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT}", "DO_NOT_TRACK": "1", **variables}
    with errors.open("ab") as stderr:
        return subprocess.Popen(
            [python, "-m", module, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )


class Process:
    """A process that is told to end by the end of its standard input."""

    def __init__(
        self,
        module: str,
        *arguments: str,
        errors: Path,
        variables: Mapping[str, str] | None = None,
        python: str = sys.executable,
    ) -> None:
        self._module, self._errors = module, errors
        self._process = start(module, *arguments, errors=errors, variables=variables or {}, python=python)

    def line(self) -> str:
        """Its next line.

        :raises BenchmarkError: if it has ended; shows its last words.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            said = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
            raise BenchmarkError(f"{self._module} has ended: {' | '.join(said)}")
        return line

    def __enter__(self: P) -> P:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Server(Process):
    """The capture server."""

    def __init__(self, folder: Path) -> None:
        super().__init__("benchmarks.server", errors=folder / "server.log")
        self._spool = folder / "bodies"
        self._open = build_opener(ProxyHandler({})).open
        self.url = f"http://127.0.0.1:{int(self.line())}"

    def begin(self, *, latency: float = 0.0, keep: bool = False) -> None:
        """Begin new counts.

        :param latency: seconds from a request to its answer.
        :param keep: whether the bodies are kept, for :meth:`bodies`.
        """
        self._control(latency, str(self._spool) if keep else None)

    def end(self) -> Counts:
        """What arrived since :meth:`begin`."""
        return self._control(0.0, None)

    def bodies(self) -> Iterator[bytes]:
        """The bodies that were kept, in the order in which they came."""
        with self._spool.open("rb") as spool:
            while size := spool.readline():
                yield spool.read(int(size))

    def _control(self, latency: float, spool: str | None) -> Counts:
        body = json.dumps({"latency": latency, "spool": spool}).encode()
        with self._open(Request(f"{self.url}/control", data=body), timeout=30) as reply:  # noqa: S310 - always http
            return Counts(**json.load(reply))


class Jobs(Process):
    """A process that does one job after the other, see :func:`benchmarks.worker.serve`."""

    def do(self, *, repeat: int = 1, **arguments: Any) -> Outcome:
        """Let the contestant do a job.

        :param repeat: how often.
        :param arguments: what the contestant takes.
        :raises BenchmarkError: if it fails.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"repeat": repeat, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        reply: dict[str, Any] = json.loads(self.line())
        if "error" in reply:
            raise BenchmarkError(reply["error"])
        return Outcome(**reply)


class Worker(Jobs):
    """A process in which one contestant runs.

    :param contestant: a key of :data:`benchmarks.worker.CONTESTANTS`.
    """

    def __init__(self, contestant: str, place: Place) -> None:
        errors = Path(place.home) / f"{contestant}.log"
        super().__init__("benchmarks.worker", contestant, json.dumps(asdict(place)), errors=errors)

    def run(self, rows: int, *, in_flight: int = 1, repeat: int = 1) -> Outcome:
        """Let the contestant send the table that has this many rows."""
        return self.do(repeat=repeat, rows=rows, in_flight=in_flight)


def ceiling(place: Place, rows: int, connections: int, seconds: float) -> float:
    """Requests a second that the server answers to a sender that does nothing else.

    :param rows: the table from which the request is made.
    """
    arguments = (place.url, place.database, str(rows), str(connections), str(seconds))
    with Process("benchmarks.ceiling", *arguments, errors=Path(place.home) / "ceiling.log") as process:
        return float(process.line())
