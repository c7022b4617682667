"""Where an export lies in the bucket: folder, path, names of its objects (contracts: s3_export 3.2).

Every key follows from the pipeline, the interval and the part's number alone, so that a re-run meets its own objects.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timezone

from activation.destinations.s3.errors import ExportCase
from activation.destinations.s3.identity import Identity
from activation.errors import ConfigurationError
from activation.spec.s3_rules import check_template

MANIFEST = "_manifest.json"
SUCCESS = "_SUCCESS"

KEY_BYTES = 1024
"""The longest key in bytes of UTF-8 (Amazon S3, naming objects)."""

_LONGEST_NAME = "attempt=9999/part-00000.parquet.snappy"
_PART = re.compile(r"(?:attempt=\d+/)?part-\d{5,}(?:\.[a-z0-9]+)*")
_ATTEMPT = re.compile(r"attempt=([1-9]\d*)")
_BAD = ExportCase.FOLDER.value


def default_template(*, hourly: bool) -> str:
    """The path of an export where the pipeline gives none.

    :param hourly: whether the cycle is shorter than a day, so that the hour stands in the path.
    """
    hour = "hr={hour}/" if hourly else ""
    return f"{{folder}}/{{data}}/dt={{date}}/{hour}run={{interval_start}}_{{pipeline_id}}"


def normal_folder(folder: str) -> str:
    """A bucket folder without slashes at its ends or twice in a row: ``/a//b/`` -> ``a/b``.

    :raises ConfigurationError: ``invalid bucket folder format`` (contracts: s3_export 1.4) if it is empty, has a part ``.`` or
        ``..``, a control character, or more bytes than a key can have.
    """
    parts = [part for part in folder.split("/") if part]
    if not parts:
        raise ConfigurationError(f"{_BAD}: the folder {folder!r} is empty.", "Name a folder of the bucket, such as crm/events.")
    for part in parts:
        if part in {".", ".."}:
            raise ConfigurationError(
                f"{_BAD}: {folder!r} has a part {part!r}, which many readers of S3 resolve like a path on a disk.",
                "Write the folder from the bucket's root, without . and .. parts.",
            )
        if bad := next((char for char in part if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}), None):
            raise ConfigurationError(
                f"{_BAD}: {folder!r} has a character that is not printable (U+{ord(bad):04X}).", "Remove it from the folder."
            )
    return _short("/".join(parts))


def prefix(template: str, folder: str, identity: Identity) -> str:
    """The path of one export, without a slash at its end.

    :param template: text with fields of :data:`activation.spec.s3_rules.FIELDS` in braces, such as ``{folder}/{data}/dt={date}``.
    :param folder: the bucket folder, in any form that :func:`normal_folder` takes.
    :raises ConfigurationError: if the template has an unknown field, or the path cannot be a key.
    """
    check_template(template)
    start = identity.start.astimezone(identity.zone())
    path = template.format(
        folder=normal_folder(folder),
        data=identity.data,
        date=start.strftime("%Y-%m-%d"),
        year=start.strftime("%Y"),
        month=start.strftime("%m"),
        day=start.strftime("%d"),
        hour=start.strftime("%H"),
        minute=start.strftime("%M"),
        interval_start=instant(identity.start),
        interval_end=instant(identity.end),
        pipeline_id=identity.pipeline_id,
    )
    whole = normal_folder(path)
    _short(f"{whole}/{_LONGEST_NAME}")
    return whole


def instant(moment: datetime) -> str:
    """An instant as a key carries it: ``20260719T090000Z``; a fraction only where there is one."""
    utc = moment.astimezone(timezone.utc)
    fraction = f".{utc.microsecond:06d}" if utc.microsecond else ""
    return f"{utc:%Y%m%dT%H%M%S}{fraction}Z"


def attempt(prefix: str, number: int) -> str:
    """The path of one attempt, for ``on_exists: version``; they count from 1."""
    return f"{prefix}/attempt={number}"


def attempt_number(name: str) -> int | None:
    """The number of the attempt whose folder has this name; ``None`` if it is no attempt's folder."""
    match = _ATTEMPT.fullmatch(name)
    return int(match[1]) if match else None


def part_key(prefix: str, number: int, extension: str) -> str:
    """The key of a part.

    :param number: counts from 0.
    :param extension: such as ``csv.gz``.
    :raises ConfigurationError: if the key is too long.
    """
    return _short(f"{prefix}/part-{number:05d}.{extension}")


def is_part(prefix: str, key: str) -> bool:
    """Whether a key below a prefix is that of a part, of an attempt or of the export itself."""
    return key.startswith(f"{prefix}/") and _PART.fullmatch(key[len(prefix) + 1 :]) is not None


def manifest_key(prefix: str) -> str:
    """The key of the manifest."""
    return f"{prefix}/{MANIFEST}"


def success_key(prefix: str) -> str:
    """The key of the empty marker."""
    return f"{prefix}/{SUCCESS}"


def _short(key: str) -> str:
    if (size := len(key.encode())) > KEY_BYTES:
        raise ConfigurationError(
            f"{_BAD}: the key {key[:60]}… has {size:,} bytes of UTF-8; S3 takes {KEY_BYTES:,}.",
            "Shorten the folder or the path; a letter outside of ASCII has two to four bytes.",
        )
    return key
