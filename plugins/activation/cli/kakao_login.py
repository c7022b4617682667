"""Get a business token for a Kakao Moment connection.

CONNECTION is the id of an Airflow connection of type Kakao Moment whose login is the app's REST API key, with the extra fields
client_secret and redirect_uri. It shows the address where you consent, takes the code that Kakao sends to your browser, and
prints the connection with the token. Nothing is stored: save what it prints, and show it to nobody.

If redirect_uri is an address of this machine, such as http://localhost:8085/callback, the code is taken there. If it is another
one, or with --paste, you paste the address that your browser shows in the end.

    activation kakao-login kakao                 on the machine where your browser is
    activation kakao-login kakao --paste         anywhere else
    activation kakao-login --explain KOE028      what Kakao's page means

Exit code: 0 if a token was printed, 2 if not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shlex
import sys
import time
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from activation.errors import ActivationError, ConfigurationError

if TYPE_CHECKING:
    from activation.destinations.kakao_moment.consent import Consent, Granted

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("connection", metavar="CONNECTION", nargs="?", default="", help="the id of an Airflow connection")
    parser.add_argument("--paste", action="store_true", help="take the code by paste, not on a port of this machine")
    parser.add_argument("--no-browser", action="store_true", help="only show the address, do not open it")
    parser.add_argument("--delete", action="store_true", help="also ask for the right to delete files, for stale_parts: delete")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="how long it waits (default: 600)")
    parser.add_argument("--explain", default="", metavar="CODE", help="only say what a code of Kakao's page means")


def run(arguments: argparse.Namespace) -> int:
    """Consent and print; see the module's text for the exit code.

    :raises ConfigurationError: if the connection is not there or incomplete, or Kakao refuses.
    """
    from activation.destinations.kakao_moment.consent import address, code_of, exchange
    from activation.destinations.kakao_moment.koe import explained, find_code
    from activation.hooks.kakao_moment import KakaoMomentHook

    if arguments.explain:
        code = find_code(arguments.explain) or arguments.explain
        problem, remedy = explained(code)
        print(f"{code}: {problem}. {remedy}")
        return 0
    if not arguments.connection:
        raise ConfigurationError("No connection is named.", "Write activation kakao-login CONNECTION.")
    consent, state = KakaoMomentHook(arguments.connection).consent(), secrets.token_urlsafe(24)
    where = _local(consent.redirect_uri)
    if arguments.paste or where is None:
        _invite(address(consent, state, delete=arguments.delete), arguments)
        redirected = _pasted(consent)
    else:
        with _Listener(where, consent, state) as listener:
            _invite(address(consent, state, delete=arguments.delete), arguments)
            redirected = listener.wait(arguments.timeout)
    granted = asyncio.run(exchange(consent, code_of(redirected, consent, state)))
    _tell(granted, consent)
    _print(arguments.connection, granted)
    return 0


def _invite(address: str, arguments: argparse.Namespace) -> None:
    _say(f"Consent here with the Kakao account that has a role in the ad account:\n\n    {address}\n")
    _say("If Kakao's page shows a code such as KOE028: activation kakao-login --explain KOE028\n")
    if not arguments.no_browser:
        webbrowser.open(address)


def _pasted(consent: Consent) -> str:
    _say(f"Then paste the whole address that the browser shows; it begins with {consent.redirect_uri}?")
    try:
        return input()
    except EOFError:
        raise ConfigurationError("Nothing was pasted.", "Run the command where you can type.") from None


def _local(redirect_uri: str) -> SplitResult | None:
    """The redirect URI if this machine can listen there."""
    parts = urlsplit(redirect_uri)
    return parts if parts.scheme == "http" and parts.hostname in _LOOPBACK and parts.port else None


class _Listener(HTTPServer):
    """Takes the one request to which Kakao redirects the browser.

    :raises ConfigurationError: if the port is taken.
    """

    def __init__(self, where: SplitResult, consent: Consent, state: str) -> None:
        self.path, self.consent, self.state, self.redirected = where.path or "/", consent, state, ""
        try:
            super().__init__(("127.0.0.1", where.port or 80), _Handler)
        except OSError as error:
            raise ConfigurationError(
                f"Port {where.port} of the redirect_uri cannot be listened on: {error.strerror}.", "Free it, or use --paste."
            ) from None

    def wait(self, seconds: float) -> str:
        """The address to which the browser was sent.

        :raises ConfigurationError: if none comes.
        """
        until = time.monotonic() + seconds
        while not self.redirected:
            self.timeout = until - time.monotonic()
            if self.timeout <= 0:
                raise ConfigurationError(f"Nobody consented within {seconds:g} seconds.", "Begin again, or use --paste.")
            self.handle_request()
        return self.redirected


class _Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self) -> None:
        """Answer the browser; requests for other paths, such as its icon, are none of ours."""
        from activation.destinations.kakao_moment.consent import ForeignState, code_of

        listener = self.server
        assert isinstance(listener, _Listener)  # noqa: S101 - nobody else makes a handler
        if urlsplit(self.path).path != listener.path:
            self._answer(404, "There is nothing here.")
            return
        status, text = 200, "Thank you. Go back to the terminal; this window can be closed."
        try:
            code_of(self.path, listener.consent, listener.state)
        except ActivationError as error:
            status, text = 400, str(error)
            if isinstance(error, ForeignState):  # anybody can send such a request, so the right one is waited for
                self._answer(status, text)
                return
        listener.redirected = self.path
        self._answer(status, text)

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the request holds the code."""


def _tell(granted: Granted, consent: Consent) -> None:
    """Say what is to be known of the token, but not the token."""
    if granted.scopes and consent.facts.scope not in granted.scopes:
        _say(f"Note: the consent lacks {consent.facts.scope}; without it no customer file can be listed or written.")
    if granted.expires_in:
        _say(f"Note: the token ends in {granted.expires_in} seconds; consent again before that.")
    else:
        _say("The token has no known end, but ends if it is not used for long; consent again when Kakao answers 401.")


def _print(conn_id: str, granted: Granted) -> None:
    """Print the connection in both forms in which Airflow takes it; it is the only place where the token is shown."""
    from activation.hooks.connections import find_connection

    connection = find_connection(conn_id)
    extra = {key: value for key, value in connection.extra_dejson.items() if value not in (None, "")}
    fields = {"host": connection.host, "port": connection.port, "login": connection.login, "password": granted.token}
    value = {"conn_type": "kakao_moment", **{key: each for key, each in fields.items() if each}, "extra": extra}
    text = json.dumps(value, ensure_ascii=False)
    _say("Save one of these, and show it to nobody. As JSON, for airflow connections import:\n")
    print(json.dumps({conn_id: value}, ensure_ascii=False))
    _say("\nAs a variable of the environment:\n")
    print(f"AIRFLOW_CONN_{conn_id.upper()}={shlex.quote(text)}", flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
