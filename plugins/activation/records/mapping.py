"""Makes the payload of rows that have none: ``columns.fields`` as one SQL projection over the batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from activation.records.arrays import to_numpy
from activation.records.columnar import Projection
from activation.records.conversions import CONVERSIONS, Conversion, kind_of
from activation.records.encoded import Encoded, Encoder, Rejected
from activation.records.layout import MAPPED_PAYLOAD, Layout
from activation.records.masking import masking
from activation.records.rules import Rule, first_broken
from activation.spec.columns import Columns
from activation.spec.fields import MappedField
from activation.warehouses.base import CURSOR, Column

MISSING = "payload_missing"
"""The code with which an encoder rejects a row without a payload."""


def mapped(encoder: Encoder, chosen: Columns, layout: Layout, *, started: str) -> Encoder:
    """Let an encoder find its payload in :data:`~activation.records.layout.MAPPED_PAYLOAD`.

    :param chosen: without fields the encoder comes back as it is.
    :param started: when the run began, ISO 8601.
    """
    return MappedEncoder(encoder, Plan(chosen.fields, layout.columns, started)) if chosen.fields else encoder


class MappedEncoder:
    """An :class:`~activation.records.encoded.Encoder` in front of another one."""

    def __init__(self, encoder: Encoder, plan: Plan) -> None:
        self._encoder, self._plan = encoder, plan
        self._project = Projection(plan.query(), (CURSOR, *plan.texts.values()))

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        """Make the payloads of a batch, and encode it; what another rule rejects first keeps that reason."""
        names = [CURSOR, *self._plan.texts]
        renamed = pa.record_batch([batch.column(name) for name in names], names=[CURSOR, *self._plan.texts.values()])
        table = self._project(renamed)
        payload = pa.concat_arrays(table["payload"].chunks) if batch.num_rows else pa.array([], pa.string())
        extended = pa.record_batch([*batch.columns, payload], names=[*batch.schema.names, MAPPED_PAYLOAD])
        encoded = self._encoder.encode(extended)
        if not encoded.rejected:
            return encoded
        bad = np.flatnonzero(to_numpy(table["broken"].is_valid(), np.bool_))
        broken = dict(zip(bad.tolist(), table["broken"].drop_null().to_pylist(), strict=True))
        return replace(encoded, rejected=tuple(self._reason(one, broken) for one in encoded.rejected))

    def _reason(self, one: Rejected, broken: Mapping[int, int]) -> Rejected:
        if one.code != MISSING or one.row not in broken:
            return one
        rule = self._plan.rules[broken[one.row]]
        return Rejected(one.row, rule.code, rule.message)

    def close(self) -> None:
        """Free the memory that the mapping and the encoding hold."""
        self._project.close()
        self._encoder.close()


@dataclass(frozen=True, slots=True)
class _Value:
    """The value of one field.

    :ivar json: SQL expression for its JSON, NULL where there is none.
    :ivar send_null: whether a JSON null is sent there.
    """

    json: str
    send_null: bool = False


class Plan:
    """What the fields of a payload are made of.

    :param nulls: what NULL does to a field that does not say; empty: as Braze takes it.
    :ivar texts: column of the table -> its name in the query, since names may differ in case only.
    :ivar rules: why rows are rejected, in the order of the fields.
    :ivar values: field -> SQL expression for its JSON, over :meth:`steps`.
    """

    def __init__(self, fields: Mapping[str, MappedField], columns: Mapping[str, Column], started: str, nulls: str = "") -> None:
        self._columns, self._started, self._nulls = columns, started, nulls
        self.texts: dict[str, str] = {}
        self.rules: list[Rule] = []
        self.values: dict[str, str] = {}
        self._steps: tuple[list[str], list[str]] = ([], [])
        self._tree: dict[str, Any] = {}
        for name, field in fields.items():
            *outside, last = name.split(".")
            place = self._tree
            for part in outside:
                place = place.setdefault(part, {})
            place[last] = value = self._value(name, field)
            self.values[name] = value.json

    def query(self) -> str:
        """SELECT the payload as JSON text, or NULL and the index of the rule that is broken."""
        return f"""SELECT broken, CASE WHEN broken IS NULL THEN '{{' || substr({self.members()}, 2) || '}}' END AS payload
            FROM (SELECT *, {first_broken(self.rules)} AS broken FROM {self.steps()})"""

    def steps(self) -> str:
        """What stands behind FROM: the columns of ``batch``, and those that rules and expressions use beside them."""
        steps = "batch"
        for step in self._steps:
            steps = f"(SELECT {', '.join(['*', *step])} FROM {steps})"
        return steps

    def members(self) -> str:
        """SQL expression for the members of the payload, each with a comma before it; the empty text if all are left out."""
        return f"concat({', '.join(_members(self._tree))})"

    def _value(self, name: str, field: MappedField) -> _Value:
        if field.constant is not None:
            return _Value(_literal(json.dumps(field.constant, ensure_ascii=False)))
        if field.moment is not None:
            return _Value(_literal(json.dumps(self._started.replace("+00:00", "Z"))))
        text, conversion, about = self._source(field)
        number = len(self._steps[0])
        clean, found = f"s{number}", f"v{number}"
        self._steps[0].append(f"{conversion.clean(text)} AS {clean}")
        self._steps[1].append(f"{conversion.json(clean)} AS {found}")
        if conversion.code:
            message = f"The field {name} cannot be made: {about} is not {conversion.fits}."
            self.rules.append(Rule(conversion.code, f"{clean} IS NOT NULL AND {found} IS NULL", message))
        nulls = field.nulls or self._nulls or ("skip" if "." in name else "send")
        if nulls == "reject":
            self.rules.append(Rule("value_missing", f"{found} IS NULL", f"The field {name} has no value: {about} is NULL."))
        return _Value(found, send_null=nulls == "send")

    def _source(self, field: MappedField) -> tuple[str, Conversion, str]:
        """The text that a field is made of, what is made of it, and how people call it."""
        if field.column is not None:
            column = self._columns[field.column]
            text, about, kind = self._text(column), f"the column {column.name}", field.as_ or kind_of(column.type)
        else:
            text, about, kind = " || ".join(self._template(field)), "a column of its template", "text"
        return text, masking(field.mask) if field.mask else CONVERSIONS[kind], about

    def _template(self, field: MappedField) -> Iterator[str]:
        for text, column in field.parts:
            yield _literal(text)
            if column:
                yield self._text(self._columns[column])

    def _text(self, column: Column) -> str:
        return self.texts.setdefault(column.name, f"c{len(self.texts)}")


def _members(tree: Mapping[str, Any]) -> Iterator[str]:
    """SQL expressions for the members of an object, each with a comma before it; NULL for what is left out."""
    for name, inner in tree.items():
        key = f",{json.dumps(name, ensure_ascii=False)}:"
        if isinstance(inner, _Value):
            yield f"{_literal(key)} || " + (f"coalesce({inner.json}, 'null')" if inner.send_null else inner.json)
        else:
            members = f"nullif(concat({', '.join(_members(inner))}), '')"
            yield f"{_literal(key + '{')} || substr({members}, 2) || '}}'"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
