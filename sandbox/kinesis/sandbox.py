"""The server as a process of its own, for ``with``, and what tests and the demo ask of it."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote

import msgspec

from sandbox.airflow import guard
from sandbox.environments import ROOT, clean
from sandbox.kinesis import contract
from sandbox.kinesis.reader import Read, read_stream
from sandbox.tls import private_authority

_START_SECONDS = 60
_KEY, _SECRET = "test", "test"
"""Of the one who may ask unless other ``keys`` are given."""


class Record(NamedTuple):
    """A record as the server keeps it; ``arrival`` in seconds since the epoch."""

    shard: str
    sequence: str
    key: str
    data: bytes
    arrival: float


class KinesisSandbox:
    """Kinesis on a free port of 127.0.0.1, in a process that lives while a ``with`` block lasts.

    :param shards: of a stream that is made without a number.
    :param limits: the real limits of a shard (``True``), none (``False``), or some: ``write_records``, ``write_bytes``,
        ``reads``, ``read_bytes`` a second, ``None`` for no limit; what is not named is real.
    :param tls: whether clients talk TLS, under a private authority whose certificate is :attr:`ca_file`.
    :param delay_ms: milliseconds before each answer.
    :param more: further switches of :class:`sandbox.kinesis.settings.Settings`: ``request_bytes``, ``shard_page``, ``keys``.
    :ivar url: the endpoint.
    """

    region, account = contract.REGION, contract.ACCOUNT

    def __init__(
        self,
        shards: int = 4,
        limits: bool | Mapping[str, float | None] = True,
        tls: bool = False,
        delay_ms: float = 0,
        **more: Any,
    ) -> None:
        rates = dict.fromkeys(("write_records", "write_bytes", "reads", "read_bytes")) if limits is False else limits
        given = {} if isinstance(rates, bool) else {"limits": rates}
        self._settings = {"shards": shards, "delay_ms": delay_ms, "keys": {_KEY: _SECRET}, **given, **more}
        self._tls = tls
        self.url = ""
        self.ca_file: str | None = None
        self._folder: Path | None = None
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> KinesisSandbox:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers.

        :raises RuntimeError: if it does not; shows what it printed.
        """
        self._folder = folder = Path(tempfile.mkdtemp(prefix="activation-kinesis-"))
        command = [sys.executable, guard.__file__, str(os.getpid()), "2", sys.executable, "-m", "sandbox.kinesis"]
        command += ["--settings", json.dumps(self._settings)]
        if self._tls:
            authority = private_authority(folder)
            self.ca_file = authority.ca_file
            command += ["--certificate", authority.certificate, "--private-key", authority.private_key]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True, env=clean()
            )
        assert self._process.stdout is not None  # noqa: S101 - for mypy
        ready, _, _ = select.select([self._process.stdout], [], [], _START_SECONDS)
        self.url = self._process.stdout.readline().strip() if ready else ""
        if not self.url:
            printed = (folder / "log").read_text(errors="replace")[-2000:]
            self.stop()
            raise RuntimeError(f"the Kinesis server does not answer; it printed last: {printed}")

    def stop(self) -> None:
        """End its process group and remove its files."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def client(
        self,
        *,
        access_key: str = _KEY,
        secret_key: str = _SECRET,
        endpoint_url: str | None = None,
        tries: int = 1,
        timeout: float = 30,
    ) -> Any:
        """A boto3 client of Kinesis.

        :param endpoint_url: where Kinesis is, instead of here; a fault proxy, say.
        :param tries: the first one included.
        :param timeout: seconds that it waits for an answer.
        """
        import boto3  # type: ignore[import-untyped,unused-ignore]
        from botocore.config import Config  # type: ignore[import-untyped,unused-ignore]

        return boto3.session.Session().client(
            "kinesis",
            region_name=self.region,
            endpoint_url=endpoint_url or self.url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            verify=self.ca_file,
            config=Config(connect_timeout=5, read_timeout=timeout, retries={"mode": "standard", "total_max_attempts": tries}),
        )

    def connection(self, *, access_key: str = _KEY, secret_key: str = _SECRET, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable, as JSON: an ``aws`` connection whose Kinesis (and STS) is here.

        :param extra: extra fields that replace or add to the usual ones, such as ``role_arn``.
        """
        place = {"endpoint_url": self.url}
        usual = {"region_name": self.region, "service_config": {"kinesis": place, "sts": place}}
        trust = {"verify": self.ca_file} if self.ca_file else {}
        fields = {"conn_type": "aws", "login": access_key, "password": secret_key, "extra": {**usual, **trust, **extra}}
        return json.dumps(fields)

    def environment(self) -> Mapping[str, str]:
        """Variables that a process needs: nothing is asked of a machine's metadata service, and TLS is trusted."""
        trust = {"AWS_CA_BUNDLE": self.ca_file} if self.ca_file else {}
        return {"AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": self.region, **trust}

    def arn(self, stream: str) -> str:
        """The ARN of a stream."""
        return f"arn:aws:kinesis:{self.region}:{self.account}:stream/{stream}"

    def create(self, stream: str, shards: int | None = None, *, max_record_kib: int | None = None) -> str:
        """Make a stream, which is active at once, and give its ARN.

        :param max_record_kib: its largest record, 1024 (as AWS makes it) to 10240.
        """
        count = {} if shards is None else {"ShardCount": shards}
        size = {} if max_record_kib is None else {"MaxRecordSizeInKiB": max_record_kib}
        self.client().create_stream(StreamName=stream, **count, **size)
        return self.arn(stream)

    def faults(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Add rules of what goes wrong, see :class:`sandbox.kinesis.faults.Fault`; the first that hits a request decides.

        :raises RuntimeError: if one of them is none.
        """
        self._call("POST", "faults", list(rules))

    def clear_faults(self) -> None:
        """Take all rules back."""
        self._call("DELETE", "faults")

    def change(self, **switches: Any) -> None:
        """Set ``limits`` (``True`` as at the start, ``False`` for none, or a mapping of some), ``delay_ms``, or
        ``status={stream: "UPDATING"}``."""
        self._call("PATCH", "settings", switches)

    def forget(self) -> None:
        """Forget counts and faults; streams and records stay."""
        self._call("POST", "forget")

    def records(self, stream: str) -> list[Record]:
        """All records that a stream holds, shard by shard in the order of writing, without any limit."""
        found = self._get(f"records?stream={quote(stream)}")
        return [Record(*one) for one in msgspec.msgpack.decode(found)]

    def reader(self, stream: str, *, idle: float | None = 1.0, stop: Callable[[], bool] | None = None) -> Iterator[Read]:
        """Read a stream from its beginning as a consumer does, see :func:`sandbox.kinesis.reader.read_stream`."""
        return read_stream(self.client(), stream, idle=idle, stop=stop)

    def calls(self) -> dict[str, int]:
        """Operation -> how often it was asked since the last :meth:`forget`, refusals and faults included."""
        return dict(self.summary()["calls"])

    def summary(self) -> dict[str, Any]:
        """``calls``; ``counts``: records ``taken``, ``throttled`` by a limit and ``failed`` by a fault, and error code ->
        requests refused with it; ``streams``: name -> shard id -> records."""
        found: dict[str, Any] = json.loads(self._get("summary"))
        return found

    def writes(self, stream: str) -> list[dict[str, Any]]:
        """The last 10,000 PutRecords that were carried out: ``records``, ``bytes`` (data and keys), ``failed``, ``at`` (seconds
        since the epoch)."""
        found: list[dict[str, Any]] = json.loads(self._get(f"writes?stream={quote(stream)}"))
        return found

    def _get(self, path: str) -> bytes:
        return self._call("GET", path)

    def _call(self, method: str, path: str, given: Any = None) -> bytes:
        trust = ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None
        data = None if given is None else json.dumps(given).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data=data, method=method)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
        try:
            with opener.open(request, timeout=60) as answer:
                content: bytes = answer.read()
                return content
        except HTTPError as error:
            raise RuntimeError(error.read().decode()) from None
