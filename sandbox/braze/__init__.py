"""A server that imitates the delivery part of Braze's REST API, to test and demonstrate against.

It follows the published contract (rows S1 to S8 and S10 to S12), holds what it is sent, and has switches for limits,
delays and faults. ``with BrazeSandbox() as server`` runs it in a thread, ``python -m sandbox.braze`` as a process.
"""

from sandbox.braze.client import ControlClient, ControlError
from sandbox.braze.server import BrazeSandbox
from sandbox.braze.settings import (
    Answers,
    ApiKey,
    Fault,
    Faults,
    Limits,
    Rate,
    Settings,
    Tls,
    Visibility,
    Windows,
)

__all__ = [
    "Answers",
    "ApiKey",
    "BrazeSandbox",
    "ControlClient",
    "ControlError",
    "Fault",
    "Faults",
    "Limits",
    "Rate",
    "Settings",
    "Tls",
    "Visibility",
    "Windows",
]
