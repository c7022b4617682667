"""The projection: order, missing columns, and nothing left behind between two batches."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from activation.records.columnar import Projection


def test_the_order_of_the_rows_is_kept_over_many_vectors() -> None:
    project = Projection("SELECT a, a || '!' AS b FROM batch", ("a",))
    values = [str(number) for number in range(50_000)]
    table = project(pa.record_batch([pa.array(values)], names=["a"]))
    assert table["a"].to_pylist() == values
    assert table["b"].to_pylist() == [f"{value}!" for value in values]
    project.close()


def test_a_column_that_a_batch_lacks_is_null() -> None:
    project = Projection("SELECT a, b FROM batch", ("a", "b"))
    assert project(pa.record_batch([pa.array(["x"])], names=["a"])).to_pylist() == [{"a": "x", "b": None}]
    assert project(pa.record_batch([pa.array(["x"]), pa.array(["y"])], names=["b", "a"])).to_pylist() == [{"a": "y", "b": "x"}]
    project.close()


def test_a_failed_batch_does_not_stand_in_the_way_of_the_next() -> None:
    project = Projection("SELECT CAST(a AS INT) AS n FROM batch", ("a",))
    one, bad, two = (pa.record_batch([pa.array([value])], names=["a"]) for value in ("1", "x", "2"))
    assert project(one)["n"].to_pylist() == [1]
    with pytest.raises(duckdb.ConversionException):
        project(bad)
    assert project(two)["n"].to_pylist() == [2]
    project.close()


def test_an_empty_batch_gives_an_empty_table() -> None:
    project = Projection("SELECT a FROM batch", ("a",))
    assert project(pa.record_batch([pa.array([], pa.string())], names=["a"])).num_rows == 0
    project.close()


def test_a_batch_with_other_types_is_planned_anew() -> None:
    project = Projection("SELECT CAST(a AS VARCHAR) AS a, b FROM batch", ("a", "b"))
    assert project(pa.record_batch([pa.array([7])], names=["a"])).to_pylist() == [{"a": "7", "b": None}]
    assert project(pa.record_batch([pa.array(["x"])], names=["a"])).to_pylist() == [{"a": "x", "b": None}]
    assert project(pa.record_batch([pa.array([8]), pa.array(["y"])], names=["a", "b"])).to_pylist() == [{"a": "8", "b": "y"}]
    project.close()
