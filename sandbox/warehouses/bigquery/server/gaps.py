"""What bqemulator 1.4.0 lacks of BigQuery's language, filled where the product's statements need it."""

from __future__ import annotations

import re
from typing import Any

from bqemulator.jobs import executor  # type: ignore[import-not-found,unused-ignore]
from bqemulator.storage import sql_identifiers  # type: ignore[import-not-found,unused-ignore]

MACROS = (
    "CREATE MACRO sandbox_timestamp_text(form, x, zone) AS CAST(x AT TIME ZONE zone AS VARCHAR) || '+00'",
    "CREATE MACRO sandbox_datetime_text(form, x) AS CAST(x AS VARCHAR)",
    "CREATE MACRO sandbox_time_text(form, x) AS CAST(x AS VARCHAR)",
)
"""DuckDB's own texts have four digits of the year and no trailing zeros, which is what ``%E4Y`` and ``%E*S`` ask for."""

_FORMATS = (
    (re.compile(r"FORMAT_TIMESTAMP\((?='%E4Y-%m-%d %H:%M:%E\*S\+00', )"), "sandbox_timestamp_text("),
    (re.compile(r"FORMAT_DATETIME\((?='%E4Y-%m-%d %H:%M:%E\*S', )"), "sandbox_datetime_text("),
    (re.compile(r"FORMAT_TIME\((?='%H:%M:%E\*S', )"), "sandbox_time_text("),
)

_NAMES = re.compile(r"^[\w\- ]{1,1024}$")
"""BigQuery's table names hold letters and digits of every script, connectors, dashes and spaces."""


_NUMERIC = re.compile(r"\bDECIMAL\b(?! ?\()")
"""The emulator leaves the size of NUMERIC to DuckDB, whose DECIMAL has three digits behind the point."""


def fill() -> None:
    """Patch the emulator; before its server is made."""
    sql_identifiers._SQL_SAFE_ID_RE = _NAMES
    translate = executor.rewrite_and_translate_statement

    async def filled(bq_sql: str, **rest: Any) -> Any:
        for pattern, name in _FORMATS:
            bq_sql = pattern.sub(name, bq_sql)
        return _NUMERIC.sub("DECIMAL(38, 9)", await translate(bq_sql, **rest))

    executor.rewrite_and_translate_statement = filled
