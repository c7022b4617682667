"""The suites that every source and every sink must pass."""

import pytest

pytest.register_assert_rewrite(
    "tests.contracts.source_columns",
    "tests.contracts.source_faults",
    "tests.contracts.source_mapping",
    "tests.contracts.source_memory",
    "tests.contracts.source_resume",
    "tests.contracts.source_typed",
    "tests.contracts.source_windows",
)
