"""One pipeline: its last runs, what they rejected, and its file. Runs and rejects are read from its state folder."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from activation.delivery.folder import Folder, listed, safe_name
from activation.delivery.inactive import read_mark
from activation.delivery.journal import Journal
from activation.delivery.kept import Chosen, Kept
from activation.destinations.s3.status import Status
from activation.errors import ActivationError
from activation.operators.memory import state_root
from activation.records.shown import masked
from activation.ui.rows import iso

RUNS = 30
"""Runs that are shown."""

SAMPLES = 5
"""Masked rows that are shown of each reason."""

LOOKED = 2_000
"""Rejects of a run that are looked at for the samples; of more than these the report of the run knows the number."""

MOST_SAMPLE = 500
"""Characters of a masked row that are shown."""

SHORTEST = 3
"""Characters of a value that is looked for in messages: a shorter one would hit every word."""

HEAD = ("run", "code", "message", "updated_at", "row")
"""The columns of the exported rejects; the row is JSON."""

_FILE = re.compile(r"\n### `([^`\n]+)`\n\n~~~~yaml\n(.*?)\n~~~~", re.DOTALL)
"""A file in the text that :mod:`activation.dags.document` writes."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would take for a formula."""


def folder_of(pipeline: str) -> Folder | None:
    """The state folder of a pipeline; ``None`` if there is none.

    :raises ActivationError: if the setting of the state folder does not fit this machine.
    """
    if safe_name(pipeline) != pipeline or not pipeline.strip("."):
        return None
    folder = state_root() / pipeline
    return folder if folder.is_dir() else None


def told(pipeline: str, runs: Iterable[Any]) -> dict[str, Any]:
    """What a pipeline's state folder and Airflow's runs tell.

    :param runs: what :func:`activation.ui.airflow.runs_of` gives.
    :returns: the keys ``runs``, ``rejects``, ``watermarks`` and ``note``; ``status`` if a person made it inactive.
    """
    records: list[dict[str, Any]] = []
    found: dict[str, Any] = {"rejects": [], "watermarks": [], "note": None}
    try:
        if (folder := folder_of(pipeline)) is not None:
            records = Journal(folder).latest(RUNS)
            found |= {"rejects": rejects_of(folder / "rejects", records), "watermarks": _watermarks(records)}
            if (mark := read_mark(folder)) is not None:
                found |= {"status": Status.INACTIVE.value, "note": f"{mark}; its runs are refused"}
    except (ActivationError, OSError) as error:
        found["note"] = f"The state folder cannot be read here: {error}"
    return {**found, "runs": runs_told(runs, records)}


