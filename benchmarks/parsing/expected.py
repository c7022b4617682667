"""What the DAG of each pipeline must be, known from how the pipeline files are made, and what is wrong with one that is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.parsing.pipelines import Made, Schedule, made

PRESETS = {"@hourly": "0 * * * *"}
SHOWN = 3
"""DAGs of which it is told what is wrong with them."""


def schedule_text(schedule: Schedule) -> str:
    """When a pipeline runs, in the words of :func:`benchmarks.parsing.shapes.content`."""
    if schedule.after:
        return f"AssetTriggeredTimetable {' '.join(f'activation/{one}' for one in schedule.after)}"
    simple = {None: "NullTimetable", "@once": "OnceTimetable", "@continuous": "ContinuousTimetable"}
    if schedule.cron in simple:
        return simple[schedule.cron]
    kind = "CronDataIntervalTimetable" if schedule.interval else "CronTriggerTimetable"
    return f"{kind} {PRESETS.get(schedule.cron or '', schedule.cron)} {schedule.timezone or 'UTC'}"


def differences(count: int, ours: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """What is wrong with the DAGs of a way; empty if all are right.

    :param ours: the content of our DAGs by their ids: what the files do not say outright must equal it.
    """
    pipelines = {one.pipeline_id: one for one in made(count)}
    wrong = [f"{name} is missing" for name in pipelines.keys() - found.keys()]
    wrong += [f"{name} is none of the pipelines" for name in found.keys() - pipelines.keys()]
    for name in pipelines.keys() & found.keys():
        wrong += _of(pipelines[name], ours.get(name, {}), found[name])
    return [*sorted(wrong)[:SHOWN], *([f"and {len(wrong) - SHOWN:,} more"] if len(wrong) > SHOWN else [])]


def _of(one: Made, ours: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    known = {
        "schedule": schedule_text(one.schedule),
        "tags": sorted(one.tags),
        "owner": {one.owner},
        "retries": {one.retries},
    }
    given = {
        "schedule": found["schedule"],
        "tags": found["tags"],
        "owner": {task["owner"] for task in found["tasks"]},
        "retries": {task["retries"] for task in found["tasks"]},
    }
    wrong = [f"{one.pipeline_id}: {name} is {given[name]}, not {value}" for name, value in known.items() if given[name] != value]
    if not wrong and dict(found) != dict(ours):
        parts = [name for name in found if found[name] != ours.get(name)]
        wrong.append(f"{one.pipeline_id}: its {', '.join(parts) or 'content'} are not those of ours")
    return wrong
