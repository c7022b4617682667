"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks.machine import facts
from benchmarks.parsing.processes import REQUIREMENTS
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
    Results,
    Timing,
)
from benchmarks.table import Target, circumstances, grid, paragraphs, verdicts

MARKS = ("<!-- parsing results: begin -->", "<!-- parsing results: end -->")

SHOWN = {
    OURS: "**ours**",
    LOOP: "Python loop",
    LOOP_OURS: "Python loop, our operators",
    FACTORY: "dag-factory",
    BLUEPRINT: "blueprint",
    FACTORY_OURS: "dag-factory, our operators",
    BLUEPRINT_OURS: "blueprint, our operators",
}
PACKAGES = ("apache-airflow", "pydantic", "pyyaml")
LIBRARIES = ("dag-factory", "airflow-blueprint")

EACH, ALONE, IMPORT = 1.3, 30, 150
"""Milliseconds: of a DAG, of the one DAG of many that a task needs, and of importing what a DAG file needs; at most."""

FASTER = {FACTORY: 2.7, BLUEPRINT: 1.9}
"""How many times as fast ours is to be."""


def render(results: Results, command: str) -> str:
    """All results, without a heading."""
    known = facts(PACKAGES)
    known["Versions"] = ", ".join([known["Versions"], *_pinned()])
    machine = circumstances(command, known, results.others)
    parts = [machine, _content(results), _loads(results), _alone(results), _imports(results), verdicts(targets(results))]
    return paragraphs(parts)


def targets(results: Results) -> list[Target]:
    """Every aim whose two sides were measured."""
    count = results.sizes.middle
    found: list[Target] = []
    for what in (COLD, UNCHANGED):
        if ours := results.timing(OURS, count, what):
            text = f"milliseconds a DAG, {count:,} files, {what}"
            found.append(Target(text, f"≤ {EACH}", f"{ours.each:.2f}", ours.each <= EACH))
    for way, least in FASTER.items():
        ours, peer = results.timing(OURS, count, COLD), results.timing(way, count, COLD)
        if ours and peer:
            factor = peer.middle / ours.middle
            found.append(Target(f"faster than {SHOWN[way]}, {count:,} files", f"≥ {least}×", f"{factor:.1f}×", factor >= least))
    if one := results.timing(OURS, count, ONE):
        text = f"milliseconds to the one DAG of {count:,} that a task needs"
        found.append(Target(text, f"≤ {ALONE}", f"{one.middle * 1e3:.1f}", one.middle * 1e3 <= ALONE))
    for ours_ in (one for one in results.imports if one.way == OURS):
        added = median(ours_.added) * 1e3
        found.append(Target("milliseconds that the import adds to airflow.sdk", f"≤ {IMPORT}", f"{added:.0f}", added <= IMPORT))
        text = "of pandas, pyarrow, duckdb, boto3 and botocore it loads"
        found.append(Target(text, "none", ", ".join(ours_.heavy) or "none", not ours_.heavy))
    return found


def _pinned() -> list[str]:
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return [" ".join(line.split()[0].split("==")) for line in lines if line.startswith(LIBRARIES)]


def _content(results: Results) -> list[str]:
    lines = [
        f"- {SHOWN[way]}, {count:,} files: {'**WRONG**: ' + '; '.join(wrong) if wrong else 'the same'}"
        for (way, count), wrong in results.exact.items()
    ]
    failed = [f"- {SHOWN[way]}: **failed**, {why}" for way, why in results.failed.items()]
    return ["The DAGs as Airflow serialises them, compared with what the files say and with each other:", "", *lines, *failed]


def _loads(results: Results) -> list[str]:
    rows = []
    for count in results.sizes.counts:
        ours = results.timing(OURS, count, COLD)
        for way in WAYS:
            if cold := results.timing(way, count, COLD):
                others = [results.timing(way, count, what) for what in (UNCHANGED, BAG, FRESH)]
                factor = f"{cold.middle / ours.middle:.1f}×" if ours and way != OURS else "–"
                cpu = median(cold.cpu) / count * 1e3
                rows.append([f"{count:,}", SHOWN[way], _each(cold), f"{cpu:.2f}", *(_each(one) for one in others), factor])
    names = [
        "files",
        "way",
        "cold, ms a DAG",
        "of it processor",
        "unchanged",
        "in Airflow's bag",
        "fresh process",
        "ours faster by, cold",
    ]
    return grid(names, rows) if rows else []


def _each(timing: Timing | None) -> str:
    """The median, and the least and the most."""
    if timing is None:
        return "–"
    least, most = (extreme(timing.seconds) / timing.count * 1e3 for extreme in (min, max))
    return f"{timing.each:.2f} ({least:.2f}–{most:.2f})"


def _alone(results: Results) -> list[str]:
    count = results.sizes.middle
    rows = []
    for way in WAYS:
        found = [results.timing(way, count, what) for what in (ONE, ONE_FRESH)]
        if all(found):
            rows.append([SHOWN[way], *(_milliseconds(one.seconds) for one in found if one)])
    names = [f"one DAG of {count:,} for a task", "ms", "with the imports, ms"]
    return grid(names, rows) if rows else []


def _milliseconds(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1e3:,.1f} ({min(seconds) * 1e3:,.1f}–{max(seconds) * 1e3:,.1f})"


def _imports(results: Results) -> list[str]:
    rows = [
        [SHOWN[one.way], f"{one.base * 1e3:,.0f}", _milliseconds(one.added), ", ".join(one.heavy) or "none"]
        for one in results.imports
    ]
    return grid(["import of", "airflow.sdk, ms", "on top of it, ms", "heavy modules"], rows) if rows else []
