"""The part of a run that talks to Kakao Moment: looks before it reads, uploads, and finds what an earlier list left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from activation.destinations.kakao_moment.edit import edit, find_one
from activation.destinations.kakao_moment.leftovers import Leftover, remove_earlier, stale_parts
from activation.destinations.kakao_moment.plan import Planned, check_name, plan
from activation.destinations.kakao_moment.register import named, register
from activation.destinations.kakao_moment.registered import Keep, Registered
from activation.errors import ConfigurationError
from activation.hooks.kakao_moment import KakaoMomentHook
from activation.operators.kakao_memory import KakaoMemory, Sent
from activation.records.advertising_ids import PartFile
from activation.spec import KakaoDestination

if TYPE_CHECKING:
    from activation.destinations.kakao_moment.client import Client
    from activation.destinations.kakao_moment.table import Limits

log = logging.getLogger(__name__)


def limit_of(to: KakaoDestination, limits: Limits) -> int:
    """Most bytes of a customer file.

    :raises ConfigurationError: if the pipeline says more than Kakao takes.
    """
    if to.file.limit is not None and to.file.limit > limits.request_bytes:
        raise ConfigurationError(
            f"destination.file.limit is {to.file.limit:,d} bytes, more than the {limits.request_bytes:,} that Kakao takes.",
            "Lower it, or change limits.request_bytes in the connection's extra field table if Kakao says so.",
        )
    return int(to.file.limit or limits.request_bytes)


class Upload:
    """The account of one pipeline. Every call opens its own connection.

    :param to: with rendered templates.
    :raises ConfigurationError: if the Airflow connection is incomplete.
    """

    def __init__(self, to: KakaoDestination) -> None:
        self._to, self._wanted = to, to.file.id or to.file_name
        self._hook = KakaoMomentHook(to.connection, ad_account_id=to.ad_account_id, api=to.output.api)
        self.limits: Limits = self._hook.table().limits

    def look(self) -> dict[str, int]:
        """Look at the account before anything is read.

        :returns: how many files it has, and how many it may have.
        :raises ConfigurationError: if the token is no good, the name cannot be, is taken, or names no one file to edit.
        """
        return asyncio.run(self._look())

    def planned(self, parts: Sequence[PartFile], limit_bytes: int) -> list[Planned]:
        """Which files the parts become."""
        return plan(self._to.file_name, parts, self.limits, limit=limit_bytes, first_index=self._to.file.first_index)

    def __call__(self, planned: Sequence[Planned], report: dict[str, Any], memory: KakaoMemory) -> Sent:
        """Make the files, or replace the ids of one, but for what an earlier try has done.

        :param report: what to keep of the list.
        :returns: the files, and what is kept of the list that they hold, which may be that of an earlier try.
        """
        return asyncio.run(self._upload(planned, report, memory))

    def stale(self, files: Sequence[Registered]) -> list[dict[str, Any]]:
        """Parts of an earlier and larger list, as the report shows them; removed if the pipeline says so.

        :param files: those of the run, all sent.
        """
        return _told(asyncio.run(self._stale(files))) if self._to.over_limit == "split" else []

    def remove(self, earlier: Collection[tuple[str, int]], files: Sequence[Registered]) -> list[dict[str, Any]]:
        """Delete what earlier runs have made, and show it as the report does.

        :param earlier: the API by which each file was sent, and its id.
        :param files: those of the run, all sent.
        """
        return _told(asyncio.run(self._remove(earlier, files)))

    async def _look(self) -> dict[str, int]:
        check_name(self._to.file_name, self.limits)
        async with self._hook.get_conn() as client:
            files = await client.files()
        if self._to.mode == "edit":
            file = find_one(files, self._wanted, self._to.ad_account_id)
            if not named([file], self._to.file_name):
                log.warning(
                    "The customer file %s of destination.file.id is called %r, not %r as destination.file_name says; "
                    "it is edited, and keeps its name.",
                    *(file.id, file.name, self._to.file_name),
                )
        elif taken := named(files, self._to.file_name) if self.limits.names_unique else []:
            raise ConfigurationError(
                f"There already is a customer file {self._to.file_name!r} ({taken[0].id}).",
                "Write mode: edit to replace its ids, or put the day into destination.file_name, such as VIP {{ ds }}.",
            )
        return {"files": len(files), "of": self.limits.files_per_account}

    async def _upload(self, planned: Sequence[Planned], report: dict[str, Any], memory: KakaoMemory) -> Sent:
        before = memory.load()
        kept = before.files if before is not None else ()
        now = Sent(report)
        async with self._hook.get_conn() as client:
            files = await self._send(client, planned, kept, lambda items: memory.save(replace(now, files=tuple(items))))
            retried = client.retries
        same = [file.sha256 for file in files] == [one.sha256 for one in planned]
        held = now if same or before is None else before
        done = Sent({**held.report, "retried": retried}, tuple(files))
        memory.save(done)
        return done

    async def _send(self, client: Client, planned: Sequence[Planned], kept: Sequence[Registered], keep: Keep) -> list[Registered]:
        if self._to.mode == "edit":
            return await edit(client, self._wanted, planned[0], kept, keep)
        return await register(client, planned, kept, keep)

    async def _stale(self, files: Sequence[Registered]) -> list[Leftover]:
        remove, first = self._to.file.stale_parts == "delete", self._to.file.first_index
        async with self._hook.get_conn() as client:
            return await stale_parts(client, self._to.file_name, files, first_index=first, delete=remove)

    async def _remove(self, earlier: Collection[tuple[str, int]], files: Sequence[Registered]) -> list[Leftover]:
        async with self._hook.get_conn() as client:
            return await remove_earlier(client, earlier, files)


def _told(found: Sequence[Leftover]) -> list[dict[str, Any]]:
    """What is left of earlier runs, as the report shows it; the log tells it too."""
    for one in found:
        level = logging.INFO if one.became == "deleted" else logging.WARNING
        log.log(level, "The customer file %r (%s) is left from an earlier run: %s %s", one.name, one.id, one.became, one.why)
    return [asdict(one) for one in found]
