"""Profiles without a server around them."""

import json
from typing import Any

from sandbox.braze.identity import IdentityKey
from sandbox.braze.limits import Attributes
from sandbox.braze.profiles import AttributeWrite, ProfileStore


def write(store: ProfileStore, key: IdentityKey, update_only: bool = False, **attributes: Any) -> None:
    contact = {kind: attributes[kind] for kind in ("email", "phone") if kind in attributes}
    store.write(AttributeWrite(key, update_only, json.dumps(attributes).encode(), contact or None), now=0, request=1)


def test_index_of_addresses_is_built_late_and_kept_up_to_date() -> None:
    store = ProfileStore(Attributes())
    write(store, "a", email="a@b.io")
    write(store, "a", plan="free")
    found = store.find(("email", "A@b.io"))  # the first look at an address builds the index
    assert found is not None
    assert found.key == "a"
    write(store, "a", email=None)
    assert store.find(("email", "a@b.io")) is None
    write(store, "b", phone="+1")
    found = store.find(("phone", "+1"))
    assert found is not None
    assert found.attributes() == {"phone": "+1"}


def test_braze_ids_name_profiles_and_nothing_else() -> None:
    store = ProfileStore(Attributes())
    write(store, "a")
    write(store, ("alias", "label", "name"))
    second = store.find(("alias", "label", "name"))
    assert second is not None
    assert store.find(("braze_id", second.braze_id)) is second
    for unknown in ("", "x", "1", "0" * 24, "0" * 23 + "9", second.braze_id + "0"):
        assert store.find(("braze_id", unknown)) is None


def test_skipped_writes_leave_no_trace() -> None:
    store = ProfileStore(Attributes())
    write(store, "a", update_only=True, plan="free")
    assert (len(store), store.skipped) == (0, 1)
