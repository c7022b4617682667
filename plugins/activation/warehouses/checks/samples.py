"""What the checks ask each engine, in the engine's own language. Data: a better literal changes a line here and no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Value:
    """An expression and the text that must arrive.

    :ivar kind: how texts are compared: letter by letter, as numbers, or as JSON values.
    """

    name: str
    sql: str
    want: str
    kind: Literal["text", "number", "json"] = "text"


@dataclass(frozen=True, slots=True)
class Samples:
    """The queries of one engine.

    :ivar text: the type of a text.
    :ivar instant: expression that gives an instant, over ``{at}``, a text in UTC such as ``2026-07-19 00:00:01``.
    :ivar cursors: type that can be the cursor, as the dialect calls it -> expression, and the watermark that must come of it.
        Of a type with a precision some are enough.
    :ivar values: nested values, and numbers that a float would spoil.
    :ivar endless: a query with the columns u, a cursor, and id that runs for minutes and costs little.
    :ivar history: how a person finds the tag in the engine's query history.
    """

    text: str
    instant: str
    cursors: Mapping[str, tuple[str, str]]
    values: tuple[Value, ...]
    endless: str
    history: str


_ZONED = "2026-02-28 23:59:59.123456+09:00"
_NAIVE = "2026-02-28 14:59:59.123456"
_MICRO = "2026-02-28T14:59:59.123456Z"
_MILLI = "2026-02-28T14:59:59.123Z"
_NANO = "2026-02-28T14:59:59.123456789Z"
_DATE = "2026-02-28T00:00:00Z"
_JSON = '{"name": "한국 😀", "n": 1, "gone": null, "list": [1, null, "둘"]}'


def _numbers(integer: str, decimal: str) -> tuple[Value, ...]:
    return (
        Value("the largest 64-bit integer", f"CAST('9223372036854775807' AS {integer})", "9223372036854775807", "number"),
        Value("18 digits and 2", f"CAST('123456789012345678.10' AS {decimal})", "123456789012345678.10", "number"),
        Value("a date", "CAST('2026-02-28' AS DATE)", "2026-02-28"),
        Value("true", "CAST('true' AS BOOLEAN)", "true"),
    )


_DUCKDB = Samples(
    text="VARCHAR",
    instant="CAST('{at}' AS TIMESTAMP)",
    cursors={
        "date": ("CAST('2026-02-28' AS DATE)", _DATE),
        "timestamp": (f"CAST('{_NAIVE}' AS TIMESTAMP)", _MICRO),
        "timestamp_s": (f"CAST('{_NAIVE[:19]}' AS TIMESTAMP_S)", "2026-02-28T14:59:59Z"),
        "timestamp_ms": (f"CAST('{_NAIVE[:23]}' AS TIMESTAMP_MS)", _MILLI),
        "timestamp_ns": (f"CAST('{_NAIVE}789' AS TIMESTAMP_NS)", _NANO),
        "timestamp with time zone": (f"CAST('{_ZONED}' AS TIMESTAMP WITH TIME ZONE)", _MICRO),
    },
    values=(
        *_numbers("BIGINT", "DECIMAL(20, 2)"),
        Value("JSON", f"CAST('{_JSON}' AS JSON)", _JSON, "json"),
        Value("STRUCT", "{'name': '한국 😀', 'n': 1, 'gone': NULL, 'list': ['1', NULL]}",
              '{"name": "한국 😀", "n": 1, "gone": null, "list": ["1", null]}', "json"),
        Value("MAP", "MAP {'키': 1}", '{"키": 1}', "json"),
    ),
    endless="SELECT TIMESTAMPTZ '2026-01-01 00:00:00+00' AS u, a.range AS id "
    "FROM range(10000000) a, range(10000000) b WHERE hash(a.range, b.range) = 1",
    history="DuckDB keeps no history; the tag is not used",
)  # fmt: skip

_POSTGRES = Samples(
    text="text",
    instant="CAST('{at}' AS timestamp)",
    cursors={
        "date": ("CAST('2026-02-28' AS date)", _DATE),
        "timestamp without time zone": (f"CAST('{_NAIVE}' AS timestamp)", _MICRO),
        "timestamp with time zone": (f"CAST('{_ZONED}' AS timestamptz)", _MICRO),
    },
    values=(
        *_numbers("bigint", "numeric(20, 2)"),
        Value("json", f"CAST('{_JSON}' AS json)", _JSON, "json"),
        Value("jsonb", f"CAST('{_JSON}' AS jsonb)", _JSON, "json"),
        Value("an array", "ARRAY['가', NULL, 'b']", '["가", null, "b"]', "json"),
    ),
    endless="SELECT now() AS u, 1 AS id FROM pg_sleep(600)",
    history="while it runs: SELECT query FROM pg_stat_activity WHERE query LIKE '/* dag=activation-check%'; "
    "afterwards in the server's log, if log_statement or log_min_duration_statement is set",
)

_SNOWFLAKE = Samples(
    text="VARCHAR",
    instant="CAST('{at}' AS TIMESTAMP_NTZ(9))",
    cursors={
        "date": ("CAST('2026-02-28' AS DATE)", _DATE),
        "timestamp_ntz(9)": (f"CAST('{_NAIVE}789' AS TIMESTAMP_NTZ(9))", _NANO),
        "timestamp_ntz(6)": (f"CAST('{_NAIVE}' AS TIMESTAMP_NTZ(6))", _MICRO),
        "timestamp_ntz(3)": (f"CAST('{_NAIVE[:23]}' AS TIMESTAMP_NTZ(3))", _MILLI),
        "timestamp_ltz(9)": ("CAST('2026-02-28 23:59:59.123456789 +09:00' AS TIMESTAMP_LTZ(9))", _NANO),
        "timestamp_ltz(6)": ("CAST('2026-02-28 23:59:59.123456 +09:00' AS TIMESTAMP_LTZ(6))", _MICRO),
        "timestamp_tz(9)": ("CAST('2026-02-28 23:59:59.123456789 +09:00' AS TIMESTAMP_TZ(9))", _NANO),
        "timestamp_tz(6)": ("CAST('2026-02-28 23:59:59.123456 +09:00' AS TIMESTAMP_TZ(6))", _MICRO),
    },
    values=(
        *_numbers("NUMBER(38, 0)", "NUMBER(20, 2)"),
        Value("VARIANT", f"PARSE_JSON('{_JSON}')", _JSON, "json"),
        Value("OBJECT", "OBJECT_CONSTRUCT_KEEP_NULL('name', '한국 😀', 'n', 1, 'gone', NULL)",
              '{"name": "한국 😀", "n": 1, "gone": null}', "json"),
        Value("ARRAY", """CAST(PARSE_JSON('["가", null, "b"]') AS ARRAY)""", '["가", null, "b"]', "json"),
    ),
    endless="SELECT CAST('2026-01-01' AS TIMESTAMP_NTZ(6)) AS u, MAX(MOD(a.n * 7 + b.n, 1000000007)) AS id "
    "FROM (SELECT SEQ8() AS n FROM TABLE(GENERATOR(ROWCOUNT => 10000000))) AS a "
    "CROSS JOIN (SELECT SEQ8() AS n FROM TABLE(GENERATOR(ROWCOUNT => 10000000))) AS b",
    history="SELECT query_tag, query_text FROM TABLE(information_schema.query_history_by_session()) ORDER BY start_time DESC; "
    "or under Monitoring, Query History",
)  # fmt: skip

_REDSHIFT = Samples(
    text="VARCHAR(256)",
    instant="CAST('{at}' AS TIMESTAMP)",
    cursors={
        "date": ("CAST('2026-02-28' AS DATE)", _DATE),
        "timestamp without time zone": (f"CAST('{_NAIVE}' AS TIMESTAMP)", _MICRO),
        "timestamp with time zone": (f"CAST('{_ZONED}' AS TIMESTAMPTZ)", _MICRO),
    },
    values=(
        *_numbers("BIGINT", "DECIMAL(20, 2)"),
        Value("SUPER", f"JSON_PARSE('{_JSON}')", _JSON, "json"),
    ),
    endless="SELECT CAST('2026-01-01' AS TIMESTAMP) AS u, a.n AS id FROM generate_series(1, 100000) AS a(n), "
    "generate_series(1, 100000) AS b(n), generate_series(1, 100000) AS c(n) WHERE a.n + b.n + c.n = 0",
    history="SELECT query_label, query_text FROM sys_query_history ORDER BY start_time DESC LIMIT 20",
)

_BIGQUERY = Samples(
    text="STRING",
    instant="CAST('{at}+00' AS TIMESTAMP)",
    cursors={
        "date": ("CAST('2026-02-28' AS DATE)", _DATE),
        "datetime": (f"CAST('{_NAIVE}' AS DATETIME)", _MICRO),
        "timestamp": (f"CAST('{_ZONED}' AS TIMESTAMP)", _MICRO),
    },
    values=(
        *_numbers("INT64", "NUMERIC"),
        Value("JSON", f"JSON '{_JSON}'", _JSON, "json"),
        Value("STRUCT", "STRUCT('한국 😀' AS name, 1 AS n, CAST(NULL AS STRING) AS gone)",
              '{"name": "한국 😀", "n": 1, "gone": null}', "json"),
        Value("ARRAY", "['가', 'b']", '["가", "b"]', "json"),
    ),
    endless="SELECT TIMESTAMP '2026-01-01 00:00:00+00' AS u, a AS id FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS a, "
    "UNNEST(GENERATE_ARRAY(1, 1000000)) AS b WHERE FARM_FINGERPRINT(CONCAT(CAST(a AS STRING), '-', CAST(b AS STRING))) = 1",
    history="SELECT labels, query FROM `region-<region>`.INFORMATION_SCHEMA.JOBS_BY_USER ORDER BY creation_time DESC LIMIT 20; "
    "or under Job history, the labels of a job",
)  # fmt: skip

_DATABRICKS = Samples(
    text="STRING",
    instant="CAST('{at}+00:00' AS TIMESTAMP)",
    cursors={
        "date": ("CAST('2026-02-28' AS DATE)", _DATE),
        "timestamp_ntz": (f"CAST('{_NAIVE}' AS TIMESTAMP_NTZ)", _MICRO),
        "timestamp": (f"CAST('{_ZONED}' AS TIMESTAMP)", _MICRO),
    },
    values=(
        *_numbers("BIGINT", "DECIMAL(20, 2)"),
        Value("STRUCT", "named_struct('name', '한국 😀', 'n', 1, 'gone', CAST(NULL AS STRING))",
              '{"name": "한국 😀", "n": 1, "gone": null}', "json"),
        Value("MAP", "map('키', 1)", '{"키": 1}', "json"),
        Value("ARRAY", "array('가', 'b')", '["가", "b"]', "json"),
    ),
    endless="SELECT CAST('2026-01-01 00:00:00+00:00' AS TIMESTAMP) AS u, a.id AS id "
    "FROM range(10000000) AS a CROSS JOIN range(10000000) AS b WHERE hash(a.id, b.id) = 1",
    history="SELECT statement_text FROM system.query.history WHERE statement_text LIKE '/* dag=activation-check%'; "
    "or under Query History",
)  # fmt: skip

SAMPLES = {
    "duckdb": _DUCKDB,
    "postgres": _POSTGRES,
    "snowflake": _SNOWFLAKE,
    "redshift": _REDSHIFT,
    "bigquery": _BIGQUERY,
    "databricks": _DATABRICKS,
}
"""Source type -> what its checks ask."""
