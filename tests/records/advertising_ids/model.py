"""What cleaning means, row by row in plain Python."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from activation.records.advertising_ids import Cleaned, IdRules, PartFile, clean

ID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
ZERO = "00000000-0000-0000-0000-000000000000"


def around(character: str) -> bool:
    """Whether a character that stands around an id is no part of it."""
    return character.isspace() or character in "\"'`‘’“”{}\ufeff\u200b\u200c\u200d\u2060\u180e"


def cleaned(texts: Iterable[str | None], case: str = "keep") -> tuple[set[str], Counter[str], list[tuple[str | None, str]]]:
    """The ids, the counts by reason, and the rejects in their order."""
    spellings: dict[str, str] = {}
    counts: Counter[str] = Counter()
    rejects: list[tuple[str | None, str]] = []
    for text in texts:
        bare = text or ""
        while bare and around(bare[0]):
            bare = bare[1:]
        while bare and around(bare[-1]):
            bare = bare[:-1]
        if not ID.fullmatch(bare):
            reason = "not_an_advertising_id" if bare else "missing"
            counts[reason] += 1
            rejects.append((text, reason))
        elif bare == ZERO:
            counts["all_zero"] += 1
        else:
            counts["duplicate"] += bare.lower() in spellings
            spellings[bare.lower()] = min(bare, spellings.get(bare.lower(), bare))
    change = {"keep": str, "lower": str.lower, "upper": str.upper}[case]
    return {change(one) for one in spellings.values()}, counts, rejects


def batches(texts: Sequence[str | None], rows: int = 3) -> Iterable[pa.RecordBatch]:
    """The texts as a warehouse gives them, beside another column."""
    for start in range(0, len(texts), rows):
        some = pa.array(texts[start : start + rows], pa.string())
        yield pa.record_batch([pa.nulls(len(some), pa.string()), some], ["other", "adid"])


def clean_texts(texts: Sequence[str | None], place: Path, case: str = "keep", rows: int = 3) -> Cleaned:
    """What ours makes of them."""
    return clean(batches(texts, rows), "adid", IdRules(case), place)  # type: ignore[arg-type]


def lines(parts: Sequence[PartFile]) -> list[str]:
    """The lines of all parts."""
    data = b"".join(part.path.read_bytes() for part in parts)
    assert data.endswith(b"\n") or not data
    return data.decode("ascii").split("\n")[:-1]
