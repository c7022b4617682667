"""What the page's own API answers in the tests: nine pipelines at one instant, with numbers that agree with each other."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

AT = datetime(2026, 11, 22, 9, tzinfo=timezone.utc)
"""Now; 18:00 in Seoul, where the browser is."""

Json = dict[str, Any]


def iso(at: datetime) -> str:
    """As the server writes it."""
    return at.isoformat(timespec="milliseconds")


def _ago(**back: float) -> datetime:
    return AT - timedelta(**back)


FORM = ["mode", "dry_run"]
KINDS: dict[str, tuple[str, str, list[str]]] = {
    "import": ("braze", "braze", [*FORM, "limit", "reset_to", "replay_run", "replay_code"]),
    "stream": ("kinesis", "kinesis", [*FORM, "limit", "reset_to"]),
    "upload": ("kakao_moment", "kakao", FORM),
    "export": ("s3", "partner_s3", [*FORM, "interval_start", "interval_end"]),
}
"""Kind -> type, connection, and the names of the trigger form."""

FILE = """description: Attributes of all customers
schedule: "40 * * * *"
source: {type: snowflake, connection: warehouse, table: marketing.users}
destination: {type: braze, connection: braze, data: attributes}
errors: {retries: 2, retry_delay: 1m}
alerts: {email: [crm@example.com]}
"""

PLAN = f"""**Attributes of all customers**

### Plan

* Runs at `40 * * * *`.
* A try that fails is repeated 2 times, 1m apart.
* crm@example.com is told of failures.

### `users_to_braze.yaml`

