"""Schedules in the words of both languages, as the list shows, sorts and searches them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.ui_browser.host import Host

SERVER = "The server's words"
SAID = [
    ("@hourly", "hourly", "매시간"),
    ("@daily", "daily at 00:00 (Asia/Seoul)", "매일 00:00 (Asia/Seoul)"),
    ("@weekly", "every Sunday at 00:00 (Asia/Seoul)", "매주 일요일 00:00 (Asia/Seoul)"),
    ("@monthly", "monthly on day 1 at 00:00 (Asia/Seoul)", "매월 1일 00:00 (Asia/Seoul)"),
    ("* * * * *", "every minute", "매분"),
    ("*/15 * * * *", "every 15 minutes", "15분마다"),
    ("0,30 * * * *", "every 30 minutes", "30분마다"),
    ("5 * * * *", "hourly at :05", "매시 05분"),
    ("0 */6 * * *", "every 6 hours", "6시간마다"),
    ("30 9,18 * * *", "daily at 09:30, 18:30 (Asia/Seoul)", "매일 09:30, 18:30 (Asia/Seoul)"),
    ("0 4 * * mon-fri", "weekdays at 04:00 (Asia/Seoul)", "평일 04:00 (Asia/Seoul)"),
    ("0 6 * * 7", "every Sunday at 06:00 (Asia/Seoul)", "매주 일요일 06:00 (Asia/Seoul)"),
    ("0 6 * * sun,mon,wed", "every Mon, Wed, Sun at 06:00 (Asia/Seoul)", "매주 월, 수, 일 06:00 (Asia/Seoul)"),
    ("0 0 1,15 * *", "monthly on day 1, 15 at 00:00 (Asia/Seoul)", "매월 1, 15일 00:00 (Asia/Seoul)"),
    ("continuous", "continuous", "연속 실행"),
    ("once", "once", "한 번만"),
    ("after users and asset crm/new", "after users and asset crm/new", "users, 에셋 crm/new 완료 후"),
    ("@hourly or after a or b", "hourly or after a or b", "매시간 또는 a 또는 b 완료 후"),
    (
        "0 9 * * * Europe/Berlin + 1h30m from 2026-07-01 until 2026-12-31",
        "daily at 09:00 (Europe/Berlin), 1h30m later, from 2026-07-01, until 2026-12-31",
        "매일 09:00 (Europe/Berlin), 1시간30분 뒤, 2026-07-01부터, 2026-12-31까지",
    ),
    ("*/7 * * * *", SERVER, "*/7 * * * *"),
    ("0 9 13 * fri", SERVER, "0 9 13 * fri"),
    ("0 9 1 jan *", SERVER, "0 9 1 jan *"),
    ("0 9 L * *", SERVER, "0 9 L * *"),
    ("*/0 0-99999999 * * *", SERVER, "*/0 0-99999999 * * *"),
    (None, SERVER, SERVER),
]
"""What the file says, and how each language shows it."""


def _only(host: Host, schedules: list[tuple[str | None, str]]) -> None:
    """Let the list hold a pipeline for each of these, in this order.

    :param schedules: what the file says, and the server's words for it.
    """
    row = host.data["list"]["pipelines"][0]
    host.data["list"]["pipelines"] = [
        {**row, "pipeline": f"p{at:02}", "cron": cron, "schedule": words, "zone": "Asia/Seoul", "next_run": None}
        for at, (cron, words) in enumerate(schedules)
    ]


def _shown(page: Page) -> list[str]:
    page.locator("[data-pipeline]").first.wait_for()
    return page.locator("[data-column=schedule]").all_inner_texts()


@pytest.mark.parametrize(("language", "at"), [("en-US", 1), ("ko-KR", 2)])
def test_a_schedule_is_told_in_words(opened: Callable[..., Page], host: Host, language: str, at: int) -> None:
    _only(host, [(each[0], SERVER) for each in SAID])
    assert _shown(opened(language=language)) == [each[at] for each in SAID]


def test_once_and_by_hand_stand_in_no_cron(opened: Callable[..., Page], host: Host) -> None:
    _only(host, [(None, "once"), (None, "by hand"), ("0 3 * * *", "once")])
    assert _shown(opened(language="ko-KR")) == ["한 번만", "수동 실행", "한 번만"]


def test_it_is_sorted_and_searched_as_it_is_shown(opened: Callable[..., Page], host: Host) -> None:
    _only(host, [("@hourly", "hourly"), ("*/15 * * * *", "Every 15 minutes"), (None, "by hand")])
    page = opened(language="ko-KR")
    assert _shown(page) == ["매시간", "15분마다", "수동 실행"]
    page.get_by_role("columnheader", name="일정").get_by_role("button").click()
    expect(page.locator("[data-column=schedule]")).to_have_text(["15분마다", "매시간", "수동 실행"])
    page.get_by_label("파이프라인 검색").fill("분마다")
    expect(page.locator("[data-column=schedule]")).to_have_text(["15분마다"])
