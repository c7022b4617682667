"""Integrations and the records of their runs, as a test hands them in (row S15)."""

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, Final, Literal

import msgspec

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)  # D: the form in the examples

JobStatus = Literal["running", "success", "partial", "error", "config_error"]


class Run(msgspec.Struct, forbid_unknown_fields=True):
    """One run in the fields that the API shows; times in ISO 8601."""

    job_status: JobStatus
    sync_start_time: str
    sync_finish_time: str | None = None
    last_timestamp_synced: str | None = None
    rows_synced: int = 0
    rows_failed_with_errors: int = 0


class Integration(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One integration in the fields that the API shows, with its runs, oldest first."""

    integration_id: str
    app_group_id: str = ""
    integration_name: str = ""
    integration_type: str = ""
    integration_status: str = "Active"
    contact_emails: str = ""
    last_updated_at: str | None = None
    warehouse_type: str = ""
    next_scheduled_run: str | None = None
    runs: list[Run] = msgspec.field(default_factory=list)

    def described(self) -> dict[str, Any]:
        """The integration as the list shows it."""
        shown: dict[str, Any] = msgspec.to_builtins(self)
        del shown["runs"]
        last = self.runs[-1] if self.runs else None
        return {
            **shown,
            "last_job_start_time": last and last.sync_start_time,
            "last_job_status": last and last.job_status,
        }


def is_id(text: str) -> bool:
    """Whether a text has the form of an integration's id."""
    return _ID.fullmatch(text) is not None


class Integrations:
    """The integrations by id, in the order in which they were first given."""

    def __init__(self) -> None:
        self._by_id: dict[str, Integration] = {}

    def take(self, given: Iterable[Integration]) -> None:
        """Add integrations; one whose id is known replaces it, runs included.

        Raises:
            ValueError: an id of another form.
        """
        for integration in given:
            if not is_id(integration.integration_id):
                raise ValueError(f"integration_id {integration.integration_id!r} is not a UUID")
            self._by_id[integration.integration_id] = integration

    def all(self) -> list[Integration]:
        """Every integration."""
        return list(self._by_id.values())

    def find(self, integration_id: str) -> Integration | None:
        """An integration by its id."""
        return self._by_id.get(integration_id)

    def start(self, integration: Integration, now: float) -> bool:
        """Record a run that starts at an epoch second; false while another one is running."""
        if integration.runs and integration.runs[-1].job_status == "running":
            return False
        started = datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="seconds")
        integration.runs.append(Run("running", started))
        return True
