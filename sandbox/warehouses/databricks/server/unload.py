"""INSERT OVERWRITE DIRECTORY to S3: Spark writes to a local folder, whose files go to an S3 endpoint, with Databricks' markers.

The forms of the markers and of Unity Catalog's refusals are those that users of the service report. Spark's own connector to S3
is left out: it is 300 MB of Java.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

_STATEMENT = re.compile(
    r"(?P<before>(?:/\*.*?\*/\s*)?INSERT OVERWRITE DIRECTORY )'s3://(?P<bucket>[^/']+)/(?P<prefix>[^']*)'(?P<rest> USING .*)",
    re.DOTALL,
)
_DENIED = "SQLSTATE: 42501"


@dataclass
class Storage:
    """The external locations of the metastore, and how writing to them goes.

    :ivar endpoint: of S3, which takes objects from everybody.
    :ivar locations: name -> URL.
    :ivar readonly: the principal lacks WRITE FILES.
    :ivar cut_after: fail when so many files are written, once.
    :ivar stray: leave a file of a failed task, which no commit lists.
    :ivar markers: whether there are Databricks' own, beside Spark's.
    :ivar hold: seconds that a statement takes before it writes.
    """

    endpoint: str = ""
    locations: dict[str, str] = field(default_factory=dict)
    readonly: bool = False
    cut_after: int | None = None
    stray: bool = False
    markers: bool = True
    hold: float = 0.0

    def check(self, url: str) -> None:
        """Raise what Unity Catalog says if the path must not be written."""
        inside = [name for name, start in self.locations.items() if url.startswith(start.rstrip("/") + "/")]
        if not inside:
            raise RuntimeError(f"PERMISSION_DENIED: No parent external location was found for path '{url}'. {_DENIED}")
        if self.readonly:
            raise RuntimeError(f"PERMISSION_DENIED: User does not have WRITE FILES on External Location '{inside[0]}'. {_DENIED}")

    def upload(self, bucket: str, prefix: str, folder: Path) -> None:
        """Put what Spark has written, the markers last."""
        transaction = str(uuid.uuid4().int % 10**19)
        files = sorted(one for one in folder.iterdir() if one.name[0] not in "._")
        if self.markers:
            self._put(bucket, f"{prefix}_started_{transaction}", b"")
        names = [one.name.replace("-c0", f"-tid-{transaction}-c0") for one in files]
        for number, (name, file) in enumerate(zip(names, files, strict=True)):
            if self.cut_after == number:
                self.cut_after = None
                raise RuntimeError("[TASK_WRITE_FAILED] Task failed while writing rows. SQLSTATE: 58030")
            self._put(bucket, prefix + name, file.read_bytes())
        if self.stray and files:
            self._put(bucket, prefix + names[0].replace("part-00000", "part-00009"), files[0].read_bytes())
        if self.markers:
            self._put(bucket, f"{prefix}_committed_{transaction}", json.dumps({"added": names, "removed": []}).encode())
        self._put(bucket, f"{prefix}_SUCCESS", b"")

    def _put(self, bucket: str, key: str, content: bytes) -> None:
        place = urlsplit(self.endpoint)
        client = http.client.HTTPConnection(place.hostname or "", place.port)
        try:
            client.request("PUT", f"/{bucket}/{quote(key)}", content)
            answer = client.getresponse()
            said = answer.read().decode(errors="replace")
        finally:
            client.close()
        if answer.status != 200:
            raise RuntimeError(f"java.nio.file.AccessDeniedException: s3://{bucket}/{key}: Status Code: {answer.status} {said}")


class Unload:
    """One statement that writes to S3.

    :ivar text: the same statement with a local folder.
    """

    def __init__(self, found: re.Match[str], storage: Storage, folder: Path) -> None:
        self._found, self._storage = found, storage
        self._folder = folder / f"unload-{uuid.uuid4().hex}"
        self.text = f"{found['before']}'file://{self._folder}/'{found['rest']}"

    def check(self) -> None:
        """Raise if it must not be run."""
        self._storage.check(f"s3://{self._found['bucket']}/{self._found['prefix']}")
        time.sleep(self._storage.hold)

    def finish(self) -> None:
        """Put the files, once Spark has written them."""
        try:
            self._storage.upload(self._found["bucket"], self._found["prefix"], self._folder)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


def unload_of(text: str, storage: Storage, folder: Path) -> Unload | None:
    """The statement that writes to S3; ``None`` if it does not."""
    found = _STATEMENT.fullmatch(text)
    return None if found is None else Unload(found, storage, folder)
