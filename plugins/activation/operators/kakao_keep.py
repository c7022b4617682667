"""Which customer files a pipeline has outlived: by the ids in its run journal, never by a name (contracts: kakao_moment 6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from activation.delivery.journal import Journal
from activation.spec import KakaoDestination

_RECORDS = 1_000
"""The newest records that are looked at; an account has room for the files of 50 runs (contracts: kakao_moment 2.5)."""


def outlived(journal: Journal, to: KakaoDestination, keep: int) -> set[tuple[str, int]]:
    """What was registered by runs before the newest ones.

    A run that was cleared and done again has several records, and counts as often. One that made no file does not count.

    :param keep: of how many runs the files stay; the one that asks is the newest, and has no record of its end yet.
    :returns: the API by which each file was sent, and its id, whether it still is there or not.
    """
    made = [(str(record.get("ended")), files) for record in journal.latest(_RECORDS) if (files := _files(record, to))]
    runs = [files for _, files in sorted(made, key=lambda one: one[0], reverse=True)]
    return set().union(*runs[keep - 1 :])


def _files(record: Mapping[str, Any], to: KakaoDestination) -> set[tuple[str, int]]:
    """What a run has registered in the same account over the same connection; nothing if it failed or still is going on."""
    same = ("mode", "register"), ("connection", to.connection), ("ad_account_id", to.ad_account_id)
    if record.get("status") not in ("success", "partial") or any(record.get(key) != value for key, value in same):
        return set()
    return {(str(one["api"]), one["id"]) for one in record["report"]["files"] if one["id"] is not None}
