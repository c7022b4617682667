"""The source contract: columns of every type become members of a payload, whatever the engine calls the types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from activation.destinations.braze.encoder import ItemsEncoder
from activation.destinations.braze.kinds import KINDS, Options
from activation.records.conversions import kind_of
from activation.records.layout import bind
from activation.records.mapping import mapped
from activation.spec.columns import Columns
from activation.warehouses.base import Warehouse
from tests.contracts.sources import EVERYTHING, Engine, Value
from tests.records import mapping_reference as reference
from tests.records.encoding import texts
from tests.records.reference import pairs_of


class MappingContract:
    """What the engine says of a column's type is understood, and what the payload holds is its value."""

    def test_f31_columns_of_every_type_are_mapped(self, engine: Engine, warehouse: Warehouse) -> None:
        values = {f"c{n}": value for n, value in enumerate(engine.values)}
        cursor = engine.cursors[0]
        table = engine.table({"id": "varchar", "u": cursor.type, **{name: one.type for name, one in values.items()}}, [])
        made = ", ".join(f"CAST({value.expression} AS {value.type})" for value in values.values())
        engine.execute(f"INSERT INTO {engine.sql(table)} SELECT 'u1', CAST('{cursor.literal(0)}' AS {cursor.type}), {made}")
        found = warehouse.columns(table)
        wanted = dict(_members({column.name: kind_of(column.type) for column in found}, values))
        assert len(wanted) > len(values) / 2
        fields = {f"f{name}": {"column": name} for name in wanted}
        chosen = Columns.model_validate({"identifiers": {"external_id": "id"}, "fields": fields})
        layout = bind(table, found, cursor="u", chosen=chosen)
        form = KINDS["attributes"].form(Options(lint=False))
        encoder = mapped(ItemsEncoder(form, layout.roles), chosen, layout, started=reference.STARTED)
        (batch,) = warehouse.batches(layout.extract, EVERYTHING)
        encoded = encoder.encode(batch)
        encoder.close()
        assert [(one.code, one.message) for one in encoded.rejected] == []
        payload = reference.decimals(pairs_of(texts(encoded)[0]))
        assert dict(payload["pairs"]) == {"external_id": "u1", **{f"f{name}": value for name, value in wanted.items()}}


def _members(kinds: Mapping[str, str], values: Mapping[str, Value]) -> Iterator[tuple[str, object]]:
    """Column -> its value in the payload; without those that JSON has no value for, such as infinity."""
    for name, value in values.items():
        with suppress(reference.Broken):
            yield name, reference.convert(kinds[name], value.text)
