"""What holds of an export's files before any run: which compressions a format takes, and what a path may name."""

from __future__ import annotations

import string
from difflib import get_close_matches

from activation.errors import ConfigurationError

COMPRESSIONS: dict[str, tuple[str, ...]] = {
    "csv": ("none", "gzip", "zstd"),
    "jsonl": ("none", "gzip", "zstd"),
    "parquet": ("none", "snappy", "zstd"),
}
"""Format -> the compressions that it takes (contracts: s3_export 3.1)."""

FIELDS = (
    "folder", "data", "date", "year", "month", "day", "hour", "minute", "interval_start", "interval_end", "pipeline_id",
)  # fmt: skip
"""What a path may name. The days and hours are those of the interval's start in the pipeline's zone; ``interval_start`` and
``interval_end`` are written in UTC, because an offset needs a ``+``, which readers of keys take for a blank."""


def check_template(template: str) -> None:
    """Check a path before any run.

    :raises ConfigurationError: if a brace is left open, or a field is unknown or carries a format; says what is allowed.
    """
    allowed = f"Allowed: {', '.join(FIELDS)}."
    try:
        found = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigurationError(
            f"The path {template!r} cannot be read: {error}.", "Close every brace, and write a brace itself twice."
        ) from error
    for _text, field, form, conversion in found:
        if field is None:
            continue
        if form or conversion:
            raise ConfigurationError(f"The field {field!r} of the path {template!r} has a format.", "Write its name alone.")
        if field not in FIELDS:
            near = get_close_matches(field.lower(), FIELDS, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            raise ConfigurationError(f"The path {template!r} has an unknown field {field!r}.", f"{hint}{allowed}")
