"""One object of an export: a small one is one PutObject, a larger one a multipart upload by several threads."""

from __future__ import annotations

import io
import logging
import uuid
from typing import Any

from activation.destinations.s3.calls import UNMET, address, asking, client_errors, code, taken
from activation.destinations.s3.errors import as_error
from activation.destinations.s3.sending import Sending
from activation.destinations.s3.settings import ObjectSettings, part_size
from activation.errors import TransientError

log = logging.getLogger(__name__)

RUN = "activation-run"
"""The metadata that names the run that wrote an object."""

WRITE = "activation-write"
"""The metadata that names the very write, so that one whose answer was lost is known again."""


class Upload:
    """Writes one object; nothing is to be seen of it before :meth:`finish`, and nothing stays after :meth:`abort`.

    Faults that pass are repeated by the client itself, as it is configured. One thread at a time may call it.

    :param client: a boto3 client of S3; it is used by several threads.
    """

    def __init__(self, client: Any, bucket: str, key: str, settings: ObjectSettings) -> None:
        self._client, self._place, self._settings = client, {"Bucket": bucket, "Key": key}, settings
        self._buffer = io.BytesIO()
        self._size = settings.transfer.part_size
        self._write = uuid.uuid4().hex
        self._sending: Sending | None = None
        self.written = 0
        """Bytes so far."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes; waits while as many parts are in flight as may be.

        :raises ActivationError: what a part of this object came to; nothing of the object stays.
        """
        view = memoryview(data).cast("B")
        self.written += len(view)
        try:
            while len(view):
                if self._buffer.tell() == self._size:
                    self._send()
                room = self._size - self._buffer.tell()
                self._buffer.write(view[:room])
                view = view[room:]
        except BaseException:
            self.abort()
            raise

    def finish(self) -> str:
        """Make the object visible.

        :returns: its ETag, without the quotes that S3 puts around it.
        :raises KeyTakenError: if the settings' condition does not hold; nothing is overwritten then.
        :raises ActivationError: anything else that AWS answered; nothing is visible, and nothing stays.
        """
        try:
            return (self._put() if self._sending is None else self._complete(self._sending)).strip('"')
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Drop what was written. It may be called at any time, also twice; what S3 answers is logged, not raised."""
        self._buffer = io.BytesIO()
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.abort()

    def _send(self) -> None:
        if self._sending is None:
            self._sending = Sending(self._client, self._place, self._created(), self._settings.transfer.in_flight)
        self._sending.send(self._buffer)
        self._buffer = io.BytesIO()
        self._size = part_size(self._sending.count + 1, self._settings.transfer.part_size)

    def _created(self) -> str:
        with asking(self._action):
            return str(self._client.create_multipart_upload(**self._place, **self._said())["UploadId"])

    def _put(self) -> str:
        body = self._buffer.getvalue()
        self._buffer = io.BytesIO()
        try:
            return str(self._client.put_object(**self._place, **self._said(), **self._settings.condition(), Body=body)["ETag"])
        except client_errors() as error:
            return self._settled(error)

    def _complete(self, sending: Sending) -> str:
        sending.send(self._buffer)
        self._buffer = io.BytesIO()
        parts = {"Parts": sending.parts()}
        try:
            answer = self._client.complete_multipart_upload(
                **self._place, UploadId=sending.id, MultipartUpload=parts, **self._settings.condition()
            )
        except client_errors() as error:
            etag = self._settled(error)
        else:
            etag = str(answer["ETag"])
        self._sending = None
        return etag

    def _said(self) -> dict[str, Any]:
        encryption = self._settings.encryption
        return {
            "ContentType": self._settings.content_type,
            "Metadata": {RUN: self._settings.run, WRITE: self._write},
            **({} if encryption is None else encryption.parameters()),
        }

    def _settled(self, error: Exception) -> str:
        """The ETag if it was this write that succeeded, and its answer was lost; otherwise raise what the error means."""
        said = code(error)
        if said in UNMET | {"NoSuchUpload"} and (etag := self._mine()) is not None:
            return etag
        if said in UNMET:
            raise taken(self._place["Bucket"], self._place["Key"]) from None
        if said in {"ConditionalRequestConflict", "409"}:
            text = f"{self._action} failed: another writer wrote it at the same time. Fix: let the run try again."
            raise TransientError(text) from None
        raise as_error(error, self._action) from None

    def _mine(self) -> str | None:
        try:
            head = self._client.head_object(**self._place)
        except client_errors() as error:
            log.debug("No look at %s: %s", self._place["Key"], code(error))
            return None
        return str(head["ETag"]) if head.get("Metadata", {}).get(WRITE) == self._write else None

    @property
    def _action(self) -> str:
        return f"Writing {address(self._place['Bucket'], self._place['Key'])}"
