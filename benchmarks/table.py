"""The results as Markdown, and the place in the document where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import facts
from benchmarks.processes import BenchmarkError
from benchmarks.results import FLIGHTS, LATENCY, PEERS, Results, Timing

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
LABELS = {
    "ours": "**ours**",
    "row loop": "`requests.post`, a row each",
    "batch loop": "`requests.Session`, 75 rows each",
    "drt-core": "drt-core, batch mode",
}


@dataclass(frozen=True)
class Target:
    """One aim and what came out."""

    text: str
    aim: str
    measured: str
    reached: bool


def render(results: Results, command: str) -> str:
    """All results, without a heading."""
    parts = [
        circumstances(command, facts(), results.others),
        _content(results),
        _timings(results),
        _server(results),
        _memory(results),
        verdicts(targets(results)),
    ]
    return paragraphs(parts)


def paragraphs(parts: Sequence[Sequence[str]]) -> str:
    """Parts, each of some lines, with an empty line between; an empty part leaves none."""
    return "\n\n".join("\n".join(part) for part in parts if part)


def circumstances(command: str, facts: Mapping[str, str], others: Sequence[float]) -> list[str]:
    """The command, and what the benchmark ran on.

    :param others: share of the processors that other processes took, at several times.
    """
    machine = [f"- {name}: {value}" for name, value in facts.items()]
    if others:
        machine.append(f"- Other processes took {min(others):.0%} to {max(others):.0%} of the processors meanwhile")
    return [f"Command: `{command}`", "", *machine]


def write(document: Path, text: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Put the results between two marks of a document.

    :raises BenchmarkError: if it has no marks.
    """
    first, last = marks
    before, begin, rest = document.read_text(encoding="utf-8").partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise BenchmarkError(f"{document} has no lines {first} and {last} between which the results could stand.")
    document.write_text(f"{before}{first}\n\n{text}\n\n{last}{after}", encoding="utf-8")


def targets(results: Results) -> list[Target]:
    """Every aim whose two sides were measured."""
    few, many = FLIGHTS
    found: list[Target | None] = [
        _faster(results, "row loop", few, 1_000),
        _faster(results, "batch loop", few, 14),
        _faster(results, "batch loop", many, 30),
        _faster(results, "drt-core", many, 20),
        _fast(results, few, 150_000),
        flat(results.memory, 0.15),
    ]
    return [target for target in found if target is not None]


def _timing(results: Results, contestant: str, latency: float, in_flight: int = 1) -> Timing | None:
    keys = (contestant, latency, in_flight)
    return next((one for one in results.timings if (one.contestant, one.latency, one.in_flight) == keys), None)


def _factor(results: Results, peer: Timing, in_flight: int) -> float | None:
    ours = _timing(results, "ours", peer.latency, in_flight)
    return None if ours is None else ours.rate / peer.rate


def _faster(results: Results, name: str, in_flight: int, aim: int) -> Target | None:
    peer = _timing(results, name, LATENCY)
    factor = None if peer is None else _factor(results, peer, in_flight)
    if factor is None:
        return None
    text = f"faster than {LABELS[name]}, at 50 ms with {in_flight} in flight"
    return Target(text, f"≥ {aim:,}×", f"{factor:,.1f}×", factor >= aim)


def _fast(results: Results, in_flight: int, aim: int) -> Target | None:
    ours, ceiling = _timing(results, "ours", 0.0, in_flight), results.ceilings.get(in_flight)
    if ours is None or ceiling is None:
        return None
    room = ceiling > ours.requests / ours.seconds
    text = f"rows/s at 0 ms with {in_flight} in flight, against a server that can take more"
    return Target(text, f"≥ {aim:,}", f"{ours.rate:,.0f}" + ("" if room else " (the server is the limit)"), ours.rate >= aim)


def flat(memory: Mapping[int, tuple[int, int]], most: float, where: str = "") -> Target | None:
    """The aim that memory does not grow with the rows.

    :param memory: rows -> resident bytes before, and the most during it.
    :param most: share by which the peak may grow.
    :param where: stands behind the text.
    """
    if len(memory) < 2:
        return None
    (few, (_, low)), (many, (_, high)) = sorted(memory.items())
    growth = high / low - 1
    text = f"growth of peak memory from {few:,} to {many:,} rows{where}"
    return Target(text, f"< {most:.0%}", f"{growth:+.1%}", growth < most)


def _content(results: Results) -> list[str]:
    lines = [
        f"- {LABELS[name]}, {rows:,} rows: {'**WRONG**: ' + '; '.join(wrong) if wrong else 'exact'}"
        for (name, rows), wrong in results.exact.items()
    ]
    failed = [f"- {LABELS[name]}: **failed**, {why}" for name, why in results.failed.items()]
    return ["Content, compared object for object:", "", *lines, *failed]


def _timings(results: Results) -> list[str]:
    few, many = FLIGHTS
    rows = []
    for latency in (LATENCY, 0.0):
        for one in (one for name in ("ours", *PEERS) for one in results.timings if one.contestant == name):
            if one.latency != latency:
                continue
            factors = [_factor(results, one, in_flight) for in_flight in FLIGHTS] if one.contestant != "ours" else []
            rows.append(
                [
                    LABELS[one.contestant],
                    f"{latency * 1000:.0f} ms",
                    str(one.in_flight),
                    f"{one.rows:,}",
                    f"{one.seconds:,.2f} s",
                    f"{one.rate:,.0f}",
                    f"{one.requests / one.seconds:,.0f}",
                    f"{one.cpu / one.rows * 1e6:,.1f} ms",
                    " / ".join(f"{factor:,.1f}×" for factor in factors if factor is not None) or "–",
                ]
            )
    names = ["sender", "latency", "in flight", "rows timed", "time", "rows/s", "requests/s", "CPU per 1,000 rows"]
    return grid([*names, f"ours faster by ({few} / {many})"], rows)


def _server(results: Results) -> list[str]:
    rates = [f"{rate:,.0f} requests/s over {connections} connections" for connections, rate in results.ceilings.items()]
    return [f"The server's own ceiling, with the same requests, encoded beforehand: {', '.join(rates)}."]


def _memory(results: Results) -> list[str]:
    rows = [
        [f"{rows:,}", f"{before / 2**20:,.0f} MiB", f"{peak / 2**20:,.0f} MiB", f"{(peak - before) / 2**20:,.0f} MiB"]
        for rows, (before, peak) in results.memory.items()
    ]
    first = f"A process's first import, of {results.sizes.check:,} rows, took {results.first:.1f} s: it loads the libraries."
    return [*grid(["rows of one import", "resident before", "peak", "difference"], rows), "", first] if rows else []


def verdicts(found: Sequence[Target]) -> list[str]:
    """What was aimed at, and whether it was reached."""
    rows = [[one.text, one.aim, one.measured, "yes" if one.reached else "**no**"] for one in found]
    return grid(["target", "aim", "measured", "reached"], rows) if rows else []


def grid(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (names, *rows)]
    return [lines[0], "|" + " --- |" * len(names), *lines[1:]]
