"""Waits until Kakao Moment has looked up the users of customer files (contracts: kakao_moment 2.4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from activation.destinations.kakao_moment.settings import Api
from activation.errors import ActivationError

NOTICED = 6.0
"""Seconds until a worker has noticed that its task was deferred: ``[workers] min_heartbeat_interval`` is 5 s."""


class KakaoMomentTrigger(BaseTrigger):
    """Looks at the files of a run until all are ready, one has failed, or the time is over.

    Its event is ``{"status": "ready", "files": [{"id", "status", "population"}, …]}``, or ``{"status": "failed", "kind",
    "arguments"}`` with the class and the arguments of the error.

    :param connection: the Airflow connection; nothing of it is kept here.
    :param api: ``auto``, or a generation of Kakao's resource.
    :param files: the files, as :meth:`activation.destinations.kakao_moment.registered.Registered.to_json` gives them.
    :param poll: seconds between two looks.
    :param until: seconds since the epoch after which the wait is over.
    """

    def __init__(
        self, *, connection: str, ad_account_id: str, api: Api, files: Sequence[Mapping[str, Any]], poll: float, until: float
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.connection, self.ad_account_id, self.api = connection, ad_account_id, api
        self.files = [dict(one) for one in files]
        self.poll, self.until = poll, until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The class and its arguments, as Airflow keeps them."""
        names = ("connection", "ad_account_id", "api", "files", "poll", "until")
        return "activation.triggers.kakao_moment.KakaoMomentTrigger", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait; gives one event."""
        try:
            ready = await self._wait()
        except ActivationError as error:
            yield _event({"status": "failed", "kind": type(error).__name__, "arguments": [*error.args]})
        else:
            yield _event({"status": "ready", "files": ready})

    async def _wait(self) -> list[dict[str, Any]]:
        from activation.destinations.kakao_moment.registered import Registered
        from activation.destinations.kakao_moment.waiting import wait
        from activation.hooks.kakao_moment import KakaoMomentHook

        hook = KakaoMomentHook(self.connection, ad_account_id=self.ad_account_id, api=self.api)
        items = [Registered.from_json(one) for one in self.files]

        def told(states: Mapping[str, str]) -> None:
            self.log.info("Waiting for %s", ", ".join(f"{name!r}: {state}" for name, state in states.items()))

        # An event that comes before the worker has noticed its own deferral would cost the task a try.
        await asyncio.sleep(min(self.poll, NOTICED))
        async with await sync_to_async(hook.get_conn)() as client:
            files = await wait(client, items, until=self.until, poll=self.poll, progress=told, now=time.time)
        return [{"id": file.id, "status": file.state, "population": file.population} for file in files]


def _event(payload: dict[str, Any]) -> TriggerEvent:
    return TriggerEvent(payload)  # type: ignore[no-untyped-call]
