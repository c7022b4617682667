"""Runs the source contract against every registered engine."""

from __future__ import annotations

import pytest

from tests.contracts.source_columns import ColumnsContract
from tests.contracts.source_engines import engine, warehouse
from tests.contracts.source_faults import FaultsContract
from tests.contracts.source_memory import MemoryContract
from tests.contracts.source_resume import ResumeContract
from tests.contracts.source_windows import WindowsContract
from tests.support.postgres import postgres

__all__ = ["engine", "postgres", "warehouse"]

pytestmark = pytest.mark.usefixtures("postgres")
"""Keeps the server running from one engine that uses it to the next."""


class TestColumns(ColumnsContract):
    """Names, types, exact text."""


class TestWindows(WindowsContract):
    """Order, edges, counts."""


class TestResume(ResumeContract):
    """Prefix and remainder."""


class TestFaults(FaultsContract):
    """Early ends, cancellation, errors."""


class TestMemory(MemoryContract):
    """Bounded memory."""
