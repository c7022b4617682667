"""How many requests are handled at the same time, and whether two of them touch one user.

A request is *handled* from the moment its body is read until its answer is ready. Without latency that is a very short
time; give the server a few milliseconds to see what a client really sends side by side. A user is the identifier as
sent: the same person named once by external id and once by e-mail counts as two.
"""

from collections.abc import Set

from sandbox.braze.identity import IdentityKey


class Concurrency:
    """Running counts; cheap, because users are compared as whole sets."""

    def __init__(self) -> None:
        self.highest = 0
        self.violations = 0
        self._active = 0
        self._busy: set[IdentityKey] = set()
        self._shared: dict[IdentityKey, int] = {}

    def enter(self) -> None:
        """A request starts."""
        self._active += 1
        self.highest = max(self.highest, self._active)

    def leave(self, users: Set[IdentityKey]) -> None:
        """A request ends; ``users`` is what it claimed (empty if nothing)."""
        self._active -= 1
        if self._shared:
            for user in users & self._shared.keys():
                self._shared[user] -= 1
                if not self._shared[user]:
                    del self._shared[user]
                users = users - {user}
        self._busy -= users

    def claim(self, users: Set[IdentityKey]) -> None:
        """The request in hand touches these users; each that another one holds is a violation."""
        if not self._busy.isdisjoint(users):
            for user in self._busy & users:
                self.violations += 1
                self._shared[user] = self._shared.get(user, 0) + 1
        self._busy |= users

    def reset(self) -> None:
        """Forget the counts, not the requests that are being handled."""
        self.highest = self._active
        self.violations = 0
