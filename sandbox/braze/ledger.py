"""What the server holds of users, and how accepted requests change it (rows S10 and S13)."""

from collections.abc import Sequence
from typing import NamedTuple

from sandbox.braze import contract
from sandbox.braze.activity import Activity, ActivityLog, count
from sandbox.braze.identity import IdentityKey, by_address
from sandbox.braze.limits import Attributes
from sandbox.braze.profile import Profile
from sandbox.braze.profiles import ActivityWrite, AttributeWrite, ProfileStore


class Batch(NamedTuple):
    """The accepted objects of one request."""

    attributes: Sequence[AttributeWrite] = ()
    events: Sequence[ActivityWrite] = ()
    purchases: Sequence[ActivityWrite] = ()

    def users(self) -> list[IdentityKey]:
        """The user of every object, as often as it is named."""
        return [write.key for writes in self for write in writes]


class Deletion(NamedTuple):
    """One user to delete; for an address, what to prefer where several profiles share it."""

    key: IdentityKey
    priorities: Sequence[str] = ()


class Ledger:
    """Profiles, events and purchases. The log of events outlives the profiles that they belong to."""

    def __init__(self, rules: Attributes) -> None:
        self.profiles = ProfileStore(rules)
        self.events = ActivityLog()
        self.purchases = ActivityLog()

    def apply(self, batch: Batch, now: float, request: int) -> None:
        """Carry out a track request at an epoch second."""
        # D: within a request Braze generally starts with attributes, then events, then purchases.
        if any(by_address(write.key) for write in batch.attributes):
            self.profiles.contacts()  # building it later would fold half of the request's objects
        write = self.profiles.write
        for attributes in batch.attributes:
            write(attributes, now, request)
        for event in batch.events:
            self._append(event, now, self.events, purchase=False)
        for purchase in batch.purchases:
            self._append(purchase, now, self.purchases, purchase=True)

    def delete(self, deletions: Sequence[Deletion], now: float, request: int) -> None:
        """Carry out a delete request."""
        for deletion in deletions:
            profile = self._chosen(deletion)
            if profile is not None:
                self.profiles.delete(profile)

    def _chosen(self, deletion: Deletion) -> Profile | None:
        if not by_address(deletion.key):
            return self.profiles.find(deletion.key)
        found = list(self.profiles.holders(deletion.key))
        for priority in deletion.priorities:
            if priority == contract.MOST_RECENT:
                found = sorted(found, key=lambda profile: profile.updated)[-1:]
            else:
                wanted = priority == contract.IDENTIFIED
                found = [profile for profile in found if isinstance(profile.key, str) == wanted] or found
        return found[0] if len(found) == 1 else None  # D: nobody is deleted when several remain

    def _append(self, write: ActivityWrite, now: float, log: ActivityLog, *, purchase: bool) -> None:
        profile = self.profiles.resolve(write.key, write.update_only, now)
        if profile is None:
            return
        log.append(profile.braze_id, write.sent, write.number)
        activity = profile.activity = profile.activity or Activity()
        count(activity.purchases if purchase else activity.events, write.name, write.time, write.number)
        activity.revenue += write.revenue
