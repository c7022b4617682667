"""For tests: the client under test must have kept to the contract (row S16)."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sandbox.braze.client import ControlClient
from sandbox.braze.server import BrazeSandbox

_SHOWN = 20


def assert_contract(server: ControlClient, *, allow: Collection[str] = ()) -> None:
    """Fail if an exchange since the last reset broke the contract.

    ``allow`` names rules that a test breaks on purpose: ``call``, ``type``, ``bytes``, ``json``, ``empty``, ``count``,
    ``schema`` or ``answer``.

    Raises:
        AssertionError: with the first violations, one a line.
    """
    found = [violation for violation in server.violations() if violation["rule"] not in allow]
    lines = ["request {request} {method} {path}: {rule} {place}: {message}".format(**violation) for violation in found[:_SHOWN]]
    assert not found, "\n".join([f"{len(found)} violations of the contract", *lines])  # noqa: S101 - pytest shows it


@contextmanager
def kept_to(server: BrazeSandbox, *, allow: Collection[str] = ()) -> Iterator[BrazeSandbox]:
    """Run a server for a test, for instance in a fixture, and check at its end that nothing broke the contract."""
    with server:
        yield server
        assert_contract(server, allow=allow)
