"""DuckDB: a file, so there is nothing but the table."""

from __future__ import annotations

from activation.setup.script import Kit

KIT = Kit(
    title="DuckDB",
    columns={
        "instant": "TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "key": "VARCHAR NOT NULL",
        "text": "VARCHAR",
        "payload": "JSON NOT NULL",
        "flag": "BOOLEAN",
    },
    parts=("catalog", "schema", "table"),
    within=1,
    make="""
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {name} (
{columns}
);
""",
)
