"""A server that imitates the delivery part of Braze's REST API, to test and demonstrate against.

It follows the published contract (rows S1 to S16), holds what it is sent, compares each exchange with JSON Schemas, and
has switches for limits, delays and faults. ``with BrazeSandbox() as server`` runs it in a thread,
``python -m sandbox.braze`` as a process.
"""

from sandbox.braze.client import ControlClient, ControlError
from sandbox.braze.limits import Attributes, Limits
from sandbox.braze.rates import OtherRates, Rate, Windows
from sandbox.braze.server import BrazeSandbox
from sandbox.braze.settings import Answers, ApiKey, Fault, Faults, Settings, Tls, Validation, Visibility

__all__ = [
    "Answers",
    "ApiKey",
    "Attributes",
    "BrazeSandbox",
    "ControlClient",
    "ControlError",
    "Fault",
    "Faults",
    "Limits",
    "OtherRates",
    "Rate",
    "Settings",
    "Tls",
    "Validation",
    "Visibility",
    "Windows",
]
