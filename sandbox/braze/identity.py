"""Which user an object names (row S5)."""

from typing import Any

from sandbox.braze import contract
from sandbox.braze.wire import Head

IdentityKey = str | tuple[str, str] | tuple[str, str, str]
"""A plain string is an external id (the common case costs no allocation); otherwise ``("alias", label, name)``,
``("braze_id", id)``, ``("email", address)`` or ``("phone", number)``."""

_SAFE_CHARACTERS = contract.EXTERNAL_ID_BYTES // 4


class ObjectRefused(Exception):
    """One object breaks a rule; the rest of the request is not touched. ``reason``: documented name and sentence."""

    def __init__(self, reason: tuple[str, str]) -> None:
        super().__init__(reason)
        self.reason = reason


def identify(head: Head) -> IdentityKey:
    """The one usable identifier of an object.

    An external id, an alias or a Braze id must stand alone among the three; e-mail and phone identify only where none
    of them is given, e-mail first. Numbers are accepted as external ids, as in the recordings.

    Raises:
        ObjectRefused: none, more than one, or an unusable one.
    """
    external_id = head.external_id
    if external_id is not None:
        if head.user_alias is not None or head.braze_id is not None:
            raise ObjectRefused(contract.IDENTIFIERS_CLASH)
        return _external_id(external_id)
    if head.user_alias is not None:
        if head.braze_id is not None:
            raise ObjectRefused(contract.IDENTIFIERS_CLASH)
        return alias_key(head.user_alias)
    if usable(head.braze_id):
        return ("braze_id", head.braze_id)
    if usable(head.email):
        return ("email", head.email)
    if usable(head.phone):
        return ("phone", head.phone)
    raise ObjectRefused(contract.IDENTIFIER_MISSING)


def alias_key(alias: Any) -> IdentityKey:
    """The key of a ``user_alias`` object.

    Raises:
        ObjectRefused: a half is missing.
    """
    if isinstance(alias, dict):
        name, label = alias.get("alias_name"), alias.get("alias_label")
        if isinstance(name, str) and isinstance(label, str) and name and label:
            return ("alias", label, name)
    raise ObjectRefused(contract.ALIAS_INCOMPLETE)


def updates_only(head: Head, key: IdentityKey) -> bool:
    """Whether the object may not create its user: as it says, else true for an alias; always for a Braze id."""
    if key.__class__ is str:
        return head.update_existing_only is True
    if key[0] == "braze_id":
        return True
    if key[0] == "alias":
        return head.update_existing_only is not False
    return head.update_existing_only is True


def by_address(key: IdentityKey) -> bool:
    """Whether a key is an e-mail address or a phone number, which several profiles may share."""
    return key.__class__ is not str and key[0] in ("email", "phone")


def usable(value: Any) -> bool:
    """Whether a value can be an identifier: a string that is not empty."""
    return isinstance(value, str) and value != ""


def _external_id(value: Any) -> str:
    if value.__class__ is int:
        value = str(value)
    if value.__class__ is not str or not value:
        raise ObjectRefused(contract.IDENTIFIER_MISSING)
    if len(value) > _SAFE_CHARACTERS and len(value.encode()) > contract.EXTERNAL_ID_BYTES:
        raise ObjectRefused(contract.EXTERNAL_ID_TOO_LARGE)
    return str(value)
