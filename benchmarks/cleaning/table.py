"""The results as Markdown."""

from __future__ import annotations

from benchmarks.cleaning.results import WAYS, Results, Run
from benchmarks.machine import facts
from benchmarks.table import Target, circumstances, flat, grid, paragraphs, verdicts

MARKS = ("<!-- cleaning results: begin -->", "<!-- cleaning results: end -->")

OURS, PANDAS = WAYS
SHOWN = {OURS: "**ours**", PANDAS: "pandas script"}

FASTER, SHARE = 5, 1 / 4
"""How many times as fast ours is to be, and the most that it may take of the script's memory."""

MOST_BYTES = 300_000_000
"""The most that ours may take in all, whatever the rows."""

PACKAGES = ("duckdb", "pyarrow", "numpy", "pandas")


def render(results: Results, command: str) -> str:
    """All results, without a heading."""
    machine = circumstances(command, facts(PACKAGES), results.others)
    return paragraphs([machine, _content(results), _runs(results), verdicts(targets(results))])


def targets(results: Results) -> list[Target]:
    """Every aim whose two sides were measured."""
    ours = {run.rows: run for run in results.of(OURS)}
    found: list[Target | None] = []
    for peer in results.of(PANDAS):
        if run := ours.get(peer.rows):
            factor, share = peer.seconds / run.seconds, run.peak / peer.peak
            text = f"the pandas script, {peer.rows:,} rows"
            found.append(Target(f"faster than {text}", f"≥ {FASTER}×", f"{factor:,.1f}×", factor >= FASTER))
            found.append(Target(f"peak memory beside {text}", "≤ 1/4", f"{share:.2f}", share <= SHARE))
    for run in results.of(OURS)[-1:]:
        text = f"peak memory, {run.rows:,} rows"
        found.append(Target(text, "≤ 300 MB", f"{run.peak / 1e6:,.0f} MB", run.peak <= MOST_BYTES))
    found.append(flat({run.rows: (run.memory, run.peak) for run in results.of(OURS)[:: len(ours) - 1 or 1]}, 0.15))
    return [target for target in found if target is not None]


def _content(results: Results) -> list[str]:
    lines = [
        f"- {SHOWN[way]}, {count:,} rows: {'**WRONG**: ' + '; '.join(wrong) if wrong else 'exact'}"
        for (way, count), wrong in results.exact.items()
    ]
    broken = [f"- {SHOWN[way]}: **failed**, {why}" for way, why in results.broken.items()]
    return ["The ids in the files and the counts by reason, compared with those of the table:", "", *lines, *broken]


def _runs(results: Results) -> list[str]:
    ours = {run.rows: run for run in results.of(OURS)}
    lines = [_line(run, ours.get(run.rows)) for way in WAYS for run in results.of(way)]
    return grid(["way", "rows", "time", "rows/s", "peak memory", "of it growth", "ours faster by"], lines) if lines else []


def _line(run: Run, ours: Run | None) -> list[str]:
    return [
        SHOWN[run.way],
        f"{run.rows:,}",
        f"{run.seconds:,.2f} s",
        f"{run.rate:,.0f}",
        f"{run.peak / 2**20:,.0f} MiB",
        f"{(run.peak - run.memory) / 2**20:,.0f} MiB",
        "–" if run.way == OURS or ours is None else f"{run.seconds / ours.seconds:,.1f}×",
    ]
