"""PostgreSQL: a role that may read, and a role that logs in with it."""

from __future__ import annotations

from activation.setup.script import Kit

KIT = Kit(
    title="PostgreSQL",
    columns={
        "instant": "timestamp with time zone NOT NULL DEFAULT now()",
        "moment": "timestamp with time zone",
        "key": "text NOT NULL",
        "text": "text",
        "payload": "jsonb NOT NULL",
        "flag": "boolean",
    },
    parts=("schema", "table"),
    who="Run it in the pipeline's database as the owner of the table, who may also make roles (CREATEROLE).",
    defaults={"role": "activation_reader", "user": "activation"},
    make="""
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {name} (
{columns}
);
""",
    access="""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {role_text}) THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {user_text}) THEN
        CREATE ROLE {user} LOGIN;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), {role_text});
END
$$;
GRANT {role} TO {user};
{grants}

-- Until it has a password, nobody logs in with one. Fill it in and run:
-- ALTER ROLE {user} PASSWORD '<password>';
""",
    grants="""
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT ON {name} TO {role};
""",
)
