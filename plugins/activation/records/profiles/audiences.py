"""The audiences as memberships need them: what a mapped one carries beside its status is written once a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from activation.errors import ConfigurationError
from activation.records.profiles.rules import NAMESPACE, MessageRules

_STAMPS = {
    "createdAt": "created",
    "updatedAt": "updated",
    "mappingCreatedAt": "mapping_created",
    "mappingUpdatedAt": "mapping_updated",
}
"""Key of a membership -> column, milliseconds since the epoch (contracts: kinesis 1.5)."""


def known_audiences(audiences: pa.Table, fresh: tuple[str, ...], rules: MessageRules) -> pa.Table:
    """What the statements know of each audience.

    :param audiences: columns ``id``, ``name``, ``merge_policy``, ``created``, ``updated``, ``namespace``, ``mapped`` (bool),
        ``mapping_created``, ``mapping_updated``; times in milliseconds since the epoch.
    :param fresh: the ids of those that were mapped newly.
    :returns: columns ``id``, ``namespace``, ``merge_policy``, ``mapped``, ``fresh``, and ``more``: the members that the toggles
        add to a mapped audience, each with a comma before it.
    :raises ConfigurationError: if an audience stands there twice, or if a mapped one lacks what a toggle adds.
    """
    rows = audiences.to_pylist()
    twice = [name for name, times in Counter(row["id"] for row in rows).items() if times > 1]
    if twice:
        raise ConfigurationError(
            f"The table of audiences has more than one row with the ID {twice[0]}.", "Leave one row of each ID, in a view."
        )
    columns = {
        "id": [row["id"] for row in rows],
        "namespace": [row["namespace"] or NAMESPACE for row in rows],
        "merge_policy": [row["merge_policy"] for row in rows],
        "mapped": [bool(row["mapped"]) for row in rows],
        "fresh": [row["id"] in set(fresh) for row in rows],
        "more": [_more(row, rules) if row["mapped"] else "" for row in rows],
    }
    kinds = {"mapped": pa.bool_(), "fresh": pa.bool_()}
    return pa.table({name: pa.array(values, kinds.get(name, pa.string())) for name, values in columns.items()})


def _more(row: Mapping[str, Any], rules: MessageRules) -> str:
    """Names and timestamps go with mapped audiences only (contracts: kinesis 1.5, truth table)."""
    values = {key: row[column] for key, column in _STAMPS.items()} if rules.timestamps else {}
    if rules.names:
        values["name"] = row["name"]
    for key, value in values.items():
        if value is None:
            toggle = "segment_names" if key == "name" else "segment_timestamps"
            raise ConfigurationError(
                f"The mapped audience {row['id']} has no {_STAMPS.get(key, key).upper()}, which its memberships carry as {key}.",
                f"Fill in the column in the table of audiences, or write message: {{{toggle}: false}}.",
            )
    return "".join(f",{json.dumps(key)}:{json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
