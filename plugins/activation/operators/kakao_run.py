"""One try of a run of customer files: reads, cleans, uploads or writes, and keeps the record of the run."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import Asset

from activation import errors
from activation.delivery.folder import safe_name
from activation.delivery.journal import Journal
from activation.delivery.rejects import Origin
from activation.delivery.report import by_reason
from activation.destinations.kakao_moment.plan import names_of
from activation.destinations.kakao_moment.table import TABLE
from activation.errors import ActivationError, FatalError
from activation.operators.kakao_folder import KakaoFolder, Written
from activation.operators.kakao_keep import outlived
from activation.operators.kakao_list import Counts, Listing, check_limit, check_share, samples
from activation.operators.kakao_memory import KakaoMemory, Sent
from activation.operators.kakao_rejects import keep_rejects
from activation.operators.kakao_upload import Upload, limit_of
from activation.operators.memory import started, state_folder
from activation.operators.record import now, recorded
from activation.operators.retention import tidy
from activation.operators.source import tag_of
from activation.operators.summary import summarize
from activation.records.advertising_ids import LINE_BYTES, Cleaned
from activation.spec import KakaoDestination, Pipeline

if TYPE_CHECKING:
    from airflow.sdk import Context

    from activation.destinations.kakao_moment.settings import Api
    from activation.triggers.kakao_moment import KakaoMomentTrigger

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wait that is about to begin.

    :ivar left: how long it may take.
    """

    to: KakaoDestination
    sent: Sent
    left: timedelta

    def trigger(self) -> KakaoMomentTrigger:
        """What waits."""
        from activation.triggers.kakao_moment import KakaoMomentTrigger

        return KakaoMomentTrigger(
            connection=self.to.connection,
            ad_account_id=self.to.ad_account_id,
            api=cast("Api", self.sent.files[0].generation or self.to.output.api),
            files=[file.to_json() for file in self.sent.files],
            poll=self.to.output.wait.poll.seconds,
            until=time.time() + self.left.total_seconds(),
        )


