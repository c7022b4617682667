"""The check that goes before every measurement: what arrived is, object for object, what a plain reading of the table gives."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def differences(expected: Iterable[dict[str, Any]], bodies: Iterable[bytes]) -> list[str]:
    """Compare what should have arrived with the requests that did.

    :param expected: the objects, one a user.
    :param bodies: the bodies of all requests.
    :returns: what is wrong, a line for each kind of fault; empty if the content is exact.
    """
    wanted = {one["external_id"]: _text(one) for one in expected}
    seen: dict[str, str] = {}
    faults: dict[str, list[str]] = {"came twice": [], "came though no row asks for it": [], "differ": [], "are missing": []}
    for body in bodies:
        for one in json.loads(body)["attributes"]:
            user = str(one.get("external_id"))
            if user in seen:
                faults["came twice"].append(user)
            elif user not in wanted:
                faults["came though no row asks for it"].append(user)
            elif wanted[user] != _text(one):
                faults["differ"].append(user)
            seen[user] = ""
    faults["are missing"] = [user for user in wanted if user not in seen]
    return [f"{len(users):,} objects {fault}, the first is {users[0]}" for fault, users in faults.items() if users]


def _text(one: dict[str, Any]) -> str:
    """A form in which 1, 1.0 and true are different things, as they are in JSON."""
    return json.dumps(one, sort_keys=True, ensure_ascii=False)
