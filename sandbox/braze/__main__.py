"""``python -m sandbox.braze``: the server as a process. Prints its base address in one line once it is ready."""

import argparse
import asyncio
import gc
import json
import signal
import sys
from collections.abc import Sequence
from typing import Any

from sandbox.braze import contract
from sandbox.braze.patching import SettingsError, patched
from sandbox.braze.server import new_event_loop, serve
from sandbox.braze.settings import ApiKey, Settings, Tls
from sandbox.braze.world import World


class _PermissionOfLastKey(argparse.Action):
    """``--permission`` belongs to the ``--key`` before it, or to the default key if there is none."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        key = namespace.keys[-1] if namespace.keys else ApiKey().value
        namespace.permissions.setdefault(key, set()).add(values)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT.

    Returns:
        0 after an orderly stop, 1 if the server cannot start; 2 for mistakes in the arguments (argparse).
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        world = World(_settings(options), _keys(options))
    except ValueError as error:
        parser.error(str(error))
    tls = Tls(options.tls_certificate, options.tls_private_key) if options.tls_certificate else None
    # A big store is millions of small objects that form no cycles; looking for some in them costs seconds.
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
    try:
        _run(world, options.host, options.port, tls)
    except OSError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _run(world: World, host: str, port: int, tls: Tls | None) -> None:
    loop = new_event_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        loop.run_until_complete(serve(world, host, port, tls, lambda url: print(url, flush=True), stop))
    finally:
        loop.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.braze", description="Contract server of Braze's REST API.")
    parser.set_defaults(permissions={})
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=0, help="0 (default) takes a free one")
    add("--key", dest="keys", metavar="KEY", action="append", default=[], help=f"API key, repeatable; default {ApiKey().value!r}")
    add(
        "--permission",
        action=_PermissionOfLastKey,
        choices=sorted(contract.ALL_PERMISSIONS),
        help="of the key named before it, repeatable; a key without any has all",
    )
    add("--latency-ms", type=float, help="milliseconds before each answer")
    add("--limit-profile", help="objects in a track request: combined_N or per_array_N")
    add("--no-rate-limit", action="store_true", help="allow any number of requests")
    add("--settings", default="{}", help='any switches, as JSON: \'{"answers": {"error_style": "enum"}}\'')
    add("--tls-certificate", help="PEM file; serves HTTPS")
    add("--tls-private-key", help="PEM file; default: the certificate's")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    try:
        settings = patched(Settings(), json.loads(options.settings))
    except json.JSONDecodeError as error:
        raise SettingsError(f"--settings is not JSON: {error}") from None
    patch: dict[str, dict[str, Any]] = {}
    if options.latency_ms is not None:
        patch["answers"] = {"latency_ms": options.latency_ms}
    if options.limit_profile is not None:
        patch["limits"] = {"track": options.limit_profile}
    if options.no_rate_limit:
        patch["rate"] = {"enabled": False}
    return patched(settings, patch)


def _keys(options: argparse.Namespace) -> list[ApiKey]:
    values = options.keys or [ApiKey().value]
    if not options.permissions.keys() <= set(values):
        raise ValueError("--permission stands before the first --key; it belongs to the key named before it")
    return [ApiKey(value, frozenset(options.permissions.get(value, contract.ALL_PERMISSIONS))) for value in values]


if __name__ == "__main__":
    sys.exit(main())
