"""Rows that equal what was sent last are left out; whatever crashes, none is left out that the destination does not have."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from airflow.sdk import ObjectStoragePath
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activation.cursor.window import Position
from activation.delivery import sent_store
from activation.delivery.folder import Folder, listed
from activation.delivery.sent import Sent, drop
from activation.delivery.sent_files import Entries, joined, merged, read
from activation.delivery.sent_store import SentStore
from activation.delivery.units import Chunk, Unit
from activation.destinations.braze.attributes import REPEATS
from activation.errors import TransientError
from activation.records.encoded import Encoded, Marks, Rejected
from activation.records.fingerprints import Fingerprints, MarkedPrints, Repeats
from tests.delivery.encoded_rows import chunk_of

LAST = Position(9, ("z",))
Pairs = list[tuple[str, str]]
known: dict[Repeats, Fingerprints] = {}
"""Made once, because planning the hashing takes longer than a whole story."""


def items(pairs: Pairs, groups: list[int] | None = None) -> Encoded:
    """Encoded items of users; each text stands for a payload."""
    texts = [f'{{"external_id":"{user}","v":{text}}},'.encode() for user, text in pairs]
    offsets = np.cumsum([0, *map(len, texts)]).astype(np.int64)
    keys = np.array([abs(hash(user)) for user, _ in pairs], np.uint64)
    numbers = None if groups is None else np.array(groups, np.uint8)
    return Encoded(memoryview(b"".join(texts)), offsets, np.arange(len(pairs)), keys, (), numbers)


@pytest.fixture(params=["disk", "object storage"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    found: Folder = tmp_path / "sent" if request.param == "disk" else ObjectStoragePath(f"memory://bucket-{uuid4().hex}/p/sent")
    return found


def opened(folder: Folder, run: str = "r", settled: Position | None = None, **more: Any) -> Sent:
    repeats = more.pop("repeats", REPEATS)
    if repeats not in known:
        known[repeats] = Fingerprints(repeats)
    return Sent(folder, known[repeats], run, settled, **{"binding": "here", **more})


def left(sent: Sent, pairs: Pairs, last: Position = LAST, groups: list[int] | None = None) -> list[int]:
    """The rows of the items that have to be sent."""
    encoded, skipped = sent.pass_on(items(pairs, groups), last)
    assert sorted([*encoded.rows.tolist(), *skipped.tolist()]) == list(range(len(pairs)))
    return [int(row) for row in encoded.rows]


def run(folder: Folder, pairs: Pairs, **more: Any) -> list[int]:
    """A whole run that goes well; gives the rows that were sent."""
    sent = opened(folder, uuid4().hex, **more)
    rows = left(sent, pairs)
    sent.commit()
    return rows


def test_f30_what_is_unchanged_is_left_out_and_what_changed_is_not(folder: Folder) -> None:
    assert run(folder, [("a", "1"), ("b", "1"), ("c", "1")]) == [0, 1, 2]
    assert run(folder, [("a", "1"), ("b", "2"), ("c", "1"), ("d", "1")]) == [1, 3]
    assert run(folder, [("b", "1"), ("a", "1")]) == [0], "back to what it was before: the destination has 2"
    assert run(folder, [("d", "1")]) == []


def test_only_the_item_right_before_counts(folder: Folder) -> None:
    run(folder, [("a", "1"), ("b", "1")])
    assert run(folder, [("a", "2"), ("a", "1"), ("b", "1"), ("b", "1")]) == [0, 1]
    assert run(folder, [("a", "1"), ("a", "2"), ("a", "1"), ("a", "1")]) == [1, 2, 3], "nothing that is not acknowledged counts"
    assert run(folder, [("a", "1")]) == []


def test_later_chunks_know_what_earlier_ones_send(folder: Folder) -> None:
    run(folder, [("a", "1")])
    sent = opened(folder)
    assert left(sent, [("a", "2")]) == [0]
    assert left(sent, [("a", "1")]) == [0]
    sent.commit()
    assert run(folder, [("a", "1")]) == []


def test_counters_and_operators_are_always_sent_and_then_nothing_is_known(folder: Folder) -> None:
    for text in ('{"inc": 1}', '{"x":{"$add":[{}]}}', '{"\\u0069nc": 1}'):
        assert run(folder, [("a", text)]) == run(folder, [("a", text)]) == [0]
    assert run(folder, [("a", "1")]) == [0]
    assert run(folder, [("a", "1"), ("a", '{"inc":1}')]) == [1]
    assert run(folder, [("a", "1")]) == [0]


def test_what_removes_is_always_sent_and_forgets(folder: Folder) -> None:
    about = {"repeats": Repeats(gone=1)}
    for _ in range(2):
        sent = opened(folder, **about)
        assert left(sent, [("a", "1"), ("b", "1")], groups=[0, 1]) in ([0, 1], [1])
        sent.commit()
    sent = opened(folder, **about)
    assert left(sent, [("a", "1"), ("b", "1")], groups=[0, 0]) == [1]


def test_a_full_run_sends_everything_and_refreshes(folder: Folder) -> None:
    run(folder, [("a", "1"), ("b", "1")])
    assert run(folder, [("a", "1"), ("b", "2")], skipping=False) == [0, 1]
    assert run(folder, [("a", "1"), ("b", "2")]) == []


@pytest.mark.parametrize("change", [{"binding": "elsewhere"}, {}])
def test_another_destination_and_a_reset_begin_anew(folder: Folder, change: dict[str, Any]) -> None:
    run(folder, [("a", "1")])
    if not change:
        drop(folder)
        drop(folder)
        assert not listed(folder / "log")
    assert run(folder, [("a", "1")], **change) == [0]
    assert run(folder, [("a", "1")], **change) == []


def test_refused_items_are_not_remembered(folder: Folder) -> None:
    sent = opened(folder)
    chunk = chunk_of([1, 2, None])
    chunk.encoded.keys[:] = items([("a", "1"), ("b", "1")]).keys
    left(sent, [("a", "1"), ("b", "1")])
    unit = Unit(0, chunk, (), None, 3, rejected=[Rejected(1, "refused", ""), Rejected(2, "rule", "")])  # type: ignore[arg-type]
    sent.settle([unit])
    sent.settle([])
    sent.commit()
    assert run(folder, [("a", "1"), ("b", "1")]) == [1]


def test_a_run_that_sends_nothing_writes_nothing(folder: Folder) -> None:
    run(folder, [("a", "1")])
    before = [one.name for one in listed(folder / "shards")]
    run(folder, [("a", "1")])
    assert [one.name for one in listed(folder / "shards")] == before
    assert listed(folder / "log") == []


def test_a_try_that_failed_leaves_doubt_about_what_it_sent(folder: Folder) -> None:
    run(folder, [("a", "1"), ("b", "1")])
    left(opened(folder, "lost"), [("a", "2")])
    assert run(folder, [("a", "1"), ("b", "1")]) == [0]
    assert run(folder, [("a", "1"), ("b", "1")]) == []


def test_a_retry_trusts_what_the_progress_knows_as_settled_and_nothing_else(folder: Folder) -> None:
    first = opened(folder, "r")
    left(first, [("a", "1")], Position(1, ("k",)))
    left(first, [("b", "1")], Position(2, ("k",)))
    second = opened(folder, "r", Position(1, ("k",)))
    assert left(second, [("c", "1")], Position(3, ("k",))) == [0]
    third = opened(folder, "r", Position(2, ("z",)))
    assert left(third, [("c", "1")], Position(3, ("k",))) == [0]
    third.commit()
    assert run(folder, [("a", "1"), ("b", "1"), ("c", "1")]) == [1], "b was in flight when the first try died"


def test_a_commit_that_a_crash_cut_off_is_made_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = opened(folder, "r")
    left(sent, [("a", "1")])
    monkeypatch.setattr("activation.delivery.sent_store.replace_text", _broken)
    with pytest.raises(TransientError, match="could not be kept in"):
        sent.commit()
    monkeypatch.undo()
    again = opened(folder, "r", LAST)
    again.commit()
    again.commit()
    assert run(folder, [("a", "1")]) == []
    assert len(listed(folder / "shards")) == 1, "the shards of the first commit are gone"


def _broken(*_: Any) -> None:
    raise OSError("the disk is full")


def test_damaged_files_cost_a_sending_and_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "sent"
    for damage in ("manifest.json", "shards/*", "log/*"):
        run(folder, [("a", "1")])
        if damage == "log/*":
            left(opened(folder, "lost"), [("b", "1")])
        (file,) = folder.glob(damage)
        file.write_bytes(file.read_bytes()[:50])
        assert run(folder, [("a", "1")]) == [0], damage
        assert run(folder, [("a", "1")]) == [], damage
        (folder / "log" / "00000003.arrow.new").touch()
        assert run(folder, [("a", "1")]) == []
    (shard,) = folder.glob("shards/*")
    shard.unlink()
    assert run(folder, [("a", "1")]) == [0]
    (shard,) = folder.glob("shards/*")
    shard.write_bytes(b"")
    assert run(folder, [("a", "1")]) == [0]


def numbers(count: int, seed: int) -> Entries:
    dice = np.random.default_rng(seed)
    return Entries(*(dice.integers(0, 2**64 - 1, count, np.uint64, endpoint=True) for _ in range(3)))


def test_many_users_lie_in_shards_of_which_only_changed_ones_are_written(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_store, "SHARD_ROWS", 1_000)
    monkeypatch.setattr(sent_store, "AT_ONCE", 3_000)
    all_of_them = numbers(20_000, 1)
    edges = np.array([0, 1, 2**52 - 1, 2**52, 2**63, 2**64 - 1], np.uint64)
    all_of_them.key[: len(edges)] = edges
    store = SentStore(folder, "here")
    store.apply(all_of_them.take(slice(first, first + 700)) for first in range(0, 20_000, 700))
    store.close()
    files = {one.name: read(one)[0] for one in listed(folder / "shards")}
    assert len(files) == 20
    assert 700 < min(map(len, files.values())) <= max(map(len, files.values())) < 1_300
    assert (joined(list(files.values())).key == np.sort(all_of_them.key)).all()

    again = SentStore(folder, "here")
    ordered = all_of_them.by_key()
    assert again.known(*(ordered.key, ordered.upper, ordered.lower)).all()
    assert not again.known(ordered.key, ordered.lower, ordered.upper).any()
    strangers = numbers(1_000, 2).by_key()
    assert not again.known(strangers.key, strangers.upper, strangers.lower).any()
    again.doubt(ordered.key[::2])
    assert again.known(ordered.key, ordered.upper, ordered.lower).tolist() == [False, True] * 10_000

    again.apply([all_of_them.take([7]).forgotten()])
    again.close()
    after = {one.name for one in listed(folder / "shards")}
    assert len(after - set(files)) == 1
    assert len(set(files) - after) == 1
    last = SentStore(folder, "here")
    assert np.count_nonzero(last.known(ordered.key, ordered.upper, ordered.lower)) == 19_999


few = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), max_size=30)


@given(few, few)
def test_merging_keeps_the_last_change_of_each_user(old: list[tuple[int, int]], changes: list[tuple[int, int]]) -> None:
    expected = {key: value for key, value in dict(old).items() if value}

    def entries(pairs: list[tuple[int, int]]) -> Entries:
        return Entries(
            *(np.array(column, np.uint64) for column in ([k for k, _ in pairs], [v for _, v in pairs], [0] * len(pairs)))
        )

    before = merged(entries([]), entries(old))
    assert dict(zip(before.key.tolist(), before.upper.tolist(), strict=True)) == expected
    after = merged(before, entries(changes))
    expected = {key: value for key, value in {**expected, **dict(changes)}.items() if value}
    assert list(zip(after.key.tolist(), after.upper.tolist(), strict=True)) == sorted(expected.items())


class Crash(Exception):
    """The process dies here."""


class Story:
    """A warehouse whose rows change, a destination, and runs that die at any place.

    A row that changes gets a new place, as a new timestamp gives it one, so it leaves the window of a run that is under way.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.folder = folder
        self.rows: dict[str, tuple[int, str]] = {}  # user -> place, payload
        self.clock = 0
        self.mark = 0
        self.server: dict[str, str] = {}
        self.sent = 0
        self.runs = 0

    def write(self) -> None:
        for user in self.dice.sample("abcdefgh", self.dice.randint(0, 6)):
            self.clock += 1
            self.rows[user] = (self.clock, str(self.dice.randint(1, 2)))

    def run(self, crashes: float) -> bool:
        """A run of up to three tries; gives whether it came to its end."""
        self.runs += 1
        upper, settled = self.clock, self.mark
        for _ in range(3):
            try:
                sent = opened(self.folder, f"run-{self.runs}", Position(settled, ()))
                while rows := sorted((at, user, text) for user, (at, text) in self.rows.items() if settled < at <= upper)[:3]:
                    settled = self.chunk(sent, rows, settled, crashes)
                self.commit(sent, crashes)
            except Crash:
                self.write()
                continue
            self.mark = upper
            return True
        return False

    def chunk(self, sent: Sent, rows: list[tuple[int, str, str]], settled: int, crashes: float) -> int:
        last = Position(rows[-1][0], ())
        encoded, _ = sent.pass_on(items([(user, text) for _, user, text in rows]), last)
        refused = []
        for index in encoded.rows.tolist():
            self.perhaps(crashes)
            if self.dice.random() < 0.1:
                refused.append(Rejected(index, "refused", ""))
                continue
            self.server[rows[index][1]] = rows[index][2]
            self.sent += 1
        self.perhaps(crashes)
        sent.settle([Unit(0, Chunk(None, (), 1, encoded, None), (), None, 3, rejected=refused)])  # type: ignore[arg-type]
        for one in refused:  # a person mends it: the row gets a new timestamp
            user = rows[one.row][1]
            self.clock += 1
            self.rows[user] = (self.clock, self.rows[user][1])
        self.perhaps(crashes)
        return rows[-1][0]  # the checkpoint

    def commit(self, sent: Sent, crashes: float) -> None:
        self.perhaps(crashes)
        sent.commit()
        self.perhaps(crashes)

    def perhaps(self, crashes: float) -> None:
        if self.dice.random() < crashes:
            raise Crash


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10**9), st.sampled_from([0.0, 0.05, 0.2]))
def test_f30_random_histories_with_crashes_end_with_the_warehouse_in_the_destination(
    tmp_path_factory: pytest.TempPathFactory, seed: int, crashes: float
) -> None:
    story = Story(tmp_path_factory.mktemp("story"), seed)
    for _ in range(8):
        story.write()
        if story.run(crashes):
            for user, (at, text) in story.rows.items():
                if at <= story.mark:
                    assert story.server[user] == text, f"{user} of seed {seed}"
    while True:
        if story.run(0) and all(at <= story.mark for at, _ in story.rows.values()):
            break
    assert story.server == {user: text for user, (_, text) in story.rows.items()}


