"""Redshift's UNLOAD. It writes a manifest of its own behind the last file, by which a later try knows that it has ended well."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from activation.cursor.window import Window
from activation.errors import ConfigurationError, FatalError
from activation.warehouses.base import Extract, Warehouse
from activation.warehouses.redshift import DIALECT, RedshiftWarehouse, map_error
from activation.warehouses.unload.base import BY_ROWS, Objects, Target, Written
from activation.warehouses.unload.query import nested, query, quoted

WRITES = {
    ("parquet", "snappy"): "FORMAT PARQUET",
    ("csv", "none"): "FORMAT CSV HEADER",
    ("csv", "gzip"): "FORMAT CSV HEADER GZIP",
    ("csv", "zstd"): "FORMAT CSV HEADER ZSTD",
}
"""Format and compression -> option (AWS: UNLOAD, parameters). Its JSON is left out: how it writes instants is not documented."""

MANIFEST = {"name": "manifest", "files": "entries", "url": "url", "about": "meta", "rows": "record_count"}
"""The name of the manifest behind the prefix, and its keys with MANIFEST VERBOSE (AWS: UNLOAD, examples)."""

LEAST_MB, MOST_MB = 5, 6_200
"""Megabytes of a file (AWS: UNLOAD, MAXFILESIZE)."""

_MB = 1_000_000
_ROLES = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=.@/-]+(,arn:aws[a-z-]*:iam::\d{12}:role/[\w+=.@/-]+)*", re.ASCII)

_PLAIN = r"smallint|integer|bigint|real|double precision|date|character varying"
_PARQUET = replace(DIALECT, typed=rf"^({_PLAIN}|boolean|timestamp.*)$")
_CSV = replace(
    DIALECT,
    typed=rf"^({_PLAIN})$",
    # As our own files have it (contracts: s3_export 3.6); the session is in UTC.
    json=((r"^timestamp", 'TO_CHAR({column}, \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')'), *DIALECT.json),
)

_REFUSED = re.compile(r"S3ServiceException|Access ?Denied|assume role|not authorized|IAM|KMS|destination on S3", re.IGNORECASE)
_FIX = (
    "Attach the role of unload.credential to the cluster or workgroup, and let it (the last one of a chain) write below the path "
    "(s3:PutObject, s3:ListBucket, s3:GetBucketLocation) and use the key (kms:GenerateDataKey, kms:Decrypt)."
)


class RedshiftUnloader:
    """Lets Redshift write, over the warehouse's own connection.

    :param warehouse: an open :class:`~activation.warehouses.redshift.RedshiftWarehouse` that has answered a question already, so
        that its session is in UTC; no stream of it may be open.
    """

    name = "Redshift"

    def __init__(self, warehouse: Warehouse) -> None:
        assert isinstance(warehouse, RedshiftWarehouse)  # noqa: S101 - the registry says so
        self._client = warehouse.client

    def refusal(self, target: Target) -> str:
        """Why Redshift cannot write such files; empty if it can."""
        if (target.kind, target.compression) not in WRITES:
            can = ", ".join(f"{kind} with {compression}" for kind, compression in WRITES)
            return f"Redshift does not unload {target.kind} with {target.compression}; it writes {can}."
        if target.part_rows is not None:
            return f"Redshift {BY_ROWS}"
        if not _ROLES.fullmatch(target.credential):
            return "Redshift needs unload.credential: the ARN of an IAM role, or of several in a chain with a comma in between."
        if target.encryption == "aws:kms" and not target.key:
            return "Redshift needs the id or ARN of the key for SSE-KMS: access.kms_key."
        return ""

    def statement(self, extract: Extract, window: Window, target: Target) -> str:
        """The UNLOAD statement. It orders the rows of each file; how rows are dealt to files is Redshift's choice."""
        text = query(_PARQUET if target.kind == "parquet" else _CSV, extract, window)
        parts = [f"UNLOAD ({nested(text)}) TO {quoted(target.url)} IAM_ROLE {quoted(target.credential)}"]
        parts += [WRITES[target.kind, target.compression], "MANIFEST VERBOSE"]
        if target.part_bytes is not None:
            parts.append(f"MAXFILESIZE {min(max(target.part_bytes // _MB, LEAST_MB), MOST_MB)} MB")
        if target.key:
            parts.append(f"KMS_KEY_ID {quoted(target.key)} ENCRYPTED")
        if target.region:
            parts.append(f"REGION {quoted(target.region)}")
        return " ".join(parts)

    def submit(self, statement: str) -> str:
        """Run a statement to its end."""
        try:
            self._client.run(statement)
        except self._client.failures as error:
            known = map_error(error, (), self._client.user)
            problem = str(getattr(known, "problem", known)).replace("Connecting to", "Unloading from")
            if _REFUSED.search(problem):
                raise ConfigurationError(problem, _FIX) from None
            raise (ConfigurationError(problem, known.fix) if isinstance(known, ConfigurationError) else known) from None
        return ""

    def outcome(self, submitted: str, target: Target, objects: Objects) -> tuple[Written, ...] | None:
        """The files of the manifest that Redshift writes last; ``None`` if there is none."""
        content = objects.read(f"{target.url}{MANIFEST['name']}")
        return None if content is None else files_of(content)

    def cancel(self) -> None:
        """Stop what runs."""
        self._client.cancel()


def files_of(content: bytes) -> tuple[Written, ...]:
    """Read a manifest of Redshift.

    :raises FatalError: if it is none with the numbers of rows, or its sum differs from its files.
    """
    try:
        told: Mapping[str, Any] = json.loads(content)
        found = sorted(
            (Written(one[MANIFEST["url"]], int(one[MANIFEST["about"]][MANIFEST["rows"]])) for one in told[MANIFEST["files"]]),
            key=lambda file: file.url,
        )
        total = int(told[MANIFEST["about"]][MANIFEST["rows"]])
    except (ValueError, KeyError, TypeError) as error:
        raise FatalError(f"Redshift's manifest is not as documented ({type(error).__name__}: {error}).") from None
    if (summed := sum(file.rows or 0 for file in found)) != total:
        raise FatalError(f"Redshift's manifest says {total:,} rows, its files have {summed:,}.")
    return tuple(found)
