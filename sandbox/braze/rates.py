"""Rate limits that can be switched (row S11)."""

from dataclasses import dataclass
from typing import Literal

from sandbox.braze import contract
from sandbox.braze.limits import at_least

HeaderStyle = Literal["epoch", "seconds_left"]
RejectionStyle = Literal["reset_headers", "retry_after"]


@dataclass(frozen=True)
class Windows:
    """Requests allowed in each fixed window of the clock (row S11); ``None`` means no such window."""

    burst: int | None = None
    burst_seconds: int = 1
    minute: int | None = None
    hour: int | None = None

    def __post_init__(self) -> None:
        at_least(0, burst=self.burst, minute=self.minute, hour=self.hour)
        at_least(1, burst_seconds=self.burst_seconds)


@dataclass(frozen=True)
class OtherRates:
    """Limits of the calls that import no rows into profiles; calls of one group share theirs."""

    sync: Windows = Windows(minute=contract.SYNC_PER_MINUTE)
    users: Windows = Windows(minute=contract.USERS_PER_MINUTE)
    catalog_items: Windows = Windows(minute=contract.CATALOG_ITEMS_PER_MINUTE)
    catalogs: Windows = Windows(minute=contract.CATALOGS_PER_MINUTE)
    cdi_list: Windows = Windows(minute=contract.CDI_LIST_PER_MINUTE)
    cdi_sync: Windows = Windows(minute=contract.CDI_SYNC_PER_MINUTE)
    cdi_status: Windows = Windows(minute=contract.CDI_STATUS_PER_MINUTE)


@dataclass(frozen=True)
class Rate:
    """Rate limits of each endpoint and how they are told (row S11). The limits hold for all keys together."""

    enabled: bool = True
    track: Windows = Windows(burst=contract.TRACK_BURST, burst_seconds=contract.TRACK_BURST_SECONDS)
    bulk: Windows = Windows(burst=contract.BULK_BURST, burst_seconds=contract.BULK_BURST_SECONDS)
    export: Windows = Windows(minute=contract.EXPORT_PER_MINUTE)
    other: OtherRates = OtherRates()
    headers: HeaderStyle = "epoch"
    rejection: RejectionStyle = "reset_headers"
