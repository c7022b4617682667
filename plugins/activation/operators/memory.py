"""What an operator remembers: the watermark in the asset state and the journal, the progress in the task state."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, ObjectStoragePath
from airflow.sdk.configuration import conf

from activation.cursor.progress import Progress
from activation.cursor.recovery import Move, recover
from activation.cursor.watermark import Watermark
from activation.cursor.window import Window
from activation.errors import ConfigurationError, FatalError

if TYPE_CHECKING:
    from activation.delivery.folder import Folder

log = logging.getLogger(__name__)

WATERMARK = "watermark"
BINDING = "binding"
PROGRESS = "progress"
STARTED = "started"
SPREADING = ("celery", "kubernetes", "ecs", "batch", "edge", "lambda")


def asset_of(pipeline_id: str, **extra: Any) -> Asset:
    """The asset that a pipeline keeps up to date; its state holds the watermark.

    :param extra: what Airflow keeps beside it.
    """
    return Asset(name=f"activation/{pipeline_id}", uri=f"x-activation://pipeline/{pipeline_id}", group="activation", extra=extra)


def state_folder(pipeline_id: str) -> Folder:
    """Where a pipeline keeps its journal and its rejects.

    :raises ConfigurationError: if workers run on several machines and the folder is on the disk of one of them.
    """
    return state_root() / pipeline_id


def state_root() -> Folder:
    """The folder of all pipelines' folders; see :func:`state_folder`."""
    home = os.environ.get("AIRFLOW_HOME", str(Path("~/airflow").expanduser()))
    root = conf.get("activation", "state_folder", fallback="").strip() or f"file://{home}/activation"
    local = root.removeprefix("file://") if root.startswith("file://") or "://" not in root else ""
    executor = conf.get("core", "executor", fallback="LocalExecutor").lower()
    if local and any(name in executor for name in SPREADING) and not _shared():
        raise ConfigurationError(
            f"[activation] state_folder = {root} lies on one machine's disk, but tasks run on several ({executor}).",
            "Set AIRFLOW__ACTIVATION__STATE_FOLDER to object storage such as s3://aws_default@bucket/activation, or, if the path "
            "is a volume that every worker mounts, set AIRFLOW__ACTIVATION__STATE_FOLDER_IS_SHARED=True.",
        )
    return Path(local) if local else ObjectStoragePath(root)


def _shared() -> bool:
    return bool(conf.getboolean("activation", "state_folder_is_shared", fallback=False))


def started(task_store: Any, now: str) -> str:
    """When the first try of this run began; a run that is cleared after its end begins anew.

    :param task_store: ``context["task_state_store"]``.
    :param now: ISO 8601; kept, if this is the first try.
    """
    known = task_store.get(STARTED, default=None)
    if known is None:
        task_store.set(STARTED, now)
    return str(known or now)


@dataclass(frozen=True, slots=True)
class Opened:
    """A window that a run has begun, as the task state keeps it.

    :ivar watermark: the watermark that it started from.
    :ivar nulls: rows without a cursor value when it was opened.
    :ivar parts: part files of rejects that belong to ``progress``.
    """

    window: Window
    watermark: Watermark
    nulls: int
    progress: Progress = field(default_factory=Progress)
    parts: int = 0

    def to_json(self) -> dict[str, Any]:
        """The JSON form that :meth:`from_json` reads back."""
        return {
            "window": self.window.to_json(),
            "watermark": self.watermark.to_json(),
            "nulls": self.nulls,
            "progress": self.progress.to_json(),
            "parts": self.parts,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Opened:
        """Read what :meth:`to_json` wrote."""
        return cls(
            Window.from_json(data["window"]),
            Watermark.from_json(data["watermark"]),
            int(data["nulls"]),
            Progress.from_json(data["progress"]),
            int(data["parts"]),
        )


class Memory:
    """The stores of one task instance.

    :param asset_store: ``context["asset_state_store"][asset]``.
    :param task_store: ``context["task_state_store"]``.
    :param last: what the journal says of the last finished run.
    """

    def __init__(self, asset_store: Any, task_store: Any, last: Move | None, run: str) -> None:
        self._asset, self._task, self._run = asset_store, task_store, run
        self._last = last
        self.held = self._read()
        """The asset state as this run found or adopted it."""

    def _read(self) -> Watermark | None:
        stored = self._asset.get(WATERMARK, default=None)
        try:
            return None if stored is None else Watermark.from_json(stored)
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"The asset state {WATERMARK!r} cannot be read: {error}.",
                'Set it to {"updated_at": "…"} in the asset\'s tab Asset State Store, or delete it to go on from the journal.',
            ) from None

    def watermark(self) -> Watermark:
        """The watermark to go on from. A value that a person typed is adopted: it gets this run's name."""
        found = recover(self.held, self._last)
        if found.note:
            log.warning(found.note)
        if self.held is not None and found.watermark == self.held and not self.held.run:
            adopted = Watermark(self.held.at, self.held.rows, self.held.nulls, self.held.seen, self._run)
            self._asset.set(WATERMARK, adopted.to_json())
            self.held = adopted
            return adopted
        return found.watermark

    def hold_to(self, binding: Mapping[str, str]) -> None:
        """Refuse to go on from a watermark under other settings than those that it was made with.

        :param binding: settings that must stay the same, ``data`` for example.
        :raises ConfigurationError: if one of them has changed; says how to begin anew.
        """
        known = self._asset.get(BINDING, default=None) or {}
        for name, value in binding.items():
            if self.held is not None and known.get(name, value) != value:
                raise ConfigurationError(
                    f"The pipeline's {name} was {known[name]!r} and is now {value!r}, but its watermark belongs to the former.",
                    "Give the new pipeline an id of its own, or reset the state of this one.",
                )
        if known != dict(binding):
            self._asset.set(BINDING, dict(binding))

    def unbind(self) -> None:
        """Forget what the watermark was made with: after a reset other settings may be used."""
        self._asset.delete(BINDING)

    def resume(self, watermark: Watermark) -> Opened | None:
        """The window that an earlier try of this task began, if it still starts from the same watermark."""
        stored = self._task.get(PROGRESS, default=None)
        if not stored:
            return None
        opened = Opened.from_json(stored)
        if opened.watermark != watermark:
            log.info("An earlier try began at the watermark %s, which is out of date; a new window is opened.", opened.watermark)
            return None
        return opened

    def save(self, opened: Opened) -> None:
        """Keep the progress, so that a retry goes on behind it."""
        self._task.set(PROGRESS, opened.to_json())

    def guard(self) -> None:
        """Refuse to overwrite a watermark that somebody else has written meanwhile.

        :raises FatalError: if the asset state is not what this run found.
        """
        now = self._read()
        if now != self.held:
            raise FatalError(
                f"The watermark was changed while this run was moving (from {self.held} to {now}), by a person or by another "
                "run of the same pipeline. It is left as it is; the next run starts from it."
            )

    def commit(self, watermark: Watermark) -> None:
        """Move the watermark; the journal has it already. The progress is done with: a cleared task begins anew."""
        self._asset.set(WATERMARK, watermark.to_json())
        self.forget()

    def forget(self) -> None:
        """Drop the progress."""
        self._task.delete(PROGRESS)
        self._task.delete(STARTED)
