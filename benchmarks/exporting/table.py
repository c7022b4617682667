"""The results as Markdown."""

from __future__ import annotations

from benchmarks.exporting.measure import ENGINES
from benchmarks.exporting.results import Exported, Results
from benchmarks.exporting.ways import FORMS, OURS, PEERS
from benchmarks.machine import facts
from benchmarks.table import Target, circumstances, flat, grid, paragraphs, verdicts

MARKS = ("<!-- export results: begin -->", "<!-- export results: end -->")

SHOWN = {"parquet": "Parquet", "csv": "CSV.gz"}

AIMS = {"pandas": 5, "polars": 2}
"""Way -> how many times as fast ours is to write Parquet."""

SHARE = 1 / 3
"""The most that ours may take of the memory of the others."""

PACKAGES = (
    "apache-airflow",
    "apache-airflow-providers-amazon",
    "pyarrow",
    "pandas",
    "polars",
    "duckdb",
    "psycopg",
    "boto3",
)


def render(results: Results, command: str) -> str:
    """All results, without a heading."""
    return paragraphs(
        [
            circumstances(command, facts(PACKAGES), results.others),
            _content(results),
            _exports(results),
            verdicts(targets(results)),
        ]
    )


def targets(results: Results) -> list[Target]:
    """Every aim whose two sides were measured."""
    found: list[Target | None] = [_faster(results, way, aim) for way, aim in AIMS.items()]
    found += [_smaller(results, way, form) for form in FORMS for way in PEERS]
    for engine in ENGINES:
        for form in FORMS:
            memory = {one.rows: (one.memory, one.peak) for one in results.of(engine, OURS, form)}
            found.append(flat(memory, 0.15, f", {engine} to {SHOWN[form]}"))
    return [target for target in found if target is not None]


def _growth(one: Exported) -> int:
    return max(1, one.peak - one.memory)


def _faster(results: Results, way: str, aim: int) -> Target | None:
    ours, peer = (results.of(ENGINES[0], one, FORMS[0]) for one in (OURS, way))
    if not ours or not peer:
        return None
    factor = ours[0].rate / peer[-1].rate
    return Target(f"faster than {way}, {ENGINES[0]} to {SHOWN[FORMS[0]]}", f"≥ {aim}×", f"{factor:,.1f}×", factor >= aim)


def _smaller(results: Results, way: str, form: str) -> Target | None:
    """Compared with the same number of rows only: the memory of the others grows with it."""
    ours = {one.rows: one for one in results.of(ENGINES[0], OURS, form)}
    peer = [one for one in results.of(ENGINES[0], way, form) if one.rows in ours]
    if not peer:
        return None
    share = ours[peer[-1].rows].peak / peer[-1].peak
    text = f"peak memory beside {way}, {peer[-1].rows:,} rows, {ENGINES[0]} to {SHOWN[form]}"
    return Target(text, "≤ 1/3", f"{share:.2f}", share <= SHARE)


def _content(results: Results) -> list[str]:
    lines = [
        f"- {engine} to {SHOWN[form]}, {count:,} rows: {'**WRONG**: ' + '; '.join(wrong) if wrong else 'exact'}"
        for (engine, form, count), wrong in results.exact.items()
    ]
    failed = [f"- {engine}: **failed**, {why}" for engine, why in results.failed.items()]
    broken = [
        f"- {engine}, {way} to {SHOWN[form]}: does not work here, {why}" for (engine, way, form), why in results.broken.items()
    ]
    return ["Content of ours as it lies in the bucket, compared column by column:", "", *lines, *failed, *broken]


def _exports(results: Results) -> list[str]:
    lines = []
    for engine in ENGINES:
        for form in FORMS:
            ours = results.of(engine, OURS, form)
            for way in (OURS, *PEERS):
                measured = results.of(engine, way, form)
                for one in measured if way == OURS else measured[-1:]:
                    lines.append(_line(one, ours[0] if way != OURS and ours else None))
    names = ["engine", "format", "way", "rows", "time", "rows/s", "bytes in the bucket", "peak memory", "of it growth"]
    return grid([*names, "ours faster by"], lines) if lines else []


def _line(one: Exported, ours: Exported | None) -> list[str]:
    return [
        one.engine,
        SHOWN[one.form],
        "**ours**" if one.way == OURS else f"`SqlToS3Operator`, {one.way}",
        f"{one.rows:,}",
        f"{one.seconds:,.2f} s",
        f"{one.rate:,.0f}",
        f"{one.bytes / 2**20:,.0f} MiB",
        f"{one.peak / 2**20:,.0f} MiB",
        f"{_growth(one) / 2**20:,.0f} MiB",
        "–" if ours is None else f"{ours.rate / one.rate:,.1f}×",
    ]
