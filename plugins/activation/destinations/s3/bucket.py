"""The bucket as one export sees it: what lies there, who wrote it, and what may be removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from activation.destinations.s3.calls import DENIED, GONE, address, client_errors, code
from activation.destinations.s3.errors import as_error
from activation.destinations.s3.upload import RUN
from activation.errors import ConfigurationError


class DeniedError(ConfigurationError):
    """The role may not do this; some rights can be done without."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that lies in the bucket.

    :ivar etag: as S3 gives it.
    :ivar run: the mark of the run that wrote it; empty if it says nothing of one.
    """

    etag: str
    run: str


class Bucket:
    """A bucket, through a boto3 client of S3 that is handed in.

    Each method raises an :class:`~activation.errors.ActivationError` for what is not said of it.
    """

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name

    def read(self, key: str) -> bytes | None:
        """The content of an object; ``None`` if there is none.

        :raises DeniedError: if the role may not read it. S3 says the same of an absent one to a role that may not list.
        """
        action = f"Reading {address(self.name, key)}"
        try:
            content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        except client_errors() as error:
            if code(error) in GONE:
                return None
            raise _known(error, action) from None
        return content

    def look(self, key: str) -> Stored | None:
        """What lies under a key; ``None`` if nothing does, or the role may not know."""
        try:
            head = self.client.head_object(Bucket=self.name, Key=key)
        except client_errors() as error:
            if code(error) in GONE | DENIED:
                return None
            raise as_error(error, f"Looking at {address(self.name, key)}") from None
        return Stored(head["ETag"], head.get("Metadata", {}).get(RUN, ""))

    def remove(self, key: str) -> bool:
        """Remove an object, if there is one; ``False`` if the role may not."""
        try:
            self.client.delete_object(Bucket=self.name, Key=key)
        except client_errors() as error:
            if code(error) in DENIED:
                return False
            raise as_error(error, f"Removing {address(self.name, key)}") from None
        return True

    def keys(self, start: str) -> Iterator[str]:
        """The keys that begin so, in order.

        :raises DeniedError: if the role may not list.
        """
        for page in self._pages("list_objects_v2", start, f"Listing {address(self.name, start)}*"):
            yield from (one["Key"] for one in page.get("Contents", ()))

    def uploads(self, start: str) -> Iterator[tuple[str, str]]:
        """Key and id of the multipart uploads under way whose keys begin so.

        :raises DeniedError: if the role may not list them.
        """
        for page in self._pages("list_multipart_uploads", start, f"Listing the uploads below {address(self.name, start)}"):
            yield from ((one["Key"], one["UploadId"]) for one in page.get("Uploads", ()))

    def abort(self, key: str, upload: str) -> None:
        """Abort a multipart upload, if it is still under way.

        :raises DeniedError: if the role may not.
        """
        try:
            self.client.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload)
        except client_errors() as error:
            if code(error) != "NoSuchUpload":
                raise _known(error, f"Aborting the upload of {address(self.name, key)}") from None

    def _pages(self, operation: str, start: str, action: str) -> Iterator[dict[str, Any]]:
        pages = iter(self.client.get_paginator(operation).paginate(Bucket=self.name, Prefix=start))
        while True:
            try:
                page = next(pages, None)
            except client_errors() as error:
                raise _known(error, action) from None
            if page is None:
                return
            yield page


def _known(error: Exception, action: str) -> Exception:
    known = as_error(error, action)
    if code(error) in DENIED and isinstance(known, ConfigurationError):
        return DeniedError(known.problem, known.fix)
    return known
