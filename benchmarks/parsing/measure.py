"""Makes the folders, compares the DAGs, and then measures: the ways in turns, each in forks of a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.command import Tell
from benchmarks.machine import busy
from benchmarks.parsing import folders
from benchmarks.parsing.expected import differences
from benchmarks.parsing.pipelines import made
from benchmarks.parsing.processes import Reader, imports
from benchmarks.parsing.results import (
    BAG,
    BLUEPRINT,
    BLUEPRINT_OURS,
    COLD,
    FACTORY,
    FACTORY_OURS,
    FRESH,
    LOOP,
    LOOP_OURS,
    ONE,
    ONE_FRESH,
    OURS,
    UNCHANGED,
    WAYS,
    Imports,
    Results,
    Sizes,
    Timing,
)
from benchmarks.parsing.shapes import Shape
from benchmarks.processes import BenchmarkError
from sandbox.environments import telling

MAKE = {
    LOOP: (folders.loop, True),
    LOOP_OURS: (folders.loop, False),
    FACTORY: (folders.factory, True),
    FACTORY_OURS: (folders.factory, False),
    BLUEPRINT: (folders.blueprint, True),
    BLUEPRINT_OURS: (folders.blueprint, False),
}
"""Who else makes the same DAGs: how its folder is made, and whether with the neutral operator."""

Taken = dict[tuple[str, str], list[list[float]]]
"""Way and what was measured -> wall and processor seconds of each round."""


class Measurement:
    """One run of the benchmark.

    :param folder: takes the files and what the processes write.
    :param tell: is told how far it is.
    :param ways: who takes part; :data:`~benchmarks.parsing.results.OURS` comes first, since the others are made from it.
    """

    def __init__(self, sizes: Sizes, folder: Path, tell: Tell, *, ways: Sequence[str] = WAYS) -> None:
        self._sizes, self._folder, self._tell, self._taking = sizes, folder, tell, ways
        self.results = Results(sizes)
        self._readers: dict[str, Reader] = {}

    def __call__(self) -> Results:
        """Compare and measure everything."""
        with telling(self._tell), ExitStack() as held:
            for way in self._taking:
                with self._noted(way):
                    self._readers[way] = held.enter_context(Reader(way, self._folder))
            for count in self._sizes.counts:
                self.results.others += busy(1.0)
                self._compare(count)
                self._measure(count)
            self._imports()
        return self.results

    @contextmanager
    def _noted(self, way: str) -> Iterator[None]:
        """Go on without a way that fails."""
        try:
            yield
        except (BenchmarkError, RuntimeError) as error:
            self._tell(f"{way}: FAILED: {error}")
            self.results.failed[way] = str(error)
            self._readers.pop(way, None)

    def _file(self, way: str, count: int) -> Path:
        return self._folder / f"{count} files" / way / folders.DAG_FILE

    def _ways(self, count: int) -> list[str]:
        """The ways that still run."""
        return [way for way in self._sizes.ways(count) if way in self._readers]

    def _compare(self, count: int) -> None:
        """Make the folders and compare the DAGs of all ways; one whose DAGs are not right is not timed."""
        shapes: list[Shape] = []
        content: Mapping[str, Any] = {}
        for way in self._ways(count):
            with self._noted(way):
                file = self._file(way, count)
                if way == OURS:
                    folders.ours(file.parent, count)
                    shapes = self._readers[way].job("shapes", file, count=count)
                else:
                    make, neutral = MAKE[way]
                    make(file.parent, shapes, neutral=neutral)
                found = self._readers[way].job("content", file)
                content = content or found
                wrong = self.results.exact[way, count] = differences(count, content, found)
                if wrong:
                    raise BenchmarkError(f"the DAGs of {count:,} files are wrong: {'; '.join(wrong)}")
        self._tell(f"{count:,} files: the DAGs of {', '.join(self._ways(count))} are the same")

    def _measure(self, count: int) -> None:
        taken: Taken = {}
        for turn in range(self._sizes.turns(count)):
            for way in self._ways(count):
                with self._noted(way):
                    for what, seconds in self._round(way, count).items():
                        taken.setdefault((way, what), []).append(seconds)
            self._tell(f"{count:,} files: round {turn + 1} of {self._sizes.turns(count)}")
        for (way, what), rounds in taken.items():
            if way in self._readers:
                wall, cpu = zip(*rounds, strict=True)
                self.results.timings.append(Timing(way, count, what, wall, cpu))

    def _round(self, way: str, count: int) -> dict[str, list[float]]:
        """
        :raises BenchmarkError: if a load did not give all DAGs.
        """
        reader, file = self._readers[way], self._file(way, count)
        loaded = reader.job("load", file)
        found = {COLD: loaded["cold"], UNCHANGED: loaded["unchanged"]}
        counts = [loaded["count"]]
        if count <= self._sizes.many:
            for what, warm in ((BAG, True), (FRESH, False)):
                bag = reader.job("bag", file, warm=warm)
                found[what] = bag["bag"]
                counts.append(bag["count"])
        if wrong := [one for one in counts if one != count]:
            raise BenchmarkError(f"{wrong[0]:,} DAGs came of {count:,} files")
        if count == self._sizes.middle:
            wanted = [one.pipeline_id for one in made(count)][count // 2]
            for what, warm in ((ONE, True), (ONE_FRESH, False)):
                found[what] = reader.job("one", file, warm=warm, dag_id=wanted)["one"]
        return found

    def _imports(self) -> None:
        """Import each library in fresh processes; the first time only fills the system's caches."""
        taken: dict[str, list[dict[str, Any]]] = {way: [] for way in (OURS, FACTORY, BLUEPRINT) if way in self._readers}
        for _ in range(self._sizes.rounds + 1):
            for way, found in taken.items():
                found.append(imports(way, self._folder))
        for way, (_, *rounds) in taken.items():
            base = median(one["base"] for one in rounds)
            heavy = tuple(rounds[0]["heavy"])
            self.results.imports.append(Imports(way, base, tuple(one["added"] for one in rounds), heavy))
        self._tell("imports are measured")
