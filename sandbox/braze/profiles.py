"""The profiles: found by any identifier, created on first use, attributes kept as JSON text (rows S5 and S8)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sandbox.braze import attributes
from sandbox.braze.activity import Activity
from sandbox.braze.contacts import Contacts
from sandbox.braze.identity import IdentityKey
from sandbox.braze.wire import decode_object, encode

_EMPTY = b"{}"


class Profile:
    """One user, named by the identifier that created it (``key``).

    Objects are kept as sent and folded into the stored attributes when somebody reads them or the next one comes.
    """

    __slots__ = ("_pending", "_stored", "activity", "created", "key", "number", "updated")

    def __init__(self, number: int, key: IdentityKey, created: float) -> None:
        self.number = number
        self.key = key
        self.created = created
        self.updated = 0
        self.activity: Activity | None = None
        self._stored: bytes = _EMPTY
        self._pending: bytes | None = None

    @property
    def braze_id(self) -> str:
        """Twenty-four hexadecimal digits, as in the recordings."""
        return f"{self.number + 1:024x}"

    def write(self, sent: bytes) -> None:
        """Apply one attribute object, given as JSON text."""
        if self._pending is not None:
            self.document()
        self._pending = sent

    def document(self) -> bytes:
        """The attributes as one JSON object in UTF-8."""
        if self._pending is not None:
            self._stored = encode(attributes.applied(decode_object(self._stored), decode_object(self._pending)))
            self._pending = None
        return self._stored

    def attributes(self) -> dict[str, Any]:
        """The attributes as Python values (a fresh dictionary)."""
        return decode_object(self.document())

    def identifiers(self) -> dict[str, Any]:
        """External id, aliases and Braze id, in the shape of an export."""
        key = self.key
        named: dict[str, Any] = {"external_id": key} if isinstance(key, str) else {}
        named["user_aliases"] = [] if len(key) != 3 or isinstance(key, str) else [{"alias_name": key[2], "alias_label": key[1]}]
        named["braze_id"] = self.braze_id
        return named

    def sort_key(self) -> tuple[int, tuple[str, ...]]:
        """External ids first, then aliases by label and name, then users known by e-mail or phone alone."""
        if isinstance(self.key, str):
            return (0, (self.key,))
        return (1 if self.key[0] == "alias" else 2, self.key)


class AttributeWrite(NamedTuple):
    """An accepted attribute object: whose, whether it may create the user, and its JSON text."""

    key: IdentityKey
    update_only: bool
    sent: bytes
    names_contact: bool


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
    """All profiles. Times are epoch seconds."""

    def __init__(self) -> None:
        self.skipped = 0
        self._profiles: list[Profile] = []
        self._by_key: dict[IdentityKey, Profile] = {}
        self._contacts: Contacts[Profile] | None = None
        self._writes = 0

    def __len__(self) -> int:
        return len(self._profiles)

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._profiles)

    def find(self, key: IdentityKey) -> Profile | None:
        """The profile that an identifier reaches; of several with one address, the one Braze would take."""
        if key.__class__ is str or key[0] == "alias":
            return self._by_key.get(key)
        if key[0] == "braze_id":
            return self._by_braze_id(key[1])
        found = self._all_contacts().find(key)
        return min(found, key=lambda profile: (not isinstance(profile.key, str), -profile.updated), default=None)

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

    def write(self, write: AttributeWrite, now: float) -> None:
        """Apply one attribute object."""
        profile = self.resolve(write.key, write.update_only, now)
        if profile is None:
            return
        if self._contacts is None or not write.names_contact:
            profile.write(write.sent)
            return
        self._contacts.remove(profile, profile.attributes())
        profile.write(write.sent)
        self._contacts.add(profile, profile.attributes())

    def _create(self, key: IdentityKey, now: float) -> Profile:
        profile = Profile(len(self._profiles), key, now)
        self._profiles.append(profile)
        if isinstance(key, str) or key[0] == "alias":
            self._by_key[key] = profile
        else:
            profile.write(encode({key[0]: key[1]}))
            self._all_contacts().add(profile, {key[0]: key[1]})
        return profile

    def _by_braze_id(self, braze_id: str) -> Profile | None:
        try:
            number = int(braze_id, 16) - 1
        except ValueError:
            return None
        known = 0 <= number < len(self._profiles) and len(braze_id) == 24
        return self._profiles[number] if known else None

    def _all_contacts(self) -> Contacts[Profile]:
        # Built at the first use of an address: most loads never name one, and the index costs memory and time.
        if self._contacts is None:
            self._contacts = Contacts()
            for profile in self._profiles:
                self._contacts.add(profile, profile.attributes())
        return self._contacts
