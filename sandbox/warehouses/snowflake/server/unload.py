"""COPY INTO a location of S3, and statements that run without anybody waiting for them.

The columns of the answer are those of Snowflake's documentation (COPY INTO location, DETAILED_OUTPUT). Two files are written, as
by two threads of a warehouse; MAX_FILE_SIZE must be given within its limits and cuts nothing, since tests unload little.
"""

from __future__ import annotations

import gzip
import io
import re
import time
from dataclasses import dataclass, field
from typing import Any

import boto3  # type: ignore[import-untyped,import-not-found,unused-ignore]
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from snowflake.connector.errors import ProgrammingError

COPY = re.compile(
    r"\s*COPY INTO 's3://(?P<bucket>[^/']+)/(?P<prefix>[^']*)' FROM \((?P<query>.*)\) STORAGE_INTEGRATION = (?P<integration>\w+) "
    r"FILE_FORMAT = \((?P<form>.*?TYPE = .*?)\)(?: ENCRYPTION = \(TYPE = '(?P<kind>\w+)'(?: KMS_KEY_ID = '(?P<key>[^']+)')?\))? "
    r"MAX_FILE_SIZE = (?P<size>\d+) HEADER = TRUE DETAILED_OUTPUT = TRUE INCLUDE_QUERY_ID = TRUE\s*",
    re.DOTALL,
)
SCAN = re.compile(r"\s*SELECT \* FROM TABLE\(RESULT_SCAN\('([0-9a-f-]+)'\)\)\s*", re.IGNORECASE)

_MOST_BYTES = 5 * 1024**3
_FILES = 2
_FORM = re.compile(r"TYPE = (CSV|PARQUET) COMPRESSION = (NONE|GZIP|ZSTD|SNAPPY)(?P<rest>.*)")
_CSV_REST = " FIELD_OPTIONALLY_ENCLOSED_BY = '\"' NULL_IF = ('') DATE_FORMAT = 'YYYY-MM-DD'"
_ENDINGS = {"NONE": ".csv", "GZIP": ".csv.gz", "ZSTD": ".csv.zst", "SNAPPY": ".snappy.parquet"}
_KINDS = {"AWS_SSE_S3": "AES256", "AWS_SSE_KMS": "aws:kms"}


@dataclass
class Storage:
    """The storage integration of the account.

    :ivar endpoint: of S3, with the keys and the region that clients of it need in ``client``.
    :ivar integration: its name, in upper case.
    :ivar cut_after: fail when so many files are written, once.
    :ivar hold: seconds that a statement takes before it writes.
    """

    endpoint: str
    client: dict[str, str]
    integration: str
    cut_after: int | None = None
    hold: float = 0.0
    _s3: Any = field(default=None, repr=False)

    def put(self, **given: Any) -> None:
        """Write an object."""
        if self._s3 is None:
            self._s3 = boto3.session.Session().client("s3", endpoint_url=self.endpoint, **self.client)
        self._s3.put_object(**given)

    def unload(self, found: re.Match[str], table: pa.Table, query_id: str) -> pa.Table:
        """Write the rows of a query; gives the answer of the statement."""
        if not 0 < int(found["size"]) <= _MOST_BYTES:
            raise refused(1008, f"invalid value [{found['size']}] for parameter 'MAX_FILE_SIZE'")
        if found["integration"].upper() != self.integration:
            raise refused(3001, f"Insufficient privileges to operate on integration '{found['integration'].upper()}'.")
        form = _FORM.fullmatch(found["form"])
        if form is None or form["rest"] != (_CSV_REST if form[1] == "CSV" else ""):
            raise refused(1003, f"invalid file format {found['form']}")
        time.sleep(self.hold)
        names, sizes, counts = list[str](), list[int](), list[int]()
        for number in range(_FILES):
            if self.cut_after == number:
                self.cut_after = None
                raise ProgrammingError(msg="Processing aborted by error 300010", errno=603, sqlstate="XX000")
            rows = table.take(pa.array(range(number, table.num_rows, _FILES), pa.int64()))
            content = _content(rows, form[1], form[2])
            name = f"data_{query_id}_0_{number}_0{_ENDINGS[form[2]]}"
            self.put(Bucket=found["bucket"], Key=found["prefix"] + name, Body=content, **_encrypted(found))
            names.append(name)
            sizes.append(len(content))
            counts.append(rows.num_rows)
        return pa.table({"FILE_NAME": names, "FILE_SIZE": sizes, "ROW_COUNT": counts})


def refused(number: int, text: str) -> ProgrammingError:
    """What the service says to a statement that it does not run."""
    return ProgrammingError(msg=f"SQL compilation error:\n{text}", errno=number, sqlstate="42000")


def answer_columns() -> list[dict[str, Any]]:
    """The columns of the answer as the service describes them."""
    text = {"type": "text", "length": 16_777_216, "precision": None, "scale": None}
    number = {"type": "fixed", "length": None, "precision": 38, "scale": 0}
    kinds = (("FILE_NAME", text), ("FILE_SIZE", number), ("ROW_COUNT", number))
    rest = {"nullable": True, "byteLength": None, "collation": None, "database": "", "schema": "", "table": ""}
    return [{"name": name, **kind, **rest} for name, kind in kinds]


def _encrypted(found: re.Match[str]) -> dict[str, str]:
    key = {"SSEKMSKeyId": found["key"]} if found["key"] else {}
    return {"ServerSideEncryption": _KINDS[found["kind"]], **key} if found["kind"] else {}


def _content(rows: pa.Table, kind: str, packed: str) -> bytes:
    sink = io.BytesIO()
    if kind == "PARQUET":
        if any(pa.types.is_timestamp(one.type) and one.type.tz for one in rows.schema):
            raise refused(1003, "Unloading TIMESTAMP_TZ and TIMESTAMP_LTZ to PARQUET is not supported")
        pq.write_table(rows, sink, compression="snappy")
        return sink.getvalue()
    pc.write_csv(rows, sink, pc.WriteOptions(quoting_style="needed"))
    content = sink.getvalue()
    if packed == "GZIP":
        return gzip.compress(content)
    return bytes(pa.compress(content, "zstd", asbytes=True)) if packed == "ZSTD" else content
