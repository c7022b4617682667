"""Pipelines that wait for others by ``schedule.after``: for each other in a circle, or for one that is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches

from activation.spec.located import Located
from activation.spec.models import Pipeline
from activation.spec.problems import Problem
from activation.spec.values import Document

_MOST_NAMES = 10


def circles(read: Mapping[str, tuple[Pipeline, Document]]) -> dict[str, Problem]:
    """Find pipelines that wait for each other in a circle: by themselves they would never begin, and once begun never end.

    :param read: the pipelines by their ids.
    :returns: for each pipeline of a circle the shortest way round that leads through it, ``a → b → a``: who follows whom.
    """
    waits = {one: [other for other in _after(pipeline) if other in read] for one, (pipeline, _) in read.items()}
    waits = _waiting_on_circles(waits)
    found = {}
    for one in waits:
        if way := _way_round(one, waits):
            place = _place(read[one], way[1])
            message = f"{place.label} closes a circle, in which each pipeline waits for another one: {_shown(way)}."
            fix = "Take one of these names out of the after of its follower, and let that one begin by the clock."
            found[one] = place.problem(message, fix)
    return found


def strangers(
    read: Mapping[str, tuple[Pipeline, Document]], is_known: Callable[[str], bool], known: Iterable[str]
) -> dict[str, Problem]:
    """Find pipelines that wait for one that is not there, so they would wait for ever.

    :param read: the pipelines by their ids.
    :param is_known: whether there is, or may be, a pipeline of an id.
    :param known: the ids that can have been meant.
    :returns: for each such pipeline the first of these names.
    """
    found, names = {}, list(known)
    for one, (pipeline, document) in read.items():
        missing = [other for other in _after(pipeline) if not is_known(other)]
        if missing:
            place = _place((pipeline, document), missing[0])
            near = get_close_matches(missing[0], [other for other in names if other != one], 1)
            hint = f"Did you mean {near[0]}? " if near else ""
            fix = f"{hint}Name a pipeline by its id, which is the name of its file without .yaml."
            found[one] = place.problem(f"{place.label} waits for {missing[0]}, but no pipeline has that id.", fix)
    return found


def _after(pipeline: Pipeline) -> tuple[str, ...]:
    return pipeline.timing.after if pipeline.timing else ()


def _place(read: tuple[Pipeline, Document], name: str) -> Located:
    pipeline, document = read
    return Located(document, ("schedule", "after", _after(pipeline).index(name)))


def _waiting_on_circles(waits: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Only what never gets its turn if each pipeline runs once all that it waits for have: circles, and what follows them."""
    left = {one: len(others) for one, others in waits.items()}
    followers: dict[str, list[str]] = {}
    for one, others in waits.items():
        for other in others:
            followers.setdefault(other, []).append(one)
    done = [one for one, count in left.items() if not count]
    for one in done:
        for follower in followers.get(one, ()):
            left[follower] -= 1
            if not left[follower]:
                done.append(follower)
    return {one: waits[one] for one, count in left.items() if count}


def _way_round(start: str, waits: Mapping[str, list[str]]) -> list[str]:
    """The shortest way from a pipeline over what it waits for back to itself; empty if there is none."""
    came_from: dict[str, str] = {}
    reached = [start]
    for one in reached:
        for other in waits.get(one, ()):
            if other not in came_from:
                came_from[other] = one
                reached.append(other)
    if start not in came_from:
        return []
    way = [start, came_from[start]]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]


def _shown(way: list[str]) -> str:
    """Who follows whom; a long circle without its middle."""
    names = way[::-1]
    return " → ".join(names if len(names) <= _MOST_NAMES else [*names[: _MOST_NAMES - 2], "…", *names[-2:]])
