"""What the tests know of types that DuckDB and PostgreSQL share."""

from __future__ import annotations

from tests.contracts.sources import Value

COMMON = (
    Value("integer", "42", "42"),
    Value("bigint", "-9223372036854775807", "-9223372036854775807"),
    Value("decimal(20, 2)", "123456789012345678.10", "123456789012345678.10"),
    Value("double precision", "0.1", "0.1"),
    Value("boolean", "true", "true"),
    Value("boolean", "false", "false"),
    Value("date", "'2026-02-28'", "2026-02-28"),
    Value("time", "'23:59:59.5'", "23:59:59.5"),
    Value("timestamp", "'2026-02-28 23:59:59.000001'", "2026-02-28 23:59:59.000001"),
    Value("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    Value("json", """'{"name": "한국 😀", "n": 1.0}'""", '{"name": "한국 😀", "n": 1.0}'),
    Value("varchar", "'plain'", "plain"),
)
