"""What one run of a pipeline is asked to do: the modes that the trigger form offers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from activation.cursor.timestamps import from_text
from activation.errors import ConfigurationError

INCREMENTAL, FULL, REPLAY, PREVIEW, RESET, CHECK = MODES = ("incremental", "full", "replay", "preview", "reset", "check")
"""``incremental``: what changed since the watermark. ``full``: every row. ``replay``: rejected rows once more. ``preview``: shows
what a run would send and sends nothing. ``reset``: moves the watermark and sends nothing. ``check``: looks at source and
destination and moves nothing."""

RUN = "run"
FILE_MODES = (RUN, PREVIEW, CHECK)
"""What a run that makes files can be asked to do: make them, show which it would make, or look at source and destination."""

CHECKED = "checked"
LOOKED = (PREVIEW, CHECKED)
"""Status in the report of a run that only looked."""

MOVED_NOTHING = (None, *LOOKED, RESET)
"""Status in the report of a run whose rows, if it counted any, went nowhere."""

_YES, _NO = ("true", "1", "yes"), ("", "false", "0", "no", "none")


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is asked to do.

    :ivar mode: one of :data:`MODES`.
    :ivar limit: most rows of the run; it ends where the next row has another timestamp. ``None`` is without limit.
    :ivar dry_run: whether the run only shows what it would send.
    :ivar reset_to: the new watermark, nanoseconds since the epoch; ``None``: from the beginning.
    :ivar replay_run: the run whose rejects are replayed; empty: all runs.
    :ivar replay_code: the reason code whose rejects are replayed; empty: all codes.
    """

    mode: str = INCREMENTAL
    limit: int | None = None
    dry_run: bool = False
    reset_to: int | None = None
    replay_run: str = ""
    replay_code: str = ""

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Order:
        """Read rendered values; what is empty or ``None`` counts as not given.

        :raises ConfigurationError: if one of them is wrong; names it and what is allowed.
        """
        given = {name: str(value).strip() for name, value in values.items() if value is not None}
        given = {name: value for name, value in given.items() if value not in ("", "None")}
        mode = given.get("mode", INCREMENTAL)
        if mode not in MODES:
            raise ConfigurationError(f"There is no mode {mode!r}.", f"Choose one of {', '.join(MODES)}.")
        limit = given.get("limit")
        if limit is not None and (not limit.isdecimal() or int(limit) < 1):
            raise ConfigurationError(f"The limit {limit!r} is no number of rows.", "Give a whole number from 1 on, or nothing.")
        dry_run = is_true(given.get("dry_run"))
        if dry_run and mode in (REPLAY, RESET):
            raise ConfigurationError(
                f"The mode {mode} has no dry run.", "Look at the rejects or the watermark: activation rejects, activation status."
            )
        return cls(
            mode,
            int(limit) if limit else None,
            dry_run,
            _instant(given.get("reset_to")),
            given.get("replay_run", ""),
            given.get("replay_code", ""),
        )


def file_mode(values: Mapping[str, Any]) -> str:
    """What a run that makes files is asked to do: one of :data:`FILE_MODES`.

    :param values: rendered: ``mode`` and ``dry_run``, which is a preview of what would be a run.
    :raises ConfigurationError: if there is no such mode.
    """
    mode = str(values.get("mode") or RUN).strip()
    if mode not in FILE_MODES:
        raise ConfigurationError(f"There is no mode {mode!r}.", f"Choose one of {', '.join(FILE_MODES)}.")
    return PREVIEW if mode == RUN and is_true(values.get("dry_run")) else mode


def only_looks(conf: Any) -> bool:
    """Whether a run was asked to move nothing: a preview, a dry run, a check.

    :param conf: what the run was triggered with, whatever that is.
    """
    asked = conf if isinstance(conf, Mapping) else {}
    with suppress(ConfigurationError):
        return str(asked.get("mode")) in (PREVIEW, CHECK) or is_true(asked.get("dry_run"))
    return False


def is_true(value: Any) -> bool:
    """Whether a rendered value of the trigger form means yes.

    :raises ConfigurationError: if it means neither yes nor no.
    """
    text = str("" if value is None else value).strip().lower()
    if text not in _YES and text not in _NO:
        raise ConfigurationError(f"dry_run {value!r} is neither true nor false.", "Write true or false.")
    return text in _YES


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return from_text(text)
    except ValueError as error:
        raise ConfigurationError(
            f"reset_to {text!r} is no instant: {error}.",
            "Write it like 2026-07-19T09:07:23Z, or leave it empty for the beginning.",
        ) from None
