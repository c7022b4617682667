"""``make demo``: an import, exports, a stream and an audience, checked against what the servers hold in the end."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sandbox.demo import audience, exports, streaming, warehouse
from sandbox.demo.screen import say, tell
from sandbox.demo.source import EVENTS, PIPELINE, PROFILES, ROOT, refusal
from sandbox.demo.world import TASK, World

Users = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Told:
    """A finished run: its title, Airflow's verdict, the pipeline's own report and what is wrong with them."""

    title: str
    state: str
    report: dict[str, Any]
    faults: tuple[str, ...]


def main(engine: str = "duckdb") -> int:
    """Run the demo.

    :param engine: the source of the pipelines.
    :returns: 0 only if every row is where it must be; 2 for an unknown source.
    """
    if wrong := refusal(engine):
        print(wrong, file=sys.stderr)
        return 2
    with World(ROOT / ".state" / "demo", engine) as world:
        source = world.source
        expected = warehouse.expect(source.database, {})
        reasons = Counter(code for code, _ in warehouse.bad_rows())
        say(f"7. The pipeline {PIPELINE}, three runs")
        first = _run(world, "first load", expected, sent=warehouse.USERS, reasons=reasons)
        source.update()
        expected = warehouse.expect(source.database, expected)
        second = _run(world, f"{warehouse.UPDATES:,} updates", expected, sent=warehouse.UPDATES, reasons=Counter())
        third = _run(world, "unchanged", expected, sent=0, reasons=Counter())
        runs = [first, second, third]
        _show(runs)
        say(f"8. The pipelines {EVENTS}, every hour, and {PROFILES}, once; days and hours of a path are Seoul's")
        exported = exports.run(world)
        streamed = streaming.run(world)
        listed = audience.run(world)
    faults = [*(f"{run.title}: {fault}" for run in runs for fault in run.faults), *exported, *streamed, *listed]
    for fault in faults:
        say(f"WRONG  {fault}")
    if not faults:
        say("All of it is right: every user is in Braze as the warehouse has it, or kept as a reject with its reason;")
        say("the partner has every event of the hours and every active profile, once;")
        say("the stream has one message for every change of a profile, the last of which tells how the profile is;")
        say("and Kakao's customer file has the advertising ids of the list as it is now, each once, and no other.")
    return 1 if faults else 0


def _run(world: World, title: str, expected: Users, *, sent: int, reasons: Counter[str]) -> Told:
    before = world.braze.summary()
    if title == "first load":
        world.api.unpause(PIPELINE)
    run_id = world.api.trigger(PIPELINE)
    began = time.monotonic()

    def on_tick(run: dict[str, Any]) -> None:
        taken = _accepted(world.braze.summary()) - _accepted(before)
        tell(f"   {title}: {run['state']} for {time.monotonic() - began:.0f} s, {taken:,} of {sent:,} users are in Braze")

    state = world.api.wait_for_run(PIPELINE, run_id, on_tick)
    report = world.api.xcom(PIPELINE, run_id, TASK) if state == "success" else {}
    taken = _accepted(world.braze.summary()) - _accepted(before)
    say(f"   {title}: {state} after {time.monotonic() - began:.0f} s; {taken:,} users taken by Braze")
    if state != "success":
        say(world.api.task_log(PIPELINE, run_id, TASK))
        return Told(title, state, report, (f"Airflow says {state}",))
    return Told(title, state, report, tuple(_faults(world, report, expected, sent, taken, reasons)))


def _accepted(summary: dict[str, Any]) -> int:
    return int(summary["objects"]["attributes"]["accepted"])


def _faults(world: World, report: dict[str, Any], expected: Users, sent: int, taken: int, reasons: Counter[str]) -> list[str]:
    """What differs from what must be: the report's books, the server's count, and every user's attributes."""
    rows = report["rows"]
    rejected = sum(reasons.values())
    held = {user["external_id"]: user["attributes"] for user in world.braze.users()}
    wrong = sum(held.get(user) != attributes for user, attributes in expected.items())
    checks = {
        f"{rows['sent']} rows sent instead of {sent}": rows["sent"] == sent,
        f"{taken} users taken by Braze instead of {sent}": taken == sent,
        f"{rows['read']} rows read instead of {sent + rejected}": rows["read"] == sent + rejected,
        f"rejects {report['reasons']} instead of {dict(reasons)}": report["reasons"] == dict(reasons),
        f"Braze holds {len(held)} users instead of {len(expected)}": held.keys() == expected.keys(),
        f"{wrong} users have other attributes than the warehouse": wrong == 0,
    }
    return [text for text, holds in checks.items() if not holds]


def _show(runs: list[Told]) -> None:
    form = "   {:<14}{:<52}{:>8}{:>9}{:>9}{:>8}{:>8}  {}"
    say("")
    say(form.format("run", "window", "read", "sent", "rejected", "seconds", "rows/s", "watermark"))
    for run in (each for each in runs if each.report):
        window, rows, seconds = run.report["window"], run.report["rows"], run.report["seconds"]
        lower = (
            f"{'from' if window['closed'] else 'after'} {_clock(window['lower'])}" if window["lower"] else "from the beginning"
        )
        span = f"{lower} to {_clock(window['upper'])}"
        counts = [f"{rows[name]:,}" for name in ("read", "sent", "rejected")]
        rate = f"{rows['read'] / seconds:,.0f}"
        say(form.format(run.title, span, *counts, f"{seconds:.1f}", rate, _clock(run.report["watermark"]["after"], digits=6)))
    totals = Counter[str]()
    for run in runs:
        totals.update(run.report.get("reasons", {}))
    say("")
    say("   rejected rows by reason")
    for code, count in sorted(totals.items()):
        say(f"   {count:>5}  {code}")
    kept = {run.report["rejects"] for run in runs if run.report.get("rejects")}
    say(f"   kept in {', '.join(sorted(kept))}")
    say("")


def _clock(text: str, digits: int = 0) -> str:
    seconds, _, fraction = text.replace("T", " ").rstrip("Z").partition(".")
    return f"{seconds}.{fraction:0<{digits}}" if digits else seconds


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
