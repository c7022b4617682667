"""Snowflake: a role, a warehouse that wakes by itself, and a service user with a key pair."""

from __future__ import annotations

from activation.setup.script import Kit

_TEXT = "VARCHAR(16777216)"

KIT = Kit(
    title="Snowflake",
    columns={
        "instant": "TIMESTAMP_NTZ(9) NOT NULL DEFAULT SYSDATE()",
        "moment": "TIMESTAMP_NTZ(9)",
        "key": f"{_TEXT} NOT NULL",
        "text": _TEXT,
        "payload": f"{_TEXT} NOT NULL",
        "flag": "BOOLEAN",
    },
    parts=("database", "schema", "table"),
    upper=True,
    who="Run it as ACCOUNTADMIN, or as a role that may make roles, users and warehouses and grant on the table.",
    defaults={"role": "ACTIVATION_READER", "user": "ACTIVATION", "warehouse": "ACTIVATION_WH"},
    make="""
CREATE SCHEMA IF NOT EXISTS {database}.{schema};
CREATE TABLE IF NOT EXISTS {name} (
{columns}
);
""",
    access="""
CREATE ROLE IF NOT EXISTS {role};
CREATE WAREHOUSE IF NOT EXISTS {warehouse}
    WAREHOUSE_SIZE = 'XSMALL' AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE;
-- A warehouse of your own without AUTO_RESUME also needs: GRANT OPERATE ON WAREHOUSE {warehouse} TO ROLE {role};
GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {role};
-- For a view, write ON VIEW.
{grants}

-- The public key without its first and last line; the private key belongs into the Airflow connection:
--   openssl genrsa 2048 | openssl pkcs8 -topk8 -inform PEM -out activation.p8
--   openssl rsa -in activation.p8 -pubout -out activation.pub
CREATE USER IF NOT EXISTS {user}
    TYPE = SERVICE DEFAULT_ROLE = {role_text} DEFAULT_WAREHOUSE = {warehouse_text}
    RSA_PUBLIC_KEY = '<public key>';
GRANT ROLE {role} TO USER {user};
""",
    grants="""
GRANT USAGE ON DATABASE {database} TO ROLE {role};
GRANT USAGE ON SCHEMA {database}.{schema} TO ROLE {role};
GRANT SELECT ON TABLE {name} TO ROLE {role};
""",
)
