"""Amazon Redshift: a user; with IAM it needs no password."""

from __future__ import annotations

from activation.setup.script import Kit

KIT = Kit(
    title="Amazon Redshift",
    columns={
        "instant": "timestamptz DEFAULT sysdate",
        "moment": "timestamptz",
        "key": "varchar NOT NULL",
        "text": "varchar",
        "payload": "varchar(max)",
        "flag": "boolean",
    },
    parts=("database", "schema", "table"),
    within=1,
    who="Run it as a superuser, or as the owner of the table who may also make users.",
    defaults={"user": "activation"},
    make="""
CREATE SCHEMA IF NOT EXISTS {schema};
-- varchar alone holds 256 bytes; write varchar(987) for an id if yours are longer.
CREATE TABLE IF NOT EXISTS {name} (
{columns}
);
""",
    access="""
-- Like this it logs in by IAM only. For a password, write PASSWORD '<password>': 8 to 64 characters, with an upper-case letter,
-- a lower-case letter and a digit.
CREATE USER {user} PASSWORD DISABLE;
{grants}
""",
    grants="""
GRANT USAGE ON SCHEMA {schema} TO {user};
GRANT SELECT ON {name} TO {user};
""",
)