~~~~yaml
{FILE}~~~~"""

REJECTED, BROKEN = {0: (9, 3), 3: (9, 0), 12: (2, 0), 21: (4, 1)}, 17
"""Runs before the newest of users_to_braze -> its rejects: INVALID_PAYLOAD, NO_EXTERNAL_ID; and the one that failed."""


def fixture() -> Json:
    """The answers: ``list``, and ``details`` by DAG."""
    rows = [_users(), _orders(), _profiles(), _events(), _backfill(), _coupons(), _partner(), _vip(), _catalog()]
    statuses = [row["status"] for row in rows]
    counters = {
        "all": len(rows),
        "active": statuses.count("Active"),
        "running": sum(row["running"] is not None for row in rows),
        "completed": statuses.count("Completed"),
        "failing": sum(row["last"] is not None and row["last"]["state"] == "failed" for row in rows),
    }
    listed = {"at": iso(AT), "counters": counters, "pipelines": rows}
    return {"list": listed, "details": {row["dag_id"]: _detail(row) for row in rows}}


def _row(pipeline: str, kind: str, data: str, source: str, label: str, **more: Any) -> Json:
    """A line of the list.

    :param source: engine and name.
    :param more: what is not as usual.
    """
    engine, name = source.split(" ")
    to, connection, _ = KINDS[kind]
    return {
        "dag_id": pipeline,
        "pipeline": pipeline,
        "kind": kind,
        "type": to,
        "data": data,
        "description": "",
        "source": {"engine": engine, "connection": "warehouse", "name": name},
        "target": {"label": label, "connection": connection},
        "status": "Active",
        "paused": False,
        "running": None,
        "schedule": "by hand",
        "cron": None,
        "zone": "UTC",
        "next_run": None,
        "last": None,
        "week": _week([]),
        "watermark": None,
        "lag_seconds": None,
        "creator": "crm@example.com",
        "created": iso(_ago(days=120)),
        "changed": iso(_ago(days=3)),
        "changed_by": "version 3 · a1b2c3d (main)",
        "can": {"run": True, "edit": True},
        **more,
    }


def _run(run: str, began: datetime, seconds: float, *rows: int, mode: str = "incremental", error: str = "") -> Json:
    """The last run of a pipeline.

    :param rows: sent, rejected, skipped; none if it ended before it read.
    """
    sent, rejected, skipped = (*rows, 0, 0, 0)[:3]
    return {
        "run": run,
        "state": "failed" if error else "success",
        "status": "error" if error else "success",
        "mode": mode,
        "started": iso(began),
        "ended": iso(began + timedelta(seconds=seconds)),
        "seconds": seconds,
        "read": sent + rejected + skipped,
        "sent": sent,
        "rejected": rejected,
        "skipped": skipped,
        "error": error,
    }


def _week(days: list[tuple[int, ...]]) -> list[Json]:
    """The last seven days.

    :param days: runs, failed, sent, rejected and skipped of each; what is missing is nothing.
    """
    shown = [(*day, 0, 0, 0, 0, 0)[:5] for day in [*([()] * (7 - len(days))), *days]]
    return [
        {
            "day": _ago(days=6 - at).date().isoformat(),
            "runs": runs,
            "failed": failed,
            "read": sent + rejected + skipped,
            "sent": sent,
            "rejected": rejected,
        }
        for at, (runs, failed, sent, rejected, skipped) in enumerate(shown)
    ]


def _until(watermark: datetime) -> Json:
    return {"watermark": iso(watermark), "lag_seconds": (AT - watermark).total_seconds()}


def _users_runs() -> list[Json]:
    """The last 30 runs of users_to_braze, an hour apart, the newest first."""
    found = []
    for at in range(30):
        began, broken = _ago(minutes=20, hours=at), at == BROKEN
        sent, rejected, skipped = 18_240 + (at % 5) * 680 - (at // 5) * 210, sum(REJECTED.get(at, ())), 340 - at
        run = _run(f"scheduled__{iso(began)}", began, 41.7 + (at % 5) * 4.4 - (at % 3), sent, rejected, skipped)
        run |= {"run_id": run.pop("run"), "watermark": iso(began - timedelta(minutes=2))}
        if broken:
            nothing = dict.fromkeys(("read", "sent", "rejected", "skipped", "watermark"))
            error = "The warehouse did not answer in 60 s. See whether it is suspended."
            run |= {**nothing, "state": "failed", "status": "error", "seconds": 62.4, "error": error}
        found.append(run)
    return found


def _users() -> Json:
    runs = _users_runs()
    last = {"run": runs[0]["run_id"], **{name: value for name, value in runs[0].items() if name not in ("run_id", "watermark")}}
    today = [run for run in runs if run["started"][:10] == AT.date().isoformat()]
    sums = [sum(run[name] for run in today) for name in ("sent", "rejected", "skipped")]
    before = [(24, 0, 431_204, 3, 8_012), (24, 0, 428_377, 0, 7_940), (24, 1, 417_890, 14, 7_707), (24, 0, 433_050, 2, 8_101)]
    week = _week([*before, (24, 0, 436_412, 0, 8_077), (24, 1, 441_683, 11, 7_902), (len(today), 0, *sums)])
    about = {
        "description": "Attributes of all customers",
        "schedule": "At 40 minutes past the hour",
        "cron": "40 * * * *",
        "next_run": iso(_ago(minutes=-40)),
    }
    more = {**about, **_until(_ago(minutes=22)), "last": last, "week": week}
    return _row("users_to_braze", "import", "attributes", "snowflake marketing.users", "attributes", **more)


def _orders() -> Json:
    error = "The connection braze was refused (401). Check its API key."
    about = {"description": "Orders, and their lines", "schedule": "Every 15 minutes", "cron": "*/15 * * * *"}
    week = _week([*[(96, 0, 4_120, 0, 12)] * 5, (96, 6, 3_861, 0, 9), (36, 10, 1_102, 0, 3)])
    last = _run("scheduled__2026-11-22T08:45:00+00:00", _ago(minutes=15), 3.1, error=error)
    more = {**about, **_until(_ago(minutes=155)), "next_run": iso(AT), "last": last, "week": week}
    return _row("orders_to_braze", "import", "purchases", "bigquery shop.orders", "purchases", **more)


def _profiles() -> Json:
    last = _run("scheduled__2026-11-22T08:53:00+00:00", _ago(minutes=7), 302.0, 510)
    sent = (91_004, 88_310, 90_778, 92_650, 71_032, 69_855, 33_410)
    week = _week([(107 if at == 6 else 288, 0, one, int(at == 2)) for at, one in enumerate(sent)])
    about = {
        "description": "프로필 변경 스트림",
        "schedule": "continuous",
        "cron": "continuous",
        "running": "scheduled__2026-11-22T08:59:00+00:00",
    }
    more = {**about, **_until(_ago(seconds=14)), "last": last, "week": week}
    return _row("audience_profiles", "stream", "profiles", "duckdb crm.profiles", "profile-changes", **more)


def _events() -> Json:
    sent = (2_398_114, 2_401_550, 2_377_021, 2_420_876, 2_455_930, 2_481_003)
    last = _run("scheduled__2026-11-20T18:00:00+00:00", _ago(hours=15), 312.4, sent[-1], mode="run")
    about = {"description": "Events of each day", "schedule": "At 03:00 (Asia/Seoul)", "cron": "0 3 * * *", "zone": "Asia/Seoul"}
    more = {
        **about,
        **_until(_ago(hours=15)),
        "next_run": iso(_ago(hours=-9)),
        "last": last,
        "week": _week([*((1, 0, one) for one in sent), ()]),
    }
    return _row("events_daily", "export", "event", "databricks events.daily", "s3://partner-drop/events/", **more)


def _backfill() -> Json:
    last = _run("manual__2026-11-19T10:00:00+00:00", _ago(hours=71), 1804.0, 9_200_112, mode="run")
    more = {"description": "Everything of 2025, once", "schedule": "once", "status": "Completed", "last": last}
    week = _week([(1, 0, 9_200_112), (), (), ()])
    return _row(
        "backfill_2025", "export", "user_profile", "redshift public.users", "s3://partner-drop/backfill/", **more, week=week
    )


def _coupons() -> Json:
    error = "The role arn:aws:iam::123456789012:role/activation may not write to partner-drop. Give it s3:PutObject."
    last = _run("manual__2026-11-21T04:00:00+00:00", _ago(hours=29), 2.2, mode="run", error=error) | {"status": "config_error"}
    more = {
        "description": "Coupons of the summer",
        "schedule": "once",
        "status": "Failed",
        "last": last,
        "week": _week([(1, 1), ()]),
    }
    return _row("coupons_once", "export", "event", "redshift public.coupons", "s3://partner-drop/coupons/", **more)


def _partner() -> Json:
    more = {"description": "Former partner", "schedule": "weekly", "cron": "@weekly", "status": "Inactive", "paused": True}
    return _row(
        "partner_weekly", "export", "event", "databricks events.weekly", "s3://old-partner/events/", **more, changed_by=None
    )


def _vip() -> Json:
    last = _run("manual__2026-11-17T03:00:00+00:00", _ago(hours=126), 22.9, 48_110, 31, mode="run")
    about = {
        "description": "VIP 고객 파일",
        "schedule": "At 06:00, only on Monday (Asia/Seoul)",
        "cron": "0 6 * * mon",
        "zone": "Asia/Seoul",
    }
    more = {**about, "status": "Paused", "paused": True, "last": last, "week": _week([(1, 0, 48_110, 31), (), (), (), (), ()])}
    return _row("vip_customers", "upload", "advertising_ids", "postgres marketing.vip", "VIP", **more)


def _catalog() -> Json:
    about = {"description": "Products of the shop", "schedule": "after orders_to_braze", "cron": "after orders_to_braze"}
    more = {**about, "can": {"run": False, "edit": False}}
    return _row("catalog_items", "import", "catalog_items", "postgres shop.products", "products", **more)


def _detail(row: Json) -> Json:
    none: Json = {"runs": [], "rejects": [], "watermarks": [], "note": None, "file": None, "plan": None}
    more = _users_detail() if row["pipeline"] == "users_to_braze" else {}
    return {**row, **none, **more, "asset_id": 7, "params": KINDS[row["kind"]][2]}


def _users_detail() -> Json:
    runs = _users_runs()
    samples = ['{"external_id": "u***17", "name": "***"}', '{"external_id": "u***42", "name": "***"}', '{"name": "***"}']
    codes = (
        ("INVALID_PAYLOAD", "The payload is no JSON object.", samples[:2]),
        ("NO_EXTERNAL_ID", "The row names no user.", samples[2:]),
    )
    rejects = [
        {"run": runs[at]["run_id"], "code": code, "message": message, "count": count, "samples": shown}
        for at, counts in REJECTED.items()
        for (code, message, shown), count in zip(codes, counts, strict=True)
        if count
    ]
    moves = [{"at": run["ended"], "watermark": run["watermark"]} for run in runs if run["watermark"]]
    return {
        "runs": runs,
        "rejects": rejects,
        "watermarks": moves,
        "file": {"name": "users_to_braze.yaml", "text": FILE},
        "plan": PLAN,
    }