class KakaoRun:
    """One try. What can be wrong with the configuration is found before the first row is read.

    :param pipeline: with rendered templates and a destination of type ``kakao_moment``.
    :param asset: the pipeline's.
    :param context: Airflow's task context.
    """

    def __init__(self, pipeline: Pipeline, asset: Asset, context: Context) -> None:
        assert isinstance(pipeline.destination, KakaoDestination)  # noqa: S101 - the operator takes no other
        self._pipeline, self._to = pipeline, pipeline.destination
        task = context["ti"]
        self._id, self._attempt = str(context["run_id"]), int(task.try_number)
        columns = tuple(name for one in pipeline.columns.fields.values() for name in one.columns)
        self._listing = Listing(pipeline, tag_of(context), columns)
        self._folder = state_folder(pipeline.id)
        self._journal = Journal(self._folder)
        self._store, self._asset_store = context["task_state_store"], context["asset_state_store"][asset]
        self._memory = KakaoMemory(self._store)

    def __call__(self) -> dict[str, Any] | None:
        """Read, clean, and make the files.

        :returns: the report as plain JSON, or ``None`` if the files have to be waited for.
        :raises ConfigurationError: for what a person must fix.
        :raises TransientError: for what may pass; the next try goes on behind what was uploaded.
        """
        with self._recorded():
            if self._to.output.to == "folder":
                return self._end(self._written())
            sent = self._sent()
            if not sent.files or self._to.output.wait.until == "none":
                return self._done(sent, {})
        log.info("Waiting for %s files to become ready; this takes no worker slot.", len(sent.files))
        return None

    @property
    def wait(self) -> Waiting:
        """The wait for the files that were uploaded."""
        sent = self._memory.load()
        assert sent is not None  # noqa: S101 - what is waited for was kept
        return Waiting(self._to, sent, self._to.output.wait.timeout.timedelta)

    def waited(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """End the run with what the trigger has seen.

        :raises ActivationError: what ended the wait. If a file has failed, it is forgotten: a task that is cleared begins anew.
        """
        with self._recorded():
            if event["status"] != "ready":
                error = _error(event)
                if isinstance(error, FatalError):
                    self._memory.forget()
                raise error
            sent = self._memory.load()
            assert sent is not None  # noqa: S101 - what was waited for was kept
            return self._done(sent, {one["id"]: one for one in event["files"]})

    def preview(self) -> dict[str, Any]:
        """Read and clean, and tell which files a run would make. Nothing is sent and nothing is kept."""
        with ExitStack() as held:
            api = None if self._to.output.to == "folder" else Upload(self._to)
            account = api.look() if api else None
            limit = limit_of(self._to, api.limits if api else TABLE.limits)
            cleaned = held.enter_context(self._listing(self._place(held) / "ids"))
            per = limit // LINE_BYTES
            most = None if self._to.over_limit == "split" else 1
            sizes = [min(per, cleaned.ids - first) for first in range(0, cleaned.ids, per)][:most]
            names = names_of(self._to.file_name, len(sizes), self._to.file.first_index)
            if self._to.output.to == "folder":
                names = KakaoFolder(self._to).names(len(sizes))
            files = [{"name": name, "ids": ids, "bytes": ids * LINE_BYTES} for name, ids in zip(names, sizes, strict=True)]
            fits = self._to.over_limit != "stop" or cleaned.ids <= per
            about = {"status": "preview", "files": files, "fits": fits, "account": account}
            return self._report(cleaned, Counts.of(cleaned, sum(sizes), self._to), "") | about

    def stop(self) -> None:
        """End the reading; from any thread or signal handler."""
        self._listing.stop()

    def _sent(self) -> Sent:
        """The files, all of them there: those of an earlier try, or those of the list as it is now."""
        sent, upload = self._memory.load(), Upload(self._to)
        if sent is not None and sent.whole:
            log.info("An earlier try has uploaded %s files; nothing is read or uploaded again.", len(sent.files))
        else:
            sent = self._uploaded(upload, first=sent is None)
        if "stale" not in sent.report:
            stale = upload.stale(sent.files) if sent.files else []
            sent = replace(sent, report={"retried": 0, **sent.report, "stale": stale})
            self._memory.save(sent)
        return sent

    def _uploaded(self, upload: Upload, *, first: bool) -> Sent:
        if first:
            upload.look()
        limit = limit_of(self._to, upload.limits)
        with ExitStack() as held:
            cleaned = held.enter_context(self._listing(self._place(held) / "ids"))
            parts = self._parts(cleaned, limit)
            report = self._settled(cleaned, Counts.of(cleaned, sum(part.ids for part in parts), self._to))
            if not parts:
                log.warning("The list has no advertising id, and Kakao takes no empty file: none is made.")
                return Sent(report)
            sent = upload(upload.planned(parts, limit), report, self._memory)
        log.info("Uploaded %s files: %s", len(sent.files), ", ".join(f"{one.name!r} ({one.id})" for one in sent.files))
        return sent

    def _written(self) -> dict[str, Any]:
        """The files in a folder."""
        from activation.operators.kakao_columns import Rows  # with DuckDB, 30 MB that most runs do not need

        limit, more = limit_of(self._to, TABLE.limits), self._to.output.columns == "all" or bool(self._pipeline.columns.fields)
        with ExitStack() as held:
            place = self._place(held)
            rows = Rows(place / "rows", self._pipeline.columns.fields, started(self._store, now())) if more else None
            if rows is not None:
                held.callback(rows.close)
            cleaned = held.enter_context(self._listing(place / "ids", rows.around if rows is not None else None))
            parts = self._parts(cleaned, limit)
            if not parts:
                raise FatalError("The list has no advertising id, so there is no file to write; what lies in the folder stays.")
            report = self._settled(cleaned, Counts.of(cleaned, sum(part.ids for part in parts), self._to))
            written: Sequence[Written] = rows.written(parts) if rows is not None else parts
            files, stale = KakaoFolder(self._to)(written)
        return {**report, "files": files, "stale": stale, "removed": [], "retried": 0}

    def _parts(self, cleaned: Cleaned, limit: int) -> list[Any]:
        check_limit(cleaned, limit, LINE_BYTES, self._to)
        if not cleaned.ids and self._to.mode == "edit":
            raise FatalError(
                "The list has no advertising id, and Kakao takes no empty file: the customer file keeps the ids that it has. "
                "Correct source.query, or delete the customer file in Kakao Moment."
            )
        return cleaned.parts(limit, most=None if self._to.over_limit == "split" else 1)

    def _settled(self, cleaned: Cleaned, counts: Counts) -> dict[str, Any]:
        """Keep the rejects, and refuse a list with too many; gives what the report says of the list."""
        folder, place = "", self._folder / "rejects" / safe_name(self._id)
        if counts.reasons:
            batches = cleaned.rejects()
            keep_rejects(place, Origin(self._pipeline.id, self._id, self._attempt), self._to.ids.column, batches)
            log.warning("Rejected %s; they are kept in %s", by_reason(counts.reasons), place)
            folder = str(place)
        check_share(counts, self._pipeline.errors.max_reject_share)
        return self._report(cleaned, counts, folder)

    def _report(self, cleaned: Cleaned, counts: Counts, folder: str) -> dict[str, Any]:
        return {
            "pipeline": self._pipeline.id,
            "run": self._id,
            "status": "partial" if counts.reasons else "success",
            "rows": counts.rows,
            "reasons": dict(counts.reasons),
            "skips": dict(counts.skips),
            "samples": samples(cleaned) if counts.reasons else {},
            "rejects": folder,
        }

    def _done(self, sent: Sent, ready: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
        """End a run whose files are in the account, as ready as it waits for: what earlier runs have made can go.

        :param ready: what was seen of each file at the end of the wait, by its id.
        """
        keep, removed = self._to.file.keep, list[dict[str, Any]]()
        if keep is not None and sent.files and (earlier := outlived(self._journal, self._to, keep)):
            removed = Upload(self._to).remove(earlier, sent.files)
        return self._end({**sent.report, "files": _files(sent, ready), "removed": removed})

    def _end(self, report: dict[str, Any]) -> dict[str, Any]:
        """Record what came of the run; the task's state is done with."""
        size = sum(one["bytes"] for one in report["files"])
        began, ended = started(self._store, now()), now()
        took = datetime.fromisoformat(ended) - datetime.fromisoformat(began)
        report = {**report, "bytes": size, "seconds": round(took.total_seconds(), 3)}
        end = {"status": report["status"], "ended": ended, "report": report, **self._about()}
        self._journal.note(self._id, began, **end)
        self._memory.forget()
        summarize(self._asset_store, {"run": self._id, "started": began, **end})
        tidy(self._journal)
        return report

    def _recorded(self) -> AbstractContextManager[None]:
        return recorded(self._journal, self._id, started(self._store, now()), self._asset_store, **self._about())

    def _about(self) -> dict[str, Any]:
        account = {"connection": self._to.connection, "ad_account_id": self._to.ad_account_id}
        return {"mode": self._to.mode, "attempt": self._attempt, **account, "data": "advertising_ids"}

    def _place(self, held: ExitStack) -> Path:
        return Path(held.enter_context(tempfile.TemporaryDirectory(prefix="activation-kakao-")))


def _files(sent: Sent, ready: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The files as the report shows them."""
    found = []
    for file in sent.files:
        seen = ready.get(file.id or 0, {})
        about = {"status": seen.get("status", "uploaded"), "population": seen.get("population"), "api": file.generation}
        found.append({"name": file.name, "id": file.id, "ids": file.ids, "bytes": file.ids * LINE_BYTES, **about})
    return found


def _error(event: Mapping[str, Any]) -> ActivationError:
    """The error that ended a wait, as the trigger has told it."""
    kind = getattr(errors, str(event.get("kind")), FatalError)
    error: ActivationError = kind(*event.get("arguments", ["The wait ended without a reason."]))
    return error
