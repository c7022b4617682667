"""Writes the files of a list into a folder, for accounts without rights for the API (contracts: kakao_moment 6.3)."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from airflow.sdk import ObjectStoragePath

from activation.destinations.kakao_moment.plan import names_of
from activation.errors import ConfigurationError, TransientError
from activation.spec import KakaoDestination

log = logging.getLogger(__name__)

_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]')
_AT_ONCE = 8 * 1024 * 1024


class Written(Protocol):
    """A file on the worker's disk."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def ids(self) -> int:
        """How many ids it holds."""


@dataclass(frozen=True, slots=True)
class KakaoFolder:
    """The folder of a pipeline.

    :param to: with rendered templates, and a path.
    """

    to: KakaoDestination

    def names(self, count: int) -> list[str]:
        """The names of so many files: those that the API would give them."""
        return [f"{name}.csv" for name in names_of(_NOT_IN_NAMES.sub("-", self.to.file_name), count, self.to.file.first_index)]

    def __call__(self, files: Sequence[Written]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Write the files under their names, in place of older ones.

        :returns: the files, and those that an earlier and larger list has left behind, as the report shows them.
        :raises ConfigurationError: if there is no way into such a folder.
        :raises TransientError: if one cannot be written; a retry writes all of them again.
        """
        try:
            folder = ObjectStoragePath(str(self.to.output.path))
            folder.mkdir(parents=True, exist_ok=True)
            found = [self._copy(file, folder / name) for file, name in zip(files, self.names(len(files)), strict=True)]
            return found, [self._stale(one) for one in self._left(folder, len(files))]
        except (ValueError, ImportError) as error:
            raise ConfigurationError(
                f"destination.output.path names a storage that cannot be reached: {error}.",
                "Correct it, or install the provider of that storage, such as apache-airflow-providers-amazon[s3fs].",
            ) from None
        except OSError as error:
            raise TransientError(f"The files could not be written to {self.to.output.path}: {error}") from error

    def _copy(self, file: Written, target: ObjectStoragePath) -> dict[str, Any]:
        size = file.path.stat().st_size
        with file.path.open("rb") as content, target.open("wb") as place:  # type: ignore[no-untyped-call]
            shutil.copyfileobj(content, place, _AT_ONCE)
        log.info("Wrote %s ids, %s bytes to %s", f"{file.ids:,}", f"{size:,}", target)
        return {"name": target.name, "id": None, "ids": file.ids, "bytes": size, "status": "written", "population": None}

    def _left(self, folder: ObjectStoragePath, count: int) -> list[ObjectStoragePath]:
        """Files of the same name with a number beyond those that were written."""
        if self.to.over_limit != "split":
            return []
        own = set(self.names(count))
        like = re.compile(re.escape(self.names(1)[0].removesuffix(".csv")) + r"_(\d+)\.csv")
        beyond = self.to.file.first_index + count - 1
        found = [one for one in folder.iterdir() if (match := like.fullmatch(one.name)) and int(match[1]) >= beyond]
        return sorted((one for one in found if one.name not in own), key=lambda one: one.name)

    def _stale(self, one: ObjectStoragePath) -> dict[str, Any]:
        if self.to.file.stale_parts == "delete":
            one.unlink()
        became = "deleted" if self.to.file.stale_parts == "delete" else "left"
        log.warning("The file %s is left from an earlier list: %s", one, became)
        return {"name": one.name, "id": None, "became": became, "why": ""}
