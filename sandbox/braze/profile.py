"""One user's profile; its attributes are kept as JSON text (row S9)."""

from typing import Any

from sandbox.braze.activity import Activity
from sandbox.braze.attributes import Folding
from sandbox.braze.identity import IdentityKey
from sandbox.braze.wire import decode_object

_EMPTY = b"{}"


class Profile:
    """One user, named by the identifier that created it (``key``).

    Objects are kept as sent and folded into the stored attributes when somebody reads them or another request comes:
    the objects of one request belong together.
    """

    __slots__ = ("_folding", "_pending", "_request", "_stored", "activity", "created", "key", "number", "updated")

    def __init__(self, number: int, key: IdentityKey, created: float, folding: Folding) -> None:
        self.number = number
        self.key = key
        self.created = created
        self.updated = 0
        self.activity: Activity | None = None
        self._folding = folding
        self._request = 0
        self._stored: bytes = _EMPTY
        self._pending: bytes | list[bytes] | None = None

    @property
    def braze_id(self) -> str:
        """Twenty-four hexadecimal digits, as in the recordings."""
        return f"{self.number + 1:024x}"

    def write(self, sent: bytes, request: int) -> None:
        """Apply one attribute object, given as JSON text; ``request`` says which objects came together."""
        pending = self._pending
        if pending is not None and request == self._request:
            self._pending = [*pending, sent] if isinstance(pending, list) else [pending, sent]
            return
        if pending is not None:
            self.document()
        self._pending = sent
        self._request = request

    def document(self) -> bytes:
        """The attributes as one JSON object in UTF-8."""
        pending = self._pending
        if pending is not None:
            group = pending if isinstance(pending, list) else [pending]
            self._stored = self._folding.folded(self.key, self._request, self._stored, group)
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
