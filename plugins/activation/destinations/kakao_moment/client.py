"""What can be done with the customer files of an ad account: list, register, edit, delete, and ask who uses one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from typing_extensions import Self

from activation.destinations.kakao_moment.answers import Answer, Verdict
from activation.destinations.kakao_moment.files import CustomerFile, id_of, in_use, read_files
from activation.destinations.kakao_moment.settings import Account, Api, Generation
from activation.destinations.kakao_moment.table import TABLE, Resource, Table
from activation.destinations.kakao_moment.wire import Call, Sleep, Wire
from activation.errors import ActivationError, ConfigurationError, TransientError

MOST_PAUSE = 900
"""Seconds that an answer can demand; after a longer demand the task fails and Airflow's retries decide."""

Look = Callable[[], Awaitable[int | None]]
"""Looks whether a write whose answer was lost has been carried out: the file's id, or ``None`` if it has not."""


class Client:
    """The customer files of one ad account. An asynchronous context manager; belongs to one event loop.

    Every method repeats a call whose answer says that it may succeed later, with growing pauses, and raises
    :class:`~activation.errors.TransientError` once that was in vain, and :class:`~activation.errors.ConfigurationError` where a
    person must do something.

    :param api: which generation of the resource is used; ``auto`` goes on to the newer one where the older was shut down, and
        stays with it.
    :param sleep: waits that many seconds.
    :ivar table: what is known of Kakao Moment.
    :ivar generation: the one in use.
    :ivar retries: calls that were repeated.
    """

    def __init__(self, account: Account, table: Table = TABLE, api: Api = "auto", *, sleep: Sleep = asyncio.sleep) -> None:
        self.account, self.table = account, table
        self.generation: Generation = "customer_files" if api == "auto" else api
        self.retries = 0
        self._auto = api == "auto"
        self._others: list[Generation] = ["customer_data"] if api == "auto" else []
        self._wire, self._sleep = Wire(account, table, sleep), sleep

    async def __aenter__(self) -> Self:
        await self._wire.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._wire.close()

    async def files(self) -> list[CustomerFile]:
        """All customer files of the ad account that are not deleted."""

        def call(resource: Resource) -> Call:
            return Call(resource.list, f"list the customer files of the ad account {self.account.ad_account_id}")

        files = read_files((await self._done(call)).data, self._resource)
        if files is None:
            raise ConfigurationError(
                "Kakao Moment answered the list of customer files with something else than an array of files.",
                "Check the list route in the connection's extra field table.",
            )
        return [file for file in files if file.state not in self.table.states.deleted]

    async def register(self, name: str, paths: Sequence[Path], lost: Look) -> int | None:
        """Make a customer file of CSV parts.

        :param lost: asked before a call is repeated that may have been carried out: see :data:`Look`.
        :returns: the file's id; ``None`` if the answer does not tell it.
        """

        def call(resource: Resource) -> Call:
            return Call(resource.register, f"register {name!r}", self._fields(resource, name), paths)

        answer = await self._done(call, lost)
        return answer.found if answer.found is not None else id_of(answer.data, self._resource)

    async def edit(self, file: CustomerFile, paths: Sequence[Path], lost: Look) -> None:
        """Replace all ids of a customer file.

        :param lost: as with :meth:`register`: a file that is being modified refuses a second edit.
        """

        def call(resource: Resource) -> Call:
            route = resource.edit.replace("{id}", str(file.id))
            return Call(route, f"edit {file.name!r} ({file.id})", self._fields(resource, file.name), paths)

        await self._done(call, lost)

    async def delete(self, file: CustomerFile) -> None:
        """Delete a customer file."""

        def call(resource: Resource) -> Call:
            return Call(resource.delete.replace("{id}", str(file.id)), f"delete {file.name!r} ({file.id})")

        async def gone() -> int | None:
            return None if any(other.id == file.id for other in await self.files()) else file.id

        await self._done(call, gone)

    async def is_used(self, file: CustomerFile) -> bool:
        """Whether targeting uses a customer file; where the answer cannot be read, it counts as used."""

        def call(resource: Resource) -> Call:
            return Call(resource.usages.replace("{id}", str(file.id)), f"ask who uses {file.name!r} ({file.id})")

        return in_use((await self._done(call)).data)

    async def accounts(self) -> int:
        """How many ad accounts the token may see. Needs no ad account."""
        answer = await self._insist(Call(self.table.api.accounts, "list the ad accounts", needs_account=False))
        total = answer.data.get("totalElements") if isinstance(answer.data, dict) else None
        return total if isinstance(total, int) else 0

    @property
    def _resource(self) -> Resource:
        return self.table.customer_files if self.generation == "customer_files" else self.table.customer_data

    def _fields(self, resource: Resource, name: str) -> Mapping[str, str]:
        return {self.table.api.name_part: name, **resource.form}

    async def _done(self, call: Callable[[Resource], Call], lost: Look | None = None) -> Answer:
        """Make a call; where this generation was shut down, with the other one."""
        while True:
            tried = self.generation
            answer = await self._insist(call(self._resource), lost)
            if answer.verdict is Verdict.DONE:
                return answer
            if tried == self.generation:
                self.generation = self._other(answer)

    def _other(self, answer: Answer) -> Generation:
        if self._others:
            return self._others.pop()
        if self._auto and answer.error is not None:
            raise ConfigurationError(
                "Kakao Moment has shut down both generations of customer files that are known here.",
                "Look for a newer release; a route can be changed in the connection's extra field table.",
            )
        raise _error(answer)

    async def _insist(self, call: Call, lost: Look | None = None) -> Answer:
        """Repeat a call as often as that may help. Gives what was done, or that the generation was shut down."""
        pace, doubt = self.table.pace, False
        for attempt in range(pace.tries):
            self.retries += attempt > 0
            answer = await self._wire.call(call)
            if answer.verdict in (Verdict.DONE, Verdict.RETIRED):
                return answer
            # What is refused after an unanswered try may be refused because that one was carried out.
            doubt = (doubt or answer.unknown) and lost is not None
            over = answer.verdict is Verdict.REFUSED or (answer.pause or 0.0) > MOST_PAUSE
            if not over and (doubt or attempt + 1 < pace.tries):
                pause = min(pace.longest_pause, pace.first_pause * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
                await self._sleep(max(answer.pause or 0.0, pause))
            if doubt and lost is not None and (found := await lost()) is not None:
                return Answer(Verdict.DONE, found=found)
            if over:
                break
        raise _error(answer)


def _error(answer: Answer) -> ActivationError:
    return answer.error or TransientError("Kakao Moment did not answer.")
