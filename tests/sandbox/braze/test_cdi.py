"""Row S15: the endpoints of Braze's own imports, showing records that a test hands in."""

import re
from typing import Any

import pytest

from sandbox.braze import BrazeSandbox, ControlError

from .conftest import Api


def identifier(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


def run(status: str = "success", hour: int = 0, **more: Any) -> dict[str, Any]:
    return {"job_status": status, "sync_start_time": f"2026-01-02T{hour:02}:00:00+00:00", **more}


def status_path(number: int = 1) -> str:
    return f"/cdi/integrations/{identifier(number)}/job_sync_status"


def followed(api: Api, path: str) -> list[list[Any]]:
    """All pages, by the links as they come."""
    pages = []
    while path:
        answer = api.send("GET", path)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()["results"])
        path = "".join(re.findall(r'<([^>]*)>; rel="next"', answer.headers.get("Link", "")))
    return pages


def test_s15_list_shows_each_integration_with_its_last_run(api: Api) -> None:
    runs = [run("success", 1), run("partial", 2)]
    given = {"integration_id": identifier(1), "integration_name": "users", "warehouse_type": "snowflake"}
    api.server.give_integrations({**given, "runs": runs}, {"integration_id": identifier(2)})
    first, second = api.send("GET", "/cdi/integrations").json()["results"]
    assert first == {
        **{"app_group_id": "", "integration_type": "", "integration_status": "Active", "contact_emails": ""},
        **{"last_updated_at": None, "next_scheduled_run": None, **given},
        **{"last_job_start_time": "2026-01-02T02:00:00+00:00", "last_job_status": "partial"},
    }
    assert (second["last_job_start_time"], second["last_job_status"]) == (None, None)


def test_s15_pages_of_ten_with_links(api: Api) -> None:
    api.server.give_integrations(*({"integration_id": identifier(number)} for number in range(25)))
    pages = followed(api, "/cdi/integrations")
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [found["integration_id"] for page in pages for found in page] == [identifier(number) for number in range(25)]
    first = api.send("GET", "/cdi/integrations").headers["Link"]
    assert 'rel="prev"' not in first
    (following,) = re.findall(r'<([^>]*)>; rel="next"', first)
    middle = api.send("GET", following).headers["Link"]
    assert re.fullmatch(r'</cdi/integrations\?cursor=\w+>; rel="prev",</cdi/integrations\?cursor=\w+>; rel="next"', middle)
    (back,) = re.findall(r'<([^>]*)>; rel="prev"', middle)
    assert api.send("GET", back).json()["results"] == pages[0]


def test_s15_ten_or_less_have_no_link(api: Api) -> None:
    api.server.give_integrations(*({"integration_id": identifier(number)} for number in range(10)))
    assert "Link" not in api.send("GET", "/cdi/integrations").headers


def test_s15_runs_are_shown_as_handed_in_the_latest_first(api: Api) -> None:
    last = run("partial", 9, rows_synced=98, rows_failed_with_errors=2, last_timestamp_synced="2026-01-01T00:00:00Z")
    api.server.give_integrations({"integration_id": identifier(1), "runs": [*(run(hour=hour) for hour in range(9)), *[last] * 3]})
    pages = followed(api, status_path())
    assert [len(page) for page in pages] == [10, 2]
    assert pages[0][0] == {**last, "sync_finish_time": None}
    assert pages[1][1] == {
        **{"job_status": "success", "sync_start_time": "2026-01-02T00:00:00+00:00", "sync_finish_time": None},
        **{"last_timestamp_synced": None, "rows_synced": 0, "rows_failed_with_errors": 0},
    }


def test_s15_trigger_is_202_and_busy_is_429(api: Api) -> None:
    api.server.give_integrations({"integration_id": identifier(1), "runs": [run("error")]})
    path = f"/cdi/integrations/{identifier(1)}/sync"
    answer = api.send("POST", path)
    assert (answer.status_code, answer.json()) == (202, {"message": "success"})
    assert api.send("POST", path).status_code == 429
    (integration,) = api.server.integrations()
    assert [found["job_status"] for found in integration["runs"]] == ["error", "running"]
    api.server.give_integrations({"integration_id": identifier(1), "runs": [run("success")]})
    assert api.send("POST", path).status_code == 202


@pytest.mark.parametrize("call", ["sync", "job_sync_status"])
def test_s15_bad_and_unknown_integrations(api: Api, call: str) -> None:
    method = "POST" if call == "sync" else "GET"
    bad = api.send(method, f"/cdi/integrations/users/{call}")
    assert (bad.status_code, bad.json()) == (400, {"message": "Invalid integration ID"})
    assert api.send(method, f"/cdi/integrations/{identifier(1)}/{call}").status_code == 404


@pytest.mark.parametrize("cursor", ["", "x", "%21", "c2tpcDo", "c2tpcDotMQ", "MTA"])
def test_s15_bad_cursor_is_400(api: Api, cursor: str) -> None:
    answer = api.send("GET", f"/cdi/integrations?cursor={cursor}")
    assert (answer.status_code, answer.json()) == (400, {"message": "Invalid cursor"})


def test_s15_limits_are_those_of_each_call(api: Api) -> None:
    api.server.give_integrations({"integration_id": identifier(1)})
    calls = [("GET", "/cdi/integrations"), ("POST", f"/cdi/integrations/{identifier(1)}/sync"), ("GET", status_path())]
    assert [api.send(*call).headers["X-Ratelimit-Limit"] for call in calls] == ["50", "20", "100"]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"integration_id": "users"}, "'users' is not a UUID"),
        ({"integration_id": identifier(1), "runs": [{"job_status": "done", "sync_start_time": ""}]}, "Invalid enum value 'done'"),
        ({"integration_id": identifier(1), "name": "users"}, "unknown field `name`"),
    ],
)
def test_s15_records_that_braze_could_not_show_are_refused(server: BrazeSandbox, given: Any, text: str) -> None:
    with pytest.raises(ControlError, match=text):
        server.give_integrations(given)
