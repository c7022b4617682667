"""The partner of the demo's exports: an AWS account with a bucket and a role, and a reader who goes by the manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from activation.spec import S3Destination
from sandbox.aws import AwsSandbox

USER = "activation"
"""The exporter, in the account; as itself it may only assume the role."""

P = TypeVar("P", bound="Partner")


class ReadBackError(Exception):
    """What lies in the bucket is not what its manifest says."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One export as the partner has it.

    :ivar place: its address in the bucket, without the names of objects.
    :ivar hashes: name -> SHA-256 in hex of each file that the manifest lists.
    :ivar sizes: name -> bytes.
    :ivar rows: what is in them; types are those that the reader asked for.
    """

    place: str
    hashes: Mapping[str, str]
    sizes: Mapping[str, int]
    rows: pa.Table


class Partner:
    """The partner's account, for as long as a ``with`` block lasts; its names are those of a pipeline file.

    :param destination: names bucket, role and external id.
    :param folder: takes copies of what was read back.
    """

    def __init__(self, destination: S3Destination, folder: Path) -> None:
        access = destination.access
        if access.role_arn is None or access.external_id is None:
            raise ValueError("the sample pipeline names no role, or no external id")
        self.bucket, self._prefix = destination.place
        self.role, self._external_id = access.role_arn, access.external_id
        self.connection = destination.connection
        self.folder = folder
        self.aws = AwsSandbox("access")
        self._user: dict[str, str] = {}

    def __enter__(self: P) -> P:
        self.aws.start()
        try:
            self._set_up()
        except BaseException:
            self.aws.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.aws.stop()

    def environment(self) -> dict[str, str]:
        """What Airflow must be told: the exporter's own key, and nothing of the partner's."""
        return {**self.aws.environment(), f"AIRFLOW_CONN_{self.connection.upper()}": self.aws.connection(**self._user)}

    def read(self, manifest: str, like: pa.Table) -> Delivery:
        """Read an export back with DuckDB: the files that the manifest lists, and no others.

        :param manifest: its key.
        :param like: has the names and types of the columns that are expected; the rows come in the order of its first column.
        :raises ReadBackError: if the bucket holds something else than the manifest says.
        """
        s3 = self.aws.client("s3")
        told = json.loads(self._get(s3, manifest))
        paths, hashes, sizes = list[Path](), dict[str, str](), dict[str, int]()
        for file in told["files"]:
            data, name = self._get(s3, file["key"]), file["key"].rpartition("/")[2]
            hashes[name], sizes[name] = hashlib.sha256(data).hexdigest(), len(data)
            if (sizes[name], hashes[name]) != (file["size"], file["sha256"]):
                raise ReadBackError(f"{file['key']} is not what its manifest says")
            paths.append(self.folder / file["key"])
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            paths[-1].write_bytes(data)
        rows = _rows(told, paths, like)
        if (told["status"], told["total_rows"]) != ("complete", rows.num_rows):
            raise ReadBackError(f"{manifest} is {told['status']} with {told['total_rows']} rows; read were {rows.num_rows}")
        place = f"s3://{self.bucket}/{manifest.rpartition('/')[0]}"
        return Delivery(place, hashes, sizes, rows)

    def _get(self, s3: Any, key: str) -> bytes:
        content: bytes = s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def _set_up(self) -> None:
        self.aws.bucket(self.bucket)
        bucket = f"arn:aws:s3:::{self.bucket}"
        may = [
            ("s3:PutObject s3:AbortMultipartUpload s3:GetObject s3:DeleteObject", f"{bucket}/{self._prefix}/*"),
            ("s3:ListBucket s3:ListBucketMultipartUploads", bucket),
        ]
        policy = [{"Effect": "Allow", "Action": actions.split(), "Resource": resource} for actions, resource in may]
        assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": self.role}
        self._user = self.aws.user(USER, [assume])
        trust = f"arn:aws:iam::{self.aws.account}:user/{USER}"
        made = self.aws.role(self.role.rpartition("/")[2], policy, trust=trust, external_id=self._external_id)
        if made != self.role:
            raise ValueError(f"the sample pipeline names the role {self.role}, but it became {made}")


def _rows(told: Mapping[str, Any], paths: list[Path], like: pa.Table) -> pa.Table:
    """The rows of the files in the types of a table; a column that it does not have is an error."""
    names = [column["name"] for column in told["columns"]]
    if names != like.column_names:
        raise ReadBackError(f"the columns are {names} instead of {like.column_names}")
    listed = [str(path) for path in paths]
    with duckdb.connect() as reader:
        reader.execute("SET TimeZone = 'UTC'")
        reader.register("expected", like)
        reader.execute("CREATE TABLE files AS FROM expected LIMIT 0")
        if told["format"] == "parquet":
            reader.execute("INSERT INTO files FROM read_parquet($listed, hive_partitioning = false)", {"listed": listed})
        elif listed:
            types = {name: kind for name, kind, *_ in reader.sql("DESCRIBE files").fetchall()}
            # Quotes tell the empty text from null.
            options = "header = true, allow_quoted_nulls = false, hive_partitioning = false"
            reader.execute(f"INSERT INTO files FROM read_csv($listed, columns = {types}, {options})", {"listed": listed})
        return reader.sql(f'FROM files ORDER BY "{names[0]}"').to_arrow_table()
