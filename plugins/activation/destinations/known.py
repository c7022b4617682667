"""What is known of each pipeline: its file, what Airflow says, its run journal. Rows of Airflow's are handed in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from activation.delivery.folder import Folder, listed
from activation.delivery.inactive import Inactive, read_mark
from activation.delivery.journal import Journal
from activation.destinations.s3.status import ERRORS_OF, FAILURES, Run
from activation.errors import TransientError
from activation.spec import Pipeline
from activation.spec.names import ID_PATTERN

LONGEST = timedelta(days=1)
"""A run that began so long before the seven days of the errors may have failed in them."""

READERS = 8
"""Journals that are read at the same time: object storage answers slowly, but many at once."""


@dataclass(frozen=True, slots=True)
class DagRun:
    """A run of Airflow.

    :ivar state: ``queued``, ``running``, ``success`` or ``failed``.
    :ivar ended: aware; ``None`` while it is under way.
    """

    run: str
    state: str
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What Airflow says of a pipeline.

    :ivar dags: ids of its current DAGs; none if it has not been read yet, or not any more.
    :ivar broken: whether its DAG is missing only as long as a DAG file has an import error.
    :ivar paused: whether all of its DAGs are paused.
    :ivar cycle: their schedule in Airflow's words; empty if there is none.
    :ivar runs: the newest run that is under way and the last one that ended, the newest first.
    """

    dags: tuple[str, ...] = ()
    broken: bool = False
    paused: bool = False
    cycle: str = ""
    runs: tuple[DagRun, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one pipeline.

    :ivar file: its file; ``None`` if there is none, or if it cannot be used.
    :ivar unusable: whether there is a file that cannot be used.
    :ivar records: of its journal: those of the last days, the newest first, and some older ones.
    """

    id: str
    seen: Seen
    file: Pipeline | None = None
    unusable: bool = False
    inactive: Inactive | None = None
    records: tuple[Mapping[str, Any], ...] = ()

    @property
    def removed(self) -> bool:
        """Whether its file was taken away, and Airflow has noticed."""
        return self.file is None and not self.unusable and not self.seen.dags and not self.seen.broken

    @property
    def ended(self) -> Mapping[str, Any] | None:
        """The record of the run that ended last."""
        ends = [record for record in self.records if "ended" in record]
        return max(ends, key=lambda record: datetime.fromisoformat(record["ended"]), default=None)

    @property
    def runs(self) -> tuple[Run, ...]:
        """Its last runs as a status needs them. Where Airflow has forgotten them, the journal tells how the last one ended."""
        status = {str(record.get("run")): record.get("status") for record in reversed(self.records)}
        if self.seen.runs:
            return tuple(Run(run.state, status.get(run.run) == "config_error") for run in self.seen.runs)
        if (last := self.ended) is None:
            return ()
        failed = last.get("status") in FAILURES
        return (Run("failed" if failed else "success", last.get("status") == "config_error"),)


def known(
    root: Folder, names: Iterable[str], files: Mapping[str, Pipeline | None], seen: Mapping[str, Seen], now: datetime
) -> list[Known]:
    """Gather what is known of pipelines.

    :param root: the folder of all pipelines' state folders.
    :param names: their ids.
    :param files: by id; ``None`` for a file that cannot be used.
    :param seen: what Airflow says, by id.
    :raises TransientError: if the state folder cannot be read.
    """

    def one(name: str) -> Known:
        folder = root / name
        records = tuple(Journal(folder).since(now - ERRORS_OF - LONGEST))
        unusable = name in files and files[name] is None
        return Known(name, seen.get(name, Seen()), files.get(name), unusable, read_mark(folder), records)

    try:
        with ThreadPoolExecutor(READERS) as readers:
            return list(readers.map(one, names))
    except OSError as error:
        raise TransientError(f"The run journals in {root} cannot be read: {error}.") from error


def left_behind(root: Folder) -> set[str]:
    """The pipelines whose runs have left something.

    :param root: the folder of all pipelines' state folders.
    :raises TransientError: if it cannot be read.
    """
    try:
        return {folder.name for folder in listed(root) if re.fullmatch(ID_PATTERN, folder.name) and folder.is_dir()}
    except OSError as error:
        raise TransientError(f"The state folder {root} cannot be read: {error}.") from error
