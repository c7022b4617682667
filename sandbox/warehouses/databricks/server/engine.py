"""Spark SQL in this process: sessions, statements to Arrow, bulk loading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa

from . import jvm

SETTINGS = {
    "spark.ui.enabled": "false",
    # Plans for small tables: to compile a statement takes far longer than to interpret it over a few rows.
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.maxResultSize": "0",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "16384",
    "spark.sql.ansi.enabled": "true",  # the default of a SQL warehouse
    "spark.sql.session.timeZone": "Asia/Seoul",  # shows every place where UTC was taken for granted
    # A session would not see that another one wrote to a table anew, or put another in its place.
    "spark.sql.filesourceTableRelationCacheSize": "0",
    "spark.sql.debug.maxToStringFields": "1000",
    "spark.log.level": "OFF",
}


LARGE = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "true",
    "spark.sql.codegen.factoryMode": "CODEGEN_ONLY",
}
"""Plans for large tables, as the service makes them: statements are compiled, and both cores sort."""


class Engine:
    """One Spark, one catalog, many sessions.

    :param folder: where tables and temporary files are kept.
    :param memory: the heap of the Java side.
    :param large: whether tables are large.
    """

    def __init__(self, folder: Path, memory: str, *, large: bool) -> None:
        self._java = jvm.start(folder, memory)
        builder = import_module("pyspark.sql").SparkSession.builder.master("local[2]").appName("stand-in")
        for name, value in {**SETTINGS, **(LARGE if large else {}), "spark.sql.warehouse.dir": str(folder / "tables")}.items():
            builder = builder.config(name, value)
        self._spark = builder.getOrCreate()
        self._owner = self.session()
        self._owner.conf.set("spark.sql.session.timeZone", "UTC")
        self.run(self._owner, "warm-up", "SELECT 1", None)

    def stop(self) -> None:
        """End the Java side, whatever it runs."""
        self._java.kill()
        self._java.wait()

    def session(self) -> Any:
        """Open a session: its settings and temporary views are its own, the tables are everybody's."""
        return self._spark.newSession()

    def run(self, session: Any, group: str, text: str, arguments: Any) -> tuple[Any, pa.Table]:
        """Run a statement to its end.

        :param group: the name by which :meth:`cancel` finds it.
        :param arguments: values for ``?`` as a list, for ``:name`` as a dictionary, or nothing.
        :returns: Spark's schema and all rows.
        """
        session.sparkContext.setJobGroup(group, "statement", interruptOnCancel=True)
        frame = session.sql(text, args=arguments) if arguments else session.sql(text)
        return frame.schema, frame.toArrow() if frame.schema.fields else pa.table({})

    def cancel(self, group: str) -> None:
        """Stop the jobs that a statement runs at the moment."""
        self._spark.sparkContext.cancelJobGroup(group)

    def execute(self, text: str, arguments: Sequence[Any]) -> pa.Table:
        """Run a statement as the owner of everything."""
        return self.run(self._owner, "owner", text, list(arguments))[1]

    def load(self, table: str, rows: pa.Table, types: dict[str, str]) -> None:
        """Replace a table by these rows, each column cast to its type; ``table`` is quoted already."""
        frame = self._owner.createDataFrame(rows.rename_columns([f"c{n}" for n in range(rows.num_columns)]))
        frame.createOrReplaceTempView("loaded")
        columns = ", ".join(
            f"CAST(c{number} AS {types[name]}) AS `{name.replace('`', '``')}`" for number, name in enumerate(rows.column_names)
        )
        self.execute(f"DROP TABLE IF EXISTS {table}", ())
        self.execute(f"CREATE TABLE {table} USING parquet AS SELECT {columns} FROM loaded", ())
        self._owner.catalog.dropTempView("loaded")


_VALUES: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT"), int),
    **dict.fromkeys(("FLOAT", "DOUBLE"), float),
    "DECIMAL": Decimal,
    "BOOLEAN": lambda text: text.lower() == "true",
    "DATE": date.fromisoformat,
    "TIMESTAMP": datetime.fromisoformat,
    "TIMESTAMP_NTZ": datetime.fromisoformat,
}


def argument(kind: str, text: str | None) -> Any:
    """Turn a native parameter of the protocol into the value that Spark takes."""
    return None if text is None else _VALUES.get(kind.upper().partition("(")[0], str)(text)
