"""The parts of one multipart upload that are on their way."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore, Lock
from typing import Any

from activation.destinations.s3.calls import address, client_errors, code
from activation.destinations.s3.errors import as_error
from activation.destinations.s3.settings import MOST_PARTS
from activation.errors import FatalError

log = logging.getLogger(__name__)


class Sending:
    """The parts of one multipart upload that are on their way.

    :param upload: its id.
    :param in_flight: parts at the same time.
    """

    def __init__(self, client: Any, place: Mapping[str, str], upload: str, in_flight: int) -> None:
        self._client, self._place, self.id = client, place, upload
        self._free = BoundedSemaphore(in_flight)
        self._threads = ThreadPoolExecutor(in_flight, thread_name_prefix="s3-part")
        self._lock = Lock()
        self._etags: dict[int, str] = {}
        self._failed: BaseException | None = None
        self.count = 0

    def send(self, buffer: io.BytesIO) -> None:
        """Send a part as soon as a thread is free.

        :raises ActivationError: what an earlier part came to.
        """
        self._free.acquire()
        if self._failed is not None or self.count == MOST_PARTS:
            self._free.release()
            self._check()
            raise FatalError(
                f"The object {self._place['Key']} is larger than {MOST_PARTS:,} parts hold. Let the pipeline cut smaller files."
            )
        self.count += 1
        self._threads.submit(self._part, self.count, buffer.getvalue())

    def parts(self) -> list[dict[str, Any]]:
        """Wait for all parts, and list them in their order.

        :raises ActivationError: what one of them came to.
        """
        self._threads.shutdown(wait=True)
        self._check()
        return [{"PartNumber": number, "ETag": self._etags[number]} for number in sorted(self._etags)]

    def abort(self) -> None:
        """Let no further part begin, wait for those on their way, and drop all of them."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        try:
            self._client.abort_multipart_upload(**self._place, UploadId=self.id)
        except client_errors() as error:  # the error that led here matters more
            if code(error) != "NoSuchUpload":
                what = as_error(error, f"Aborting the upload of {self._place['Key']}")
                log.warning("%s The next run of the pipeline aborts it.", what)

    def _part(self, number: int, body: bytes) -> None:
        try:
            if self._failed is None:
                answer = self._client.upload_part(**self._place, UploadId=self.id, PartNumber=number, Body=body)
                with self._lock:
                    self._etags[number] = str(answer["ETag"])
        except BaseException as error:  # noqa: BLE001 - it goes to the thread that writes
            action = f"Writing part {number} of {address(self._place['Bucket'], self._place['Key'])}"
            with self._lock:
                known = isinstance(error, client_errors())
                self._failed = self._failed or (as_error(error, action) if known else error)
        finally:
            self._free.release()

    def _check(self) -> None:
        if self._failed is not None:
            raise self._failed