def runs_told(runs: Iterable[Any], records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The newest runs, the newest first, whether Airflow, the journal or both know of them."""
    by_run: dict[str, Mapping[str, Any]] = {}
    for record in records:  # a run that was cleared has several records: the newest counts
        by_run.setdefault(str(record.get("run")), record)
    shown = [_run(one.run_id, str(one.state), one, by_run.pop(one.run_id, {})) for one in runs]
    shown += [_run(run, _state(record), None, record) for run, record in by_run.items()]
    return sorted(shown, key=lambda one: one["started"] or "9", reverse=True)[:RUNS]


def rejects_of(folder: Folder, records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the newest runs have kept of rejects, by run and reason, with masked samples.

    :param folder: the folder ``rejects`` in the pipeline's state folder.
    :param records: of the journal, the newest first.
    """
    names, found = {one.name for one in listed(folder)}, list[dict[str, Any]]()
    for run, record in {str(record.get("run")): record for record in records}.items():
        if safe_name(run) in names:
            looked = list(islice(Kept(folder).records(Chosen(run)), LOOKED + 1))
            found += _by_reason(run, looked, (record.get("report") or {}).get("reasons") or {})
    return found


def exported(folder: Folder | None, run: str) -> Iterator[str]:
    """Rejects as CSV, line by line, with masked values.

    :param folder: the pipeline's state folder.
    :param run: only this one's; empty: all.
    """
    yield _line(HEAD)
    for record in Kept(folder / "rejects").records(Chosen(run)) if folder is not None else ():
        texts = (record.get("run"), record["code"], _message(record), record.get("updated_at"), _masked(record["row"]))
        yield _line(_plain(text) for text in texts)


def split(document: str) -> tuple[str, dict[str, str] | None]:
    """The plan and the pipeline's own file, out of what a DAG says of itself; an overlay stays with the plan."""
    files = list(_FILE.finditer(document))
    if not files:
        return document, None
    own = files[-1]
    return document[: own.start()] + document[own.end() :], {"name": own[1], "text": own[2]}


def _run(run: str, state: str, seen: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    report = record.get("report") or {}
    rows, moved = report.get("rows") or {}, (record.get("move") or {}).get("after") or {}
    mode = record.get("mode") or ((seen.conf or {}).get("mode") if seen is not None and isinstance(seen.conf, dict) else "") or ""
    began = iso(seen.start_date) if seen is not None and seen.start_date else record.get("started")
    ended = iso(seen.end_date) if seen is not None else record.get("ended")
    took = (seen.end_date - seen.start_date).total_seconds() if seen is not None and seen.end_date and seen.start_date else None
    return {
        "run_id": run,
        "state": state,
        "mode": mode,
        "started": began,
        "ended": ended,
        "seconds": report.get("seconds") if took is None else round(took, 3),
        **{name: rows.get(name) for name in ("read", "sent", "rejected", "skipped")},
        "watermark": moved.get("updated_at"),
        "error": record.get("error", ""),
    }


def _state(record: Mapping[str, Any]) -> str:
    """How a run ended that Airflow has forgotten."""
    status = record.get("status")
    return "success" if status in ("success", "partial", "reset") else "running" if status == "running" else "failed"


def _watermarks(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    moves = ((record.get("ended"), (record.get("move") or {}).get("after") or {}) for record in records)
    return [{"at": at, "watermark": after["updated_at"]} for at, after in moves if after.get("updated_at")]


def _by_reason(run: str, looked: list[dict[str, Any]], reasons: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    counts, samples = Counter(record["code"] for record in looked), defaultdict[str, list[str]](list)
    messages: dict[str, str] = {}
    for record in looked:
        messages.setdefault(record["code"], _message(record))
        if len(samples[record["code"]]) < SAMPLES:
            samples[record["code"]].append(_masked(record["row"])[:MOST_SAMPLE])
    if len(looked) > LOOKED:
        counts = Counter(reasons) or counts
    for code, count in counts.most_common():
        yield {"run": run, "code": code, "count": count, "message": messages.get(code, ""), "samples": samples[code]}


def _masked(row: Mapping[str, Any]) -> str:
    """A row of which only the shape of its values can be told; JSON in a column keeps its keys."""
    return json.dumps({name: masked(_parsed(value)) for name, value in row.items()}, ensure_ascii=False)


def _message(record: Mapping[str, Any]) -> str:
    """Why a row was rejected; a destination's answer may repeat what stands in the row, which is masked there too."""
    text = str(record["message"])
    for value in sorted(set(_texts([_parsed(value) for value in record["row"].values()])), key=len, reverse=True):
        text = text.replace(value, str(masked(value))) if len(value) >= SHORTEST else text
    return text


def _parsed(value: Any) -> Any:
    """JSON in a column, or the value itself."""
    if isinstance(value, str):
        with suppress(ValueError):
            return json.loads(value)
    return value


def _texts(value: Any) -> Iterator[str]:
    """The texts and numbers of a value, without the names of its keys."""
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _plain(text: object) -> str:
    written = "" if text is None else str(text)
    return f"'{written}" if written.startswith(_FORMULA) else written


def _line(fields: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(fields)
    return buffer.getvalue()
