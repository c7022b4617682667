"""The profiles: found by any identifier, created on first use, deleted for good (rows S5, S8 and S13)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sandbox.braze.attributes import Dropped, Folding
from sandbox.braze.contacts import Contacts
from sandbox.braze.identity import IdentityKey
from sandbox.braze.limits import Attributes
from sandbox.braze.profile import Profile
from sandbox.braze.wire import encode


class AttributeWrite(NamedTuple):
    """An accepted attribute object: whose, whether it may create the user, its JSON text, and new addresses in it."""

    key: IdentityKey
    update_only: bool
    sent: bytes
    contact: dict[str, Any] | None


class ActivityWrite(NamedTuple):
    """An accepted event or purchase; ``number`` is the quantity, ``revenue`` price times quantity (zero for events)."""

    key: IdentityKey
    update_only: bool
    sent: bytes
    name: str
    time: datetime
    number: int = 1
    revenue: float = 0


class ProfileStore:
    """All profiles. Times are epoch seconds; ``request`` is the number of the request that writes."""

    def __init__(self, rules: Attributes) -> None:
        self.skipped = 0
        self.deleted = 0
        self._folding = Folding(rules)
        self._profiles: list[Profile | None] = []
        self._by_key: dict[IdentityKey, Profile] = {}
        self._contacts: Contacts[Profile] | None = None
        self._writes = 0

    def __len__(self) -> int:
        return len(self._profiles) - self.deleted

    def __iter__(self) -> Iterator[Profile]:
        return (profile for profile in self._profiles if profile is not None)

    def change(self, rules: Attributes) -> None:
        """Use other rules for the requests to come."""
        if rules != self._folding.rules:
            self._fold()
            self._folding.rules = rules

    def dropped(self) -> list[Dropped]:
        """What was dropped silently, in the order of the requests."""
        self._fold()
        return sorted(self._folding.dropped, key=lambda drop: drop.request)

    def find(self, key: IdentityKey) -> Profile | None:
        """The profile that an identifier reaches; of several with one address, the one Braze would take."""
        if key.__class__ is str or key[0] == "alias":
            return self._by_key.get(key)
        if key[0] == "braze_id":
            return self._by_braze_id(key[1])
        return min(self.holders(key), key=lambda found: (not isinstance(found.key, str), -found.updated), default=None)

    def holders(self, key: IdentityKey) -> list[Profile]:
        """All profiles with the address of an ``email`` or ``phone`` key."""
        return self.contacts().find(key)

    def resolve(self, key: IdentityKey, update_only: bool, now: float) -> Profile | None:
        """Find the profile or create it; ``None`` (counted in ``skipped``) where it may not be created."""
        profile = self.find(key)
        if profile is None:
            if update_only:
                self.skipped += 1
                return None
            profile = self._create(key, now)
        self._writes += 1
        profile.updated = self._writes
        return profile

    def write(self, write: AttributeWrite, now: float, request: int) -> None:
        """Apply one attribute object."""
        profile = self.resolve(write.key, write.update_only, now)
        if profile is None:
            return
        profile.write(write.sent, request)
        if self._contacts is not None and write.contact is not None:
            self._contacts.change(profile, write.contact)

    def delete(self, profile: Profile) -> None:
        """Remove a profile. Its identifiers are free again; its Braze id is never used a second time."""
        profile.document()
        self._profiles[profile.number] = None
        self._by_key.pop(profile.key, None)
        if self._contacts is not None:
            self._contacts.forget(profile)
        self.deleted += 1

    def contacts(self) -> Contacts[Profile]:
        """The index of addresses. Built at the first use: most loads name none, and it costs memory and time."""
        if self._contacts is None:
            self._contacts = Contacts()
            for profile in self:
                self._contacts.change(profile, profile.attributes())
        return self._contacts

    def _create(self, key: IdentityKey, now: float) -> Profile:
        profile = Profile(len(self._profiles), key, now, self._folding)
        self._profiles.append(profile)
        if isinstance(key, str) or key[0] == "alias":
            self._by_key[key] = profile
        else:
            address = {key[0]: key[1]}
            profile.write(encode(address), request=0)
            self.contacts().change(profile, address)
        return profile

    def _by_braze_id(self, braze_id: str) -> Profile | None:
        try:
            number = int(braze_id, 16) - 1
        except ValueError:
            return None
        known = 0 <= number < len(self._profiles) and len(braze_id) == 24
        return self._profiles[number] if known else None

    def _fold(self) -> None:
        for profile in self:
            profile.document()
