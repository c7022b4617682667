"""The demo's stream: profiles change while one run follows the other, and a reader rebuilds them from the messages alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sandbox.demo import messages, waves
from sandbox.demo.consumer import Consumer
from sandbox.demo.profiles import MAPPED
from sandbox.demo.screen import say, tell
from sandbox.demo.source import STREAM
from sandbox.demo.world import World

TASK = "stream"
_PATIENCE = 240.0
"""Seconds until messages that do not come count as lost."""

_APART = 1.5
"""Seconds between two waves."""

_LOOK = 0.25
_BUSY = ("queued", "running")


class StalledError(Exception):
    """Messages did not come, or a run failed."""


def run(world: World) -> list[str]:
    """Stream, and tell what the reader then has.

    :returns: what is wrong.
    """
    say(f"9. The pipeline {STREAM}, all the time: one run follows the other while profiles change")
    with Consumer(world.kinesis, world.stream) as consumer:
        world.api.unpause(STREAM)
        try:
            due = _flow(world, consumer)
        except StalledError as error:
            world.api.pause(STREAM)
            return [f"{STREAM}: {error}"]
        world.api.pause(STREAM)
        faults = _compare(world.source.database, consumer)
        _ended(world)
        consumer.finish()
    if consumer.count == due:
        say(f"   {due:,} messages: one for every change, and none for {_quiet():,} changes that the pipeline does not map")
    else:
        faults.append(f"{STREAM}: {consumer.count:,} messages for {due:,} changes")
    return [*faults, *_show(world)]


def _quiet() -> int:
    return sum(len(waves.wave(number).people["quiet"]) for number in range(waves.WAVES))


def _flow(world: World, consumer: Consumer) -> int:
    """Let everybody be sent who is in an audience, then change profiles; gives how many messages were due."""
    members, began = len(messages.members(world.source.database)), time.monotonic()
    _arrived(world, consumer, members, "everybody who is in a mapped audience")
    seconds = time.monotonic() - began
    say(f"   {members:,} profiles are in the audiences {' and '.join(MAPPED)}; all are in the stream after {seconds:.0f} s")
    due = [members]
    for number in range(waves.WAVES):
        if number >= waves.AGAIN:  # whoever changes twice gets two messages
            _arrived(world, consumer, due[number - waves.AGAIN + 1], f"wave {number - waves.AGAIN + 1}")
        wave = waves.wave(number)
        world.source.change(wave)
        due.append(due[-1] + len(wave.changed))
        say(f"   wave {number + 1}: {len(wave.changed)} profiles; {wave}")
        time.sleep(_APART)
    began = time.monotonic() - _APART
    _arrived(world, consumer, due[-1], "the last wave")
    say(f"   {due[-1] - due[0]:,} changes: the last message was read {time.monotonic() - began:.1f} s after the last wave")
    return due[-1]


def _arrived(world: World, consumer: Consumer, count: int, title: str) -> None:
    """Wait until so many messages were read.

    :raises StalledError: if they do not come.
    """
    failed = _every(4, lambda: _failed(world))
    began = time.monotonic()
    while consumer.count < count:
        seconds = time.monotonic() - began
        tell(f"   {title}: {consumer.count:,} of {count:,} messages were read, for {seconds:.0f} s")
        if consumer.error is not None:
            raise StalledError(f"reading the stream failed: {consumer.error}")
        if problem := failed():
            raise StalledError(problem)
        if seconds > _PATIENCE:
            raise StalledError(f"{title}: {consumer.count:,} of {count:,} messages after {seconds:.0f} s")
        time.sleep(_LOOK)


def _every(times: int, ask: Callable[[], str]) -> Callable[[], str]:
    """Ask each so many times only."""
    asked = 0

    def one() -> str:
        nonlocal asked
        asked += 1
        return ask() if asked % times == 0 else ""

    return one


def _failed(world: World) -> str:
    """What a failed run says; empty if there is none."""
    failed = [task for task in _tasks(world) if task["state"] in ("failed", "up_for_retry")]
    if failed:
        say(world.api.task_log(STREAM, failed[0]["dag_run_id"], TASK))
    return f"a try of the run {failed[0]['dag_run_id']} failed" if failed else ""


def _tasks(world: World) -> list[dict[str, Any]]:
    """The task of every run, the first one first."""
    return list(world.api.pages(f"/dags/{STREAM}/dagRuns/~/taskInstances", "task_instances", {"order_by": "start_date"}))


def _compare(database: Path, consumer: Consumer) -> list[str]:
    expected, latest = messages.expect(database), dict(consumer.latest)
    wrong = {one for one in expected.keys() | latest.keys() if expected.get(one) != latest.get(one)}
    if wrong:
        one = min(wrong)
        say(f"   {one} is {latest.get(one)} instead of {expected.get(one)}")
        return [f"{STREAM}: {len(wrong):,} profiles differ from the warehouse"]
    say(f"   rebuilt from the newest message of each: {len(latest):,} profiles, equal to the warehouse")
    return []


def _ended(world: World) -> None:
    """Wait for the task that still looks for changes; a DAG that is paused starts no other."""
    began = time.monotonic()
    while any(task["state"] in _BUSY for task in _tasks(world)):
        tell(f"   paused; the last run still looks for changes, for {time.monotonic() - began:.0f} s")
        time.sleep(_LOOK)
    say(f"   paused; the run that was under way ended {time.monotonic() - began:.0f} s later")


def _show(world: World) -> list[str]:
    """Show the runs that sent something; gives what is wrong with their books."""
    tasks = [task for task in _tasks(world) if task["state"] == "success"]
    reports = [world.api.xcom(STREAM, task["dag_run_id"], TASK) for task in tasks]
    form = "   {:<24}{:>8}{:>8}{:>9}{:>10}{:>12}{:>10}{:>10}"
    say("")
    say(form.format("run", "read", "sent", "skipped", "seconds", "messages/s", "p50", "p95"))
    for task, report in zip(tasks, reports, strict=True):
        rows, latency = report["rows"], report["latency"]
        if rows["read"]:
            seconds = [f"{latency[name]:.1f} s" if latency[name] is not None else "-" for name in ("p50", "p95")]
            counts = [f"{rows[name]:,}" for name in ("read", "sent", "skipped")]
            rate = f"{rows['sent'] / report['seconds']:,.0f}"
            say(form.format(task["start_date"][:19].replace("T", " "), *counts, f"{report['seconds']:.1f}", rate, *seconds))
    quiet = sum(not report["rows"]["read"] for report in reports)
    say(f"   and {quiet} that found nothing. p50 and p95 are the time from a row's UPDATED_AT until the stream")
    say("   had its message; the first run sends everybody, changed or not")
    say("")
    odd = sum(report["rows"]["rejected"] + report["rows"]["skipped"] for report in reports)
    return [f"{STREAM}: {odd} profiles were rejected or skipped"] if odd else []
