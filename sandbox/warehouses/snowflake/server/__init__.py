"""Snowflake's HTTP interface over fakesnow and DuckDB. Runs in an environment of its own: ``python -m server FOLDER``."""
