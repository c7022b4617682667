"""The whole source contract. A module ``test_source_<engine>.py`` imports all of it and makes the two fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from activation.warehouses.base import Warehouse
from tests.contracts.source_changes import ChangesContract
from tests.contracts.source_columns import ColumnsContract
from tests.contracts.source_faults import FaultsContract
from tests.contracts.source_mapping import MappingContract
from tests.contracts.source_memory import MemoryContract
from tests.contracts.source_resume import ResumeContract
from tests.contracts.source_scan import ScanContract
from tests.contracts.source_slices import SlicesContract
from tests.contracts.source_typed import TypedContract
from tests.contracts.source_windows import WindowsContract
from tests.contracts.sources import Engine

__all__ = [
    "TestChanges",
    "TestColumns",
    "TestFaults",
    "TestMapping",
    "TestMemory",
    "TestResume",
    "TestScan",
    "TestSlices",
    "TestTyped",
    "TestWindows",
    "engine_of",
    "warehouse",
]


def engine_of(*kinds: type[Engine]) -> Callable[..., Any]:
    """The fixture ``engine``: each of these in turn, started for the tests of a module and stopped behind them."""

    @pytest.fixture(scope="module", params=kinds, ids=lambda kind: kind.name)
    def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
        one = request.param()
        try:
            yield one
        finally:
            one.stop()

    return engine


@pytest.fixture(scope="module")
def warehouse(engine: Engine) -> Iterator[Warehouse]:
    """A warehouse that all tests of one engine share; none of them may leave it unusable."""
    opened = engine.open()
    try:
        yield opened
    finally:
        opened.close()


class TestChanges(ChangesContract):
    """Changed profiles."""


class TestColumns(ColumnsContract):
    """Names, types, exact text."""


class TestWindows(WindowsContract):
    """Order, edges, counts."""


class TestResume(ResumeContract):
    """Prefix and remainder."""


class TestScan(ScanContract):
    """Every row, in no order."""


class TestSlices(SlicesContract):
    """Disjoint and complete parts."""


class TestTyped(TypedContract):
    """Values in types of their own."""


class TestFaults(FaultsContract):
    """Early ends, cancellation, errors."""


class TestMapping(MappingContract):
    """Payloads out of columns."""


class TestMemory(MemoryContract):
    """Bounded memory."""
