"""A reader who goes by the manifest while an export is written anew again and again."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.destinations.s3.exporting import MANIFEST, Storage, plan


@pytest.mark.parametrize("denied", [False, True], ids=["", "without DeleteObject"])
def test_s_f2_a_reader_during_a_re_run_never_sees_a_mix(storage: Storage, denied: bool) -> None:
    wanted, words = plan(storage.bucket), "abcdef"
    storage.proxy.faults({"match": "^DELETE ", "n": 999 * denied, "do": "AccessDenied"})
    storage.export(wanted, 30, word=words[0])
    ended = threading.Event()
    seen: list[set[str]] = []

    def reader() -> None:
        client = storage.aws.client("s3")
        while not ended.is_set():
            seen.extend(_read_by_manifest(client, storage.bucket))

    thread = threading.Thread(target=reader)
    thread.start()
    try:
        for word in words[1:]:
            storage.export(wanted, 30, word=word)
            before = len(seen)
            _wait(lambda before=before: len(seen) > before)
    finally:
        ended.set()
        thread.join(60)
    assert [one for one in seen if len(one) != 1] == []
    assert {*words[1:]} <= set[str]().union(*seen)


def _read_by_manifest(client: Any, bucket: str) -> Iterator[set[str]]:
    """The words of the rows that a reader gets who reads the manifest, then the parts, then the manifest again.

    A set of ``!`` says that a part was not as the manifest said. Nothing, if there was no complete manifest, or it changed.
    """

    def get(key: str) -> bytes:
        return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())

    try:
        manifest = get(MANIFEST)
        files = json.loads(manifest)["files"]
        parts = [get(file["key"]) for file in files]
        if not files or get(MANIFEST) != manifest:
            return
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchKey"
        return
    told = [file["sha256"] for file in files] == [hashlib.sha256(part).hexdigest() for part in parts]
    yield {line.split('"')[1][0] for part in parts for line in part.decode().splitlines()[1:]} if told else {"!", "mix"}


def _wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        time.sleep(0.05)
