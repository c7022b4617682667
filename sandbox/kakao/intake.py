"""Uploads on their way to the disk: multipart bodies, or what a URL gives (C5)."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import BodyPartReader, MultipartReader, web

from sandbox.kakao.errors import Cut, Refused, business, refused
from sandbox.kakao.faults import Fault
from sandbox.kakao.settings import Settings
from sandbox.kakao.tally import Tally

_CHUNK: Final = 128 * 1024
_LONGEST_TEXT: Final = 64 * 1024
_FETCH_SECONDS: Final = 600


@dataclass
class Upload:
    """What was received, on the disk as it came.

    :ivar texts: the form's other fields.
    :ivar parts: of each file: ``path``, ``filename``, ``bytes`` and ``sha256``.
    """

    folder: Path
    texts: dict[str, str] = field(default_factory=dict)
    parts: list[dict[str, Any]] = field(default_factory=list)
    lines: int = 0
    valid: int = 0
    unique: int = 0

    @property
    def bytes(self) -> int:
        """Of all files together."""
        return sum(int(one["bytes"]) for one in self.parts)

    def remove(self) -> None:
        """Remove the files."""
        self.parts.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


class Intake:
    """Takes one upload.

    :param folder: is made for it.
    :param fault: ``reset_upload`` and ``slow_read`` happen here.
    """

    def __init__(self, folder: Path, settings: Settings, fault: Fault | None) -> None:
        folder.mkdir(parents=True)
        self.upload = Upload(folder)
        self._settings, self._how = settings, {} if fault is None else fault.how
        self._tally = Tally(folder, settings.ids)
        self._files = self._received = 0
        self._began = time.monotonic()
        self._problem: Refused | None = None

    async def read(self, request: web.BaseRequest) -> Upload:
        """Read a multipart body to its end, whatever is wrong with it.

        :raises Refused: if it is none, or its files are too many, too large, of another kind, empty or without any valid id.
        :raises Cut: if the fault says so.
        """
        try:
            await self._parts(request)
            return await self._finished()
        except BaseException:
            self._tally.drop()
            self.upload.remove()
            raise

    async def fetch(self, url: str) -> Upload | None:
        """Read what a URL gives; ``None`` if it gives nothing of use."""
        try:
            timeout = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, raise_for_status=True) as answer:
                await self._store(answer.content, Path(urlsplit(url).path).name, limited=False)
            return await self._finished()
        except (aiohttp.ClientError, TimeoutError, asyncio.TimeoutError, Refused):
            self._tally.drop()
            self.upload.parts.clear()
            return None

    async def _parts(self, request: web.BaseRequest) -> None:
        shape = self._settings.shape
        try:
            reader = MultipartReader(request.headers, request.content)
            while (part := await reader.next()) is not None:
                if not isinstance(part, BodyPartReader):
                    raise refused(-2, "A part of the form is a form itself.")
                if part.name == shape.file:
                    await self._file(part)
                else:
                    self.upload.texts[part.name or ""] = await _text(part)
        except (ValueError, KeyError, AssertionError) as error:  # no multipart body, or one that is cut off
            raise refused(-2, f"The body is no multipart form: {error}") from None

    async def _file(self, part: BodyPartReader) -> None:
        self._files += 1
        filename = part.filename or ""
        if self._files > self._settings.limits.parts:
            self._refuse("too_many_parts", f"A request takes {self._settings.limits.parts} files.")
        if not filename.lower().endswith(".csv"):
            self._refuse("not_csv", "Only CSV files are taken.")
        await self._store(part, filename, limited=True)

    async def _store(self, source: BodyPartReader | aiohttp.StreamReader, filename: str, *, limited: bool) -> None:
        path, size, digest = self.upload.folder / f"part-{self._files}.csv", 0, sha256()
        with path.open("wb") as file:
            while chunk := await (source.read_chunk(_CHUNK) if isinstance(source, BodyPartReader) else source.read(_CHUNK)):
                size += len(chunk)
                await self._pass(len(chunk))
                if limited and self._received > self._settings.limits.bytes:
                    self._refuse("too_large", f"A request takes {self._settings.limits.bytes} bytes of files.")
                if self._problem is None:
                    file.write(chunk)
                    digest.update(chunk)
                    self._tally.feed(chunk)
        self._tally.end_part()
        if not size:
            self._refuse("empty", "A file is empty.")
        self.upload.parts.append({"path": str(path), "filename": filename, "bytes": size, "sha256": digest.hexdigest()})

    async def _pass(self, size: int) -> None:
        """Count bytes of files, and do what a fault wants of them."""
        self._received += size
        if "bytes" in self._how and self._received >= self._how["bytes"]:
            raise Cut
        if "bytes_per_second" in self._how:
            ahead = self._received / float(self._how["bytes_per_second"]) - (time.monotonic() - self._began)
            await asyncio.sleep(max(0.0, ahead))

    async def _finished(self) -> Upload:
        if self._problem is None and not self.upload.parts:
            self._refuse("no_file", "There is no file.")
        if self._problem is None and not self._tally.valid:
            self._refuse("no_valid_id", "There is no valid advertising id.")
        if self._problem is not None:
            raise self._problem
        upload = self.upload
        upload.lines, upload.valid = self._tally.lines, self._tally.valid
        upload.unique = await asyncio.to_thread(self._tally.finish)
        return upload

    def _refuse(self, failure: str, message: str) -> None:
        """Remember the first thing that is wrong; the answer is given when the client has sent all."""
        if self._problem is None:
            self._problem = business(self._settings.shape.details[failure], message)


async def _text(part: BodyPartReader) -> str:
    value = b""
    while chunk := await part.read_chunk(_CHUNK):
        value += chunk[: _LONGEST_TEXT - len(value)]
    return value.decode(errors="replace")
