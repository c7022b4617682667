"""The results as Markdown."""

from __future__ import annotations

from benchmarks.machine import facts
from benchmarks.reading.results import Reading, Results
from benchmarks.reading.ways import OURS, PEERS
from benchmarks.table import Target, circumstances, flat, grid, paragraphs, verdicts

MARKS = ("<!-- reading results: begin -->", "<!-- reading results: end -->")

COLUMNAR = ("snowflake", "bigquery", "databricks")
"""Engines whose client has a columnar path that leaves Python's rows out. The drivers of the others have all rows already when a
statement is said to be done, so that moment tells nothing."""

PACKAGES = (
    "apache-airflow",
    "pyarrow",
    "pandas",
    "duckdb",
    "psycopg",
    "snowflake-connector-python",
    "redshift-connector",
    "google-cloud-bigquery",
    "google-cloud-bigquery-storage",
    "databricks-sql-connector",
)


def render(results: Results, command: str) -> str:
    """All results, without a heading."""
    return paragraphs(
        [
            circumstances(command, facts(PACKAGES), results.others),
            _content(results),
            _readings(results),
            verdicts(targets(results)),
        ]
    )


def targets(results: Results) -> list[Target]:
    """Every aim whose two sides were measured."""
    found: list[Target | None] = [_faster(results, engine, 5) for engine in COLUMNAR]
    found += [_fetching(results, engine, 5) for engine in COLUMNAR]
    for engine in PEERS:
        memory = {one.rows: (one.memory, one.peak) for one in results.of(engine, OURS)}
        found.append(flat(memory, 0.15, f", {engine}"))
    return [target for target in found if target is not None]


def _factor(results: Results, peer: Reading) -> float | None:
    ours = results.of(peer.engine, OURS)
    return ours[0].rate / peer.rate if ours else None


def _faster(results: Results, engine: str, aim: int) -> Target | None:
    way = PEERS[engine][0]
    peer = results.of(engine, way)
    factor = _factor(results, peer[-1]) if peer else None
    if factor is None:
        return None
    return Target(f"faster than `{way}`, {engine}", f"≥ {aim}×", f"{factor:,.1f}×", factor >= aim)


def _fetching(results: Results, engine: str, aim: int) -> Target | None:
    """The same, without the time until the first rows are there: the server shares the processors with the client here."""
    way = PEERS[engine][0]
    ours, peer = results.of(engine, OURS), results.of(engine, way)
    if not ours or not peer or not ours[0].fetched or not peer[-1].fetched:
        return None
    factor = (ours[0].rows / ours[0].fetched) / (peer[-1].rows / peer[-1].fetched)
    return Target(f"from the first rows on faster than `{way}`, {engine}", f"≥ {aim}×", f"{factor:,.1f}×", factor >= aim)


def _content(results: Results) -> list[str]:
    rows = f"{results.sizes.rows:,} rows"
    lines = [
        f"- {engine}, {rows}: {'**WRONG**: ' + '; '.join(wrong) if wrong else 'exact'}" for engine, wrong in results.exact.items()
    ]
    failed = [f"- {engine}: **failed**, {why}" for engine, why in results.failed.items()]
    broken = [f"- {engine}, `{way}`: does not work here, {why}" for (engine, way), why in results.broken.items()]
    return ["Content of ours, compared column by column:", "", *lines, *failed, *broken]


def _readings(results: Results) -> list[str]:
    rows = []
    for engine, peers in PEERS.items():
        for way in (OURS, *peers):
            measured = results.of(engine, way)
            for one in measured if way == OURS else measured[-1:]:
                factor = _factor(results, one) if way != OURS else None
                rows.append(
                    [
                        engine,
                        "**ours**" if way == OURS else f"`{way}`",
                        f"{one.rows:,}",
                        f"{one.seconds:,.2f} s",
                        f"{one.rate:,.0f}",
                        f"{one.fetched:,.2f} s" if one.fetched and engine in COLUMNAR else "–",
                        f"{(one.peak - one.memory) / 2**20:,.0f} MiB",
                        "–" if factor is None else f"{factor:,.1f}×",
                    ]
                )
    return (
        grid(["engine", "way", "rows", "time", "rows/s", "from the first rows on", "peak memory growth", "ours faster by"], rows)
        if rows
        else []
    )
