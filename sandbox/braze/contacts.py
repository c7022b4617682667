"""Profiles by e-mail address and phone number (row S5). Several profiles may share one."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from sandbox.braze.identity import IdentityKey

_P = TypeVar("_P")


class Contacts(Generic[_P]):
    """An index that its owner keeps up to date: ``remove`` with the old attributes, ``add`` with the new ones."""

    def __init__(self) -> None:
        self._profiles: dict[tuple[str, str], list[_P]] = {}

    def find(self, key: IdentityKey) -> list[_P]:
        """The profiles that hold the address of an ``email`` or ``phone`` key."""
        return self._profiles.get((key[0], _normal(key[1])), [])

    def add(self, profile: _P, attributes: Mapping[str, Any]) -> None:
        """Take in the addresses among a profile's attributes."""
        for address in _addresses(attributes):
            holders = self._profiles.setdefault(address, [])
            if profile not in holders:
                holders.append(profile)

    def remove(self, profile: _P, attributes: Mapping[str, Any]) -> None:
        """Forget the addresses among a profile's former attributes."""
        for address in _addresses(attributes):
            holders = self._profiles.get(address, [])
            if profile in holders:
                holders.remove(profile)


def _addresses(attributes: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = ((kind, attributes.get(kind)) for kind in ("email", "phone"))
    return [(kind, _normal(value)) for kind, value in found if isinstance(value, str)]


def _normal(address: str) -> str:
    return address.lower()  # C, live: Braze compares e-mail addresses in lower case