def test_the_story_would_notice_a_store_that_remembers_too_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above is sharp: it fails where a crash makes an item count as sent that was not."""
    monkeypatch.setattr("activation.delivery.sent._reached", lambda at, settled: True)
    failed = 0
    for seed in range(60):
        story = Story(tmp_path / str(seed), seed)
        for _ in range(8):
            story.write()
            if story.run(0.2):
                failed += any(at <= story.mark and story.server.get(user) != text for user, (at, text) in story.rows.items())
    assert failed > 0


def test_marks_say_what_an_item_is_about_and_what_changes_it(folder: Folder) -> None:
    def marked(subjects: list[int], prints: list[int], always: list[bool]) -> Encoded:
        pairs = [("one key for all", str(number)) for number in prints]
        numbers, sizes = np.array(prints, np.uint64), np.ones(len(prints), np.int64)
        return replace(
            items(pairs), marks=Marks(sizes, -sizes, np.array(subjects, np.uint64), numbers, numbers, np.array(always))
        )

    def left_of(encoded: Encoded) -> list[int]:
        sent = Sent(folder, MarkedPrints(), uuid4().hex, None, binding="here")
        rows, _ = sent.pass_on(encoded, LAST)
        sent.commit()
        return [int(row) for row in rows.rows]

    assert left_of(marked([1, 2, 3], [7, 7, 8], [False] * 3)) == [0, 1, 2]
    assert left_of(marked([1, 2, 3], [7, 9, 8], [False, False, True])) == [1, 2]
    assert left_of(marked([2, 3], [9, 8], [False, False])) == [], "a message that was sent in any case is known as well"
