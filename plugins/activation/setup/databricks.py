"""Databricks: a service principal, its rights in Unity Catalog, and the SQL warehouse that it may use."""

from __future__ import annotations

from activation.setup.script import Kit

KIT = Kit(
    title="Databricks",
    columns={
        "instant": "TIMESTAMP DEFAULT current_timestamp()",
        "moment": "TIMESTAMP",
        "key": "STRING NOT NULL",
        "text": "STRING",
        "payload": "STRING",
        "flag": "BOOLEAN",
    },
    parts=("catalog", "schema", "table"),
    quote="`",
    who="Run it as the owner of the schema, or as one with MANAGE on it; the last step needs CAN MANAGE on the SQL warehouse.",
    defaults={"user": "<application id>", "warehouse": "<warehouse id>"},
    make="""
CREATE SCHEMA IF NOT EXISTS {catalog}.{schema};
CREATE TABLE IF NOT EXISTS {name} (
{columns}
) TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported');
""",
    access="""
-- The principal is the application id of a service principal (Settings, Identity and access), or a user's e-mail address.
{grants}

-- The right to use a SQL warehouse is not given by SQL. In a shell, or under SQL Warehouses, Permissions:
--   databricks permissions update warehouses {warehouse_raw} --json '{{"access_control_list":
--     [{{"service_principal_name": "{user_raw}", "permission_level": "CAN_USE"}}]}}'
""",
    grants="""
GRANT USE CATALOG ON CATALOG {catalog} TO {user};
GRANT USE SCHEMA ON SCHEMA {catalog}.{schema} TO {user};
GRANT SELECT ON TABLE {name} TO {user};
""",
)
