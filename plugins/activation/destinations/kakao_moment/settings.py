"""Which ad account is written to, and how to get in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Api = Literal["auto", "customer_files", "customer_data"]
"""Which generation of Kakao's resource is used; ``auto``: the older one, and the newer one where that is shut down."""

Generation = Literal["customer_files", "customer_data"]


@dataclass(frozen=True, slots=True)
class Account:
    """An ad account of Kakao Moment and the way in.

    :ivar url: the API's address without a path.
    :ivar token: the business token; never shown.
    :ivar ad_account_id: digits; empty for calls that need none.
    :ivar ca_file: certificate authorities to trust instead of the system's; empty: the system's.
    :ivar connection: the Airflow connection, for what errors tell to do.
    """

    url: str
    token: str = field(repr=False)
    ad_account_id: str
    ca_file: str = ""
    connection: str = "kakao_default"
