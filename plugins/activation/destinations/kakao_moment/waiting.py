"""Wait until Kakao has looked up the users of all files of a run (contracts: kakao_moment 2.4)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.files import CustomerFile
from activation.destinations.kakao_moment.registered import Registered
from activation.destinations.kakao_moment.wire import Sleep
from activation.errors import FatalError, TransientError

GRACE = 3
"""Looks for which a file may be missing from the list, or an edited one may look as before."""

Progress = Callable[[Mapping[str, str]], None]
"""Told the state of each file by its name whenever one has changed."""


class Watch:
    """What was seen of the files of a run so far.

    :param items: the files, all ``sent``.
    """

    def __init__(self, client: Client, items: Sequence[Registered]) -> None:
        self._states, self._items = client.table.states, items
        self._as_before: dict[str, int] = {}
        self._moved: set[str] = set()
        self.seen: dict[str, str] = {}

    def look(self, files: Sequence[CustomerFile]) -> list[CustomerFile] | None:
        """Judge a list.

        :returns: the files in the order of the run, once all are ready; else ``None``.
        :raises FatalError: if one failed, or is gone.
        """
        by_id = {file.id: file for file in files}
        found = [(item, by_id.get(item.id or 0)) for item in self._items]
        self.seen = {item.name: file.state if file else "missing" for item, file in found}
        ended = [file for item, file in found if self._ready(item, file)]
        if failed := [f"{item.name!r} ({item.id}): {self.seen[item.name]}" for item, file in found if self._lost(item, file)]:
            raise FatalError(
                f"Kakao Moment could not make a target of {', '.join(failed)}. Look at the file in Kakao Moment, "
                "and check that its ids are advertising ids of users."
            )
        return [file for file in ended if file] if len(ended) == len(self._items) else None

    def _lost(self, item: Registered, file: CustomerFile | None) -> bool:
        if file is None:
            return self._patient(item)
        return file.state in self._states.failed and (self._is_new(item, file) or self._patient(item))

    def _ready(self, item: Registered, file: CustomerFile | None) -> bool:
        if file is not None and file.state in self._states.pending:
            self._moved.add(item.name)
        if file is None or file.state not in self._states.ready:
            return False
        return self._is_new(item, file) or self._patient(item)

    def _is_new(self, item: Registered, file: CustomerFile) -> bool:
        """Whether the state is of the ids that were sent; for a moment it may still be of those before."""
        return file.version not in item.seen or item.name in self._moved

    def _patient(self, item: Registered) -> bool:
        """Whether there were enough looks."""
        self._as_before[item.name] = self._as_before.get(item.name, 0) + 1
        return self._as_before[item.name] > GRACE


async def wait(
    client: Client,
    items: Sequence[Registered],
    *,
    until: float,
    poll: float = 60.0,
    progress: Progress | None = None,
    sleep: Sleep = asyncio.sleep,
    now: Callable[[], float] = time.time,
) -> list[CustomerFile]:
    """Look again and again until all files of a run are ready.

    :param items: the files, all ``sent``.
    :param until: seconds since the epoch after which the wait is over.
    :param poll: seconds between two looks.
    :raises FatalError: if Kakao could not make a target of one, or it is gone.
    :raises TransientError: if it takes longer; a later attempt can go on waiting.
    :raises ConfigurationError: if the token is no longer good.
    """
    watch, told, trouble = Watch(client, items), dict[str, str](), ""
    while True:
        try:
            files, trouble = await client.files(), ""
        except TransientError as error:
            files, trouble = None, f" The last look failed: {error}"
        ended = watch.look(files) if files is not None else None
        if progress is not None and watch.seen != told:
            progress(told := dict(watch.seen))
        if ended is not None:
            return ended
        if now() + poll > until:
            pending = ", ".join(f"{name!r}: {state}" for name, state in watch.seen.items())
            raise TransientError(f"Kakao Moment has not finished in time with {pending or 'any file'}.{trouble}")
        await sleep(poll)
