"""The results as Markdown."""

from __future__ import annotations

from benchmarks.machine import facts
from benchmarks.streaming.detecting import PARTS
from benchmarks.streaming.results import DEFAULT, IN_FLIGHT, LIBRARY, LOOP, OURS, PEERS, SERIAL, THREADS, Found, Results, Timing
from benchmarks.streaming.whole import NAIVE
from benchmarks.streaming.worker import REQUIREMENTS
from benchmarks.table import Target, circumstances, grid, paragraphs, verdicts

MARKS = ("<!-- stream results: begin -->", "<!-- stream results: end -->")

LABELS = {
    OURS: "**ours**",
    DEFAULT: "**ours**, `retries: adobe`",
    LOOP: "`put_record`, a record each",
    SERIAL: "`put_records`, one after the other",
    THREADS: "`put_records`, 8 threads",
    LIBRARY: "async-kinesis",
    NAIVE: "row by row in Python",
}

LEAST = 50_000
"""Profiles a second that are to be found and encoded."""

PACKAGES = ("apache-airflow", "pyarrow", "duckdb", "aiohttp", "uvloop", "boto3")


def render(results: Results, command: str) -> str:
    """All results, without a heading."""
    known = facts(PACKAGES)
    known["Versions"] += f", async-kinesis {_pinned()}"
    return paragraphs(
        [
            circumstances(command, known, results.others),
            _content(results),
            _timings(results),
            _ceilings(results),
            _found(results),
            verdicts(targets(results)),
        ]
    )


def targets(results: Results) -> list[Target]:
    """Every aim whose two sides were measured."""
    found: list[Target | None] = []
    for size in results.sizes.records:
        found += [_faster(results, size, [LOOP], 300), _faster(results, size, [SERIAL], 2.5)]
        found += [_faster(results, size, [THREADS, LIBRARY], 1.5), _undisturbed(results, size)]
    found.append(_detection(results))
    return [target for target in found if target is not None]


def _faster(results: Results, size: int, names: list[str], aim: float) -> Target | None:
    """Ours beside the fastest of some."""
    ours = results.timing(OURS, size)
    peers = [one for one in (results.timing(name, size) for name in names) if one is not None]
    if ours is None or not peers:
        return None
    peer = max(peers, key=lambda one: one.rate)
    factor = ours.rate / peer.rate
    text = f"faster than {LABELS[peer.sender]}{', the best of the rest' if len(names) > 1 else ''}, {_size(size)}"
    return Target(text, f"≥ {aim:g}×", f"{factor:,.1f}×", factor >= aim)


def _undisturbed(results: Results, size: int) -> Target | None:
    clean, faulted = results.timing(OURS, size), results.timing(OURS, size, faults=True)
    if clean is None or faulted is None:
        return None
    share = faulted.rate / clean.rate
    return Target(f"records/s with 5 % failing beside none, {_size(size)}", "≥ 0.8×", f"{share:.2f}×", share >= 0.8)


def _detection(results: Results) -> Target | None:
    whole = [one for one in results.found if one.way == OURS and one.changed == one.profiles]
    if not whole:
        return None
    rate = whole[0].changed / whole[0].seconds
    text = f"profiles/s found and encoded, all {whole[0].profiles:,} of them changed"
    return Target(text, f"≥ {LEAST:,}", f"{rate:,.0f}", rate >= LEAST)


def _pinned() -> str:
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return next(line.partition("==")[2].split()[0] for line in lines if line.startswith(f"{LIBRARY}=="))


def _size(size: int) -> str:
    return f"{size:,} B"


def _content(results: Results) -> list[str]:
    lines = [
        f"- {_labelled(what)}: {'**WRONG**: ' + '; '.join(wrong) if wrong else 'exact'}" for what, wrong in results.exact.items()
    ]
    failed = [f"- {LABELS.get(name, name)}: **failed**, {why}" for name, why in results.failed.items()]
    absent = [f"- {LABELS[name]}: does not run here, {why}" for name, why in results.absent.items()]
    return ["Content, compared byte for byte:", "", *lines, *failed, *absent]


def _labelled(what: str) -> str:
    name, comma, rest = what.partition(", ")
    return f"{LABELS.get(name, name)}{comma}{rest}"


def _timings(results: Results) -> list[str]:
    rows = []
    for size in results.sizes.records:
        for faults in (False, True):
            ours = results.timing(OURS, size, faults=faults)
            for name in (OURS, DEFAULT, *PEERS):
                one = results.timing(name, size, faults=faults)
                if one is not None:
                    rows.append(_line(one, None if name in (OURS, DEFAULT) else ours))
    names = ["record", "failing", "sender", "in flight", "records timed", "calls", "time", "records/s", "CPU per 1,000 records"]
    return grid([*names, "ours faster by"], rows) if rows else []


def _line(one: Timing, ours: Timing | None) -> list[str]:
    flights = {OURS: IN_FLIGHT, DEFAULT: IN_FLIGHT, THREADS: 8}
    return [
        _size(one.size),
        "5 %" if one.faults else "none",
        LABELS[one.sender],
        str(flights.get(one.sender, 1)),
        f"{one.records:,}",
        f"{one.calls:,}",
        f"{one.seconds:,.2f} s",
        f"{one.rate:,.0f}",
        f"{one.cpu / one.records * 1e6:,.1f} ms",
        "–" if ours is None else f"{ours.rate / one.rate:,.1f}×",
    ]


def _ceilings(results: Results) -> list[str]:
    rates = [f"{rate:,.0f} records/s of {_size(size)}" for size, rate in results.ceilings.items()]
    return (
        [f"The stub's own ceiling, with calls encoded beforehand over {IN_FLIGHT} connections: {', '.join(rates)}."]
        if rates
        else []
    )


def _found(results: Results) -> list[str]:
    rows = [_found_line(one) for one in results.found]
    names = ["way", "profiles looked at", "of them changed", "found and encoded in", "looked at/s", "changed/s", *PARTS]
    return grid([*names, "whole run"], rows) if rows else []


def _found_line(one: Found) -> list[str]:
    parts = [f"{one.parts[part]:,.2f} s" if part in one.parts else "–" for part in PARTS]
    rates = [f"{count / one.seconds:,.0f}" for count in (one.profiles, one.changed)]
    run = f"{one.run:,.2f} s" if one.run else "–"
    return [LABELS[one.way], f"{one.profiles:,}", f"{one.changed:,}", f"{one.seconds:,.2f} s", *rates, *parts, run]
