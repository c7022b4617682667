"""The source contract: which profiles have changed, and what is read of them (contracts: kinesis_profiles 1.3)."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from activation.cursor.timestamps import from_text
from activation.cursor.window import Window
from activation.errors import ActivationError, ConfigurationError, TransientError
from activation.warehouses.base import Warehouse
from activation.warehouses.profiles import ProfileTable, audiences_of
from tests.contracts.profile_tables import Profiles, ids_of, rows_of, ways
from tests.contracts.sources import DAY, SECOND, Engine, still_running

START = from_text("2026-07-01T00:00:00Z")
OLD, LOWER, INSIDE, UPPER, LATE = (START + day * DAY for day in range(5))
"""Instants that every type can hold: before the window, its edges, in it and after it."""

WINDOW = Window(LOWER, False, UPPER, nulls=False)
FIRST = replace(WINDOW, lower=None)
MICRO = 1_000

NAMES = ["none", "entered", "left", "other", "identity", "written", "unmapped", "stranger", "late", "old", "gone", "odd"]

SEVERAL = Profiles(
    profiles=[(name, INSIDE if name in ("written", "stranger") else OLD, f"n {name}", None) for name in NAMES],
    memberships=[
        ("none", OLD, "a1", "realized", OLD),
        ("entered", INSIDE, "a1", "realized", INSIDE),
        ("entered", OLD, "a9", "realized", OLD),
        ("left", INSIDE, "a2", "exited", OLD),
        ("other", INSIDE, "a9", "realized", OLD),
        ("other", OLD, "a1", "realized", OLD),
        ("identity", OLD, "a2", "realized", OLD),
        ("written", OLD, "a2", "realized", OLD),
        ("unmapped", OLD, "a1", "existing", OLD),
        ("late", LATE, "a2", "realized", OLD),
        ("old", LOWER, "a2", "realized", OLD),
        ("gone", OLD, "a1", "exiting", OLD),
        ("odd", OLD, "a1", "pending", None),
        ("odd", None, "a2", "realized", None),
        (None, INSIDE, "a1", "realized", OLD),
    ],
    identities=[
        ("identity", UPPER, "email", "x", "true", "false"),
        ("identity", None, "ecid", "1", None, "true"),
        ("stranger", INSIDE, "email", "y", None, None),
        ("none", LATE, "email", "z", "false", None),
        ("none", LOWER, "email", "z", "false", None),
        (None, INSIDE, "email", "z", "false", None),
    ],
    writes=[
        ("written", INSIDE, "name"),
        ("written", OLD, "name"),
        ("written", INSIDE, "height"),
        ("unmapped", INSIDE, "height"),
        ("stranger", INSIDE, "name"),
        ("gone", INSIDE, "home.city"),
        ("none", LATE, "name"),
    ],
)
"""Every reason for a change, and for each a row that is none."""


class ChangesContract:
    """A window gives exactly the profiles that changed in it, and all of each."""

    def test_kt_every_reason_and_no_other_is_a_change(self, engine: Engine, warehouse: Warehouse) -> None:
        read = SEVERAL.bound(engine, warehouse, "a1", "a2")
        for way in ways(read):
            assert ids_of(warehouse, way, WINDOW) == SEVERAL.changed(WINDOW, way), way.mode
        assert ids_of(warehouse, replace(read, mode="writes"), WINDOW) == ["entered", "gone", "identity", "left", "written"]
        assert ids_of(warehouse, read, WINDOW) == ["entered", "identity", "left", "written"]

    def test_kt7_a_newly_mapped_audience_gives_those_who_are_in_it(self, engine: Engine, warehouse: Warehouse) -> None:
        read = replace(SEVERAL.bound(engine, warehouse, "a1", "a2"), fresh=("a1",))
        later = Window(LATE, False, LATE + DAY, nulls=False)
        assert ids_of(warehouse, read, later) == ["entered", "none", "odd", "other", "unmapped"]
        assert ids_of(warehouse, replace(read, fresh=()), later) == []

    def test_the_first_run_gives_all_who_are_in_a_mapped_audience(self, engine: Engine, warehouse: Warehouse) -> None:
        read = SEVERAL.bound(engine, warehouse, "a1", "a2", mode="writes")
        found = rows_of(warehouse, read, FIRST)
        ids = ["entered", "identity", "late", "none", "odd", "old", "other", "unmapped", "written"]
        assert list(dict.fromkeys(row[1] for row in found)) == ids == SEVERAL.changed(FIRST, read)
        assert {row[0] for row in found} == {0, 1, 2}  # what was written before says nothing
        assert warehouse.count_changes(read, FIRST) == len(ids)

    def test_all_of_a_changed_profile_is_given(self, engine: Engine, warehouse: Warehouse) -> None:
        read = SEVERAL.bound(engine, warehouse, "a1", "a2", mode="writes")
        old, inside, upper = str(OLD // 1_000), str(INSIDE // 1_000), UPPER // 1_000
        found = rows_of(warehouse, read, WINDOW)
        assert {row[1:3] for row in found if row[0] == 3} == {("written", INSIDE // 1_000), ("gone", INSIDE // 1_000)}
        assert [row[1::-1] for row in found] == sorted(row[1::-1] for row in found), "by id, then by kind"
        shown = sorted(found, key=lambda row: (row[1], row[0], row[3]))
        assert [row for row in shown if row[1] in ("entered", "identity", "written")] == [
            (0, "entered", OLD // 1_000, "n entered", None, None, None, None),
            (1, "entered", INSIDE // 1_000, "a1", "realized", inside, None, None),
            (1, "entered", OLD // 1_000, "a9", "realized", old, None, None),
            (0, "identity", OLD // 1_000, "n identity", None, None, None, None),
            (1, "identity", OLD // 1_000, "a2", "realized", old, None, None),
            (2, "identity", None, "ecid", "1", None, "true", None),
            (2, "identity", upper, "email", "x", "true", "false", None),
            (0, "written", INSIDE // 1_000, "n written", None, None, None, None),
            (1, "written", OLD // 1_000, "a2", "realized", old, None, None),
            (3, "written", INSIDE // 1_000, "name", None, None, None, None),
        ]

    def test_the_edges_are_exact_for_every_type(self, engine: Engine, warehouse: Warehouse) -> None:
        for cursor in engine.cursors:
            step = cursor.grain
            stamps = {
                "at lower": LOWER,
                "behind lower": LOWER + step,
                "at upper": UPPER,
                "behind upper": UPPER + step,
                "none": None,
            }
            world = Profiles(
                memberships=[(name, at, "a1", "realized", INSIDE + step) for name, at in stamps.items()],
                cursors={"memberships": cursor},
            )
            read = world.bound(engine, warehouse)
            found = rows_of(warehouse, read, WINDOW)
            assert [row[1] for row in found] == ["at upper", "behind lower"], cursor
            # A started microsecond lies behind the lower bound as its nanoseconds do.
            assert [row[2] for row in found] == [UPPER // MICRO, -(-(LOWER + step) // MICRO)], cursor
            assert {row[5] for row in found} == {str((INSIDE + step) // MICRO)}, cursor
            assert ids_of(warehouse, read, replace(WINDOW, closed=True)) == ["at lower", "at upper", "behind lower"]

    def test_every_table_may_have_a_type_of_its_own(self, engine: Engine, warehouse: Warehouse) -> None:
        kinds = engine.cursors
        for shift in (1, len(kinds) - 1):
            names = ("profiles", "memberships", "identities", "audiences", "writes")
            cursors = {name: kinds[(number + shift) % len(kinds)] for number, name in enumerate(names)}
            read = replace(SEVERAL, cursors=cursors).bound(engine, warehouse, "a1", "a2")
            for way in ways(read):
                assert ids_of(warehouse, way, WINDOW) == SEVERAL.changed(WINDOW, way)

    def test_ids_come_in_the_order_of_their_code_points(self, engine: Engine, warehouse: Warehouse) -> None:
        ids = ["b", "B", "a", "A", "가", "한", "힣", "😀", "ä", "10", "9", "a b", "a-b", "ab", "_", "\\", "'"]
        world = Profiles(
            profiles=[(name, OLD, name, None) for name in ids],
            memberships=[(name, INSIDE, "a1", "realized", OLD) for name in ids if name != "A"],
            identities=[(name, INSIDE, name, name, None, None) for name in ids],
        )
        read = world.bound(engine, warehouse)
        ordered = sorted(set(ids) - {"A"})
        found = rows_of(warehouse, read, WINDOW)
        assert [(row[1], row[0]) for row in found] == [(name, kind) for name in ordered for kind in (0, 1, 2)]
        assert all(row[3] == row[1] for row in found if row[0] != 1)
        for name in ("", "9", "B", "a", "\\", "힣", ordered[-1]):
            assert ids_of(warehouse, read, WINDOW, name) == [one for one in ordered if one > name], name
            assert ids_of(warehouse, read, FIRST, name) == [one for one in ordered if one > name], name

    def test_ids_that_are_numbers_are_texts_in_the_end(self, engine: Engine, warehouse: Warehouse) -> None:
        world = Profiles(
            profiles=[(str(number), OLD, "n", None) for number in (9, 10, 100)],
            memberships=[(str(number), INSIDE, "a1", "realized", OLD) for number in (9, 10, 100)],
            ids="bigint",
        )
        read = world.bound(engine, warehouse)
        assert ids_of(warehouse, read, WINDOW) == ["10", "100", "9"]
        assert ids_of(warehouse, read, WINDOW, "10") == ["100", "9"]
        mixed = replace(
            read, tables=replace(read.tables, profiles=replace(world, ids="varchar").bound(engine, warehouse).tables.profiles)
        )
        assert [row[:2] for row in rows_of(warehouse, mixed, WINDOW) if row[0] == 0] == [(0, "10"), (0, "100"), (0, "9")]

    def test_an_instant_that_is_none_makes_nobody_be_read(self, engine: Engine, warehouse: Warehouse) -> None:
        for cursor in (one for one in engine.cursors if one.infinite):
            world = Profiles(
                memberships=[("x", "infinity", "a1", "realized", "-infinity"), ("y", INSIDE, "a1", "realized", "infinity")],
                cursors={"memberships": cursor},
            )
            read = world.bound(engine, warehouse)
            assert rows_of(warehouse, read, WINDOW) == [(1, "y", INSIDE // MICRO, "a1", "realized", None, None, None)]
            assert rows_of(warehouse, read, FIRST)[0] == (1, "x", None, "a1", "realized", None, None, None)

    def test_two_hundred_and_fifty_audiences(self, engine: Engine, warehouse: Warehouse) -> None:
        mapped = [f"aud-{number} \"'\\ 한" for number in range(250)]
        world = Profiles(
            memberships=[
                (f"p{number:03}", INSIDE, name, "realized", OLD) for number, name in enumerate([*mapped[::50], "AUD-1"])
            ],
            identities=[("p000", INSIDE, "email", "x", None, None)],
        )
        read = replace(world.bound(engine, warehouse, *mapped), fresh=tuple(mapped[100:]))
        for window in (WINDOW, FIRST):
            assert ids_of(warehouse, read, window) == [f"p{number:03}" for number in range(5)]

    def test_flags_are_true_false_or_nothing_whatever_their_type(self, engine: Engine, warehouse: Warehouse) -> None:
        texts = {"Y": "true", "t": "true", "TRUE": "true", "1": "true", "no": "false", "F": "false", "0": "false", None: None}
        world = Profiles(
            memberships=[("p", INSIDE, "a1", "realized", OLD)],
            identities=[("p", OLD, "email", f"{number}", text, None) for number, text in enumerate(texts)],
            flags="varchar",
        )
        read = world.bound(engine, warehouse)
        assert [row[5] for row in rows_of(warehouse, read, WINDOW) if row[0] == 2] == list(texts.values())
        wrong = replace(world, identities=[("p", OLD, "email", "secret", "maybe", None)]).bound(engine, warehouse)
        with pytest.raises(ConfigurationError, match=r"column (?i:removed) that is neither true nor false") as caught:
            rows_of(warehouse, wrong, WINDOW)
        assert "maybe" not in str(caught.value)

    def test_audiences_are_read_whole(self, engine: Engine, warehouse: Warehouse) -> None:
        world = Profiles(
            audiences=[
                ("b", None, None, "m2", None),
                ("B", LATE, "Große 한국", "m1", OLD),
                (None, OLD, "x", "m", OLD),
                ("a", OLD, "x", "m1", None),
            ]
        )
        assert audiences_of(warehouse, world.bound(engine, warehouse)).to_pylist() == [
            {"id": name, "name": shown, "merge_policy": policy, "namespace": None, "created": created, "updated": updated}
            for name, shown, policy, created, updated in (
                ("B", "Große 한국", "m1", OLD // 1_000_000, LATE // 1_000_000),
                ("a", "x", "m1", None, OLD // 1_000_000),
                ("b", None, "m2", None, None),
            )
        ]

    def test_the_clock_is_in_utc(self, engine: Engine, warehouse: Warehouse) -> None:
        assert abs(warehouse.clock() - time.time_ns()) < 1_800 * SECOND  # a clock in local time would be hours away

    def test_an_early_close_leaves_the_connection_usable(self, engine: Engine, warehouse: Warehouse) -> None:
        read = SEVERAL.bound(engine, warehouse, "a1", "a2")
        stream = warehouse.changes(read, WINDOW)
        assert next(stream).num_rows > 4
        stream.close()
        warehouse.changes(read, WINDOW)
        assert still_running(engine) == 0
        assert len(ids_of(warehouse, read, WINDOW)) == 4

    @pytest.mark.parametrize("call", ["count_changes", "changes"])
    def test_changes_are_cancelled_from_another_thread(self, engine: Engine, warehouse: Warehouse, call: str) -> None:
        read = SEVERAL.bound(engine, warehouse, "a1", "a2", mode="row")
        view = engine.view(engine.endless)
        columns = dict(zip(("profile_id", "updated_at"), warehouse.columns(view), strict=True))
        read = replace(
            read, tables=replace(read.tables, profiles=ProfileTable(view, columns)), attributes=(columns["profile_id"],)
        )
        wide = Window(START - 400 * DAY, False, from_text("9999-12-31T00:00:00Z"), nulls=False)
        raised: list[ActivationError] = []

        def run() -> None:
            try:
                warehouse.count_changes(read, wide) if call == "count_changes" else list(warehouse.changes(read, wide))
            except ActivationError as error:
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        while thread.is_alive():  # a cancellation that comes too early changes nothing
            warehouse.cancel()
            thread.join(0.05)
        assert isinstance(raised[0], TransientError)
        assert still_running(engine) == 0
        assert warehouse.clock()
