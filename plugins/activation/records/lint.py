"""Finds what Braze takes with "success" and then drops in silence (contracts: braze 1.4): a look into nested values.

Walking through JSON costs many times what the rules of a row cost, so a cheap test finds the payloads that are worth it.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from activation.records.arrays import to_arrow
from activation.records.columnar import Projection
from activation.records.rules import Rule, first_broken

MOST_BYTES = 102_400
"""Bytes of an object or an array: "100 KB" of contracts: braze 1.4, read as 100 × 1,024; less could reject what is allowed."""

OPERATORS = ("$time", "$add", "$remove", "$update", "$identifier_key", "$identifier_value", "$new_object")
"""Keys that may begin with a dollar sign (1.4)."""

_ISO = '"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)? ?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"'
_is_time = f"regexp_full_match(text, '{_ISO}') AND TRY_CAST(substr(text, 2, 10) AS DATE) < DATE '3001-01-01'"
_inside = "path <> '$'"

RULES = (
    Rule(
        "nested_null",
        f"{_inside} AND type = 'NULL'",
        "A null stands inside a nested object or array; Braze would drop all nested updates of that attribute.",
    ),
    Rule(
        "nested_time_invalid",
        f"key = '$time' AND NOT coalesce({_is_time}, false)",
        'A {"$time": …} is no date in ISO 8601 up to the year 3000; Braze would drop the whole nested attribute.',
    ),
    Rule(
        "nested_key_invalid",
        rf"{_inside} AND (regexp_matches(key, '[ .]') OR (contains(key, '$') AND key NOT IN {OPERATORS}))",
        "A key inside a nested object holds a blank, a dot or a dollar sign; Braze would drop the nested attribute.",
    ),
    Rule(
        "nested_too_large",
        f"path = '$' AND type IN ('OBJECT', 'ARRAY') AND strlen(text) > {MOST_BYTES}",
        f"An object or an array has more than {MOST_BYTES:,} bytes; Braze would drop the update.",
    ),
)
"""Over the nodes of a payload: ``key``, ``type``, ``path`` of the parent and ``text``, its JSON."""

_text = r'(\\.|[^"\\])*'
_key = rf'\s*"{_text}[ .]{_text}"\s*:'
_nested = "json_extract(payload, '$.*')"
_null = "lambda value: (starts_with(value, '{') OR starts_with(value, '[')) AND contains(value, 'null')"
SUSPECT = rf"""CASE
    WHEN contains(payload, '$') OR contains(payload, '\u') OR strlen(payload) > {MOST_BYTES} THEN true
    WHEN contains(payload, 'null') AND len(list_filter({_nested}, {_null})) > 0 THEN true
    ELSE regexp_matches(payload, '\{{{_key}') OR regexp_matches(payload, ',{_key}') END"""
"""SQL condition over ``payload``, a JSON object: whether it may break a rule. One that it passes over breaks none."""


class Lint:
    """Looks into the payloads that :data:`SUSPECT` finds."""

    def __init__(self) -> None:
        broken = first_broken(RULES)
        self._project = Projection(
            f"""SELECT place, min(broken) AS broken FROM (
                    SELECT place, {broken} AS broken FROM (
                        SELECT batch.place, t.key, t.type, t.path, CAST(t.value AS VARCHAR) AS text
                        FROM batch, json_tree(batch.payload) AS t WHERE t.fullkey <> '$'))
                WHERE broken IS NOT NULL GROUP BY place""",
            ("place", "payload"),
        )

    def broken(self, payloads: pa.Array, suspects: np.ndarray) -> dict[int, Rule]:
        """Which rows break a rule.

        :param payloads: the payloads of a batch; those of the suspects are JSON objects.
        :param suspects: indexes of the rows to look at; shape (suspects,).
        :returns: index of the row -> the first rule that it breaks.
        """
        if not len(suspects):
            return {}
        rows = to_arrow(suspects)
        found = self._project(pa.record_batch([rows, payloads.take(rows)], names=["place", "payload"]))
        return {place: RULES[rule] for place, rule in zip(*(column.to_pylist() for column in found.columns), strict=True)}

    def close(self) -> None:
        """Free the memory that DuckDB holds."""
        self._project.close()
