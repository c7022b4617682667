"""The server as a process of its own, for ``with``, and what tests and the demo ask of it."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import psutil

from sandbox.airflow import guard
from sandbox.environments import ROOT, clean
from sandbox.kakao import contract
from sandbox.kakao.settings import OAuth
from sandbox.tls import private_authority

_START_SECONDS = 60

Generation = Literal["customer_files", "customer_data", "both", "retired"]


class KakaoSandbox:
    """Kakao Moment on a free port of 127.0.0.1, in a process that lives while a ``with`` block lasts.

    :param generation: which resource answers: ``customerFiles``, ``customerData``, both, or ``customerData`` alone since
        ``customerFiles`` was shut down.
    :param tls: whether clients talk TLS, under a private authority whose certificate is :attr:`ca_file`.
    :param groups: further switches of :class:`sandbox.kakao.settings.Settings`, a mapping for each group:
        ``limits={"write_seconds": 0}, states={"complete_seconds": 3}``.
    :ivar url: base of the API.
    :ivar auth_url: base of the consent side; the same server, whose paths do not meet.
    :ivar token: a business access token for all accounts that may list, write and delete.
    """

    account, other_account, foreign_account = 12345, 54321, 99999
    """Ad accounts: two of the user, and one in which he has no role."""
    rest_key, business_secret, redirect_uri = OAuth.rest_key, OAuth.business_secret, OAuth.redirect_uris[0]
    """Of the app, unless ``oauth`` says something else."""
    login_secret = "login-secret"
    """The key's other secret, that of Kakao Login: refused, as every one but the business secret is."""

    def __init__(self, generation: Generation = "customer_files", tls: bool = False, **groups: Mapping[str, Any]) -> None:
        self._settings = {"generation": generation, **groups}
        self._tls = tls
        self.url = self.token = ""
        self.ca_file: str | None = None
        self._folder: Path | None = None
        self._process: subprocess.Popen[str] | None = None

    @property
    def auth_url(self) -> str:
        """Base of the consent side."""
        return self.url

    def __enter__(self) -> KakaoSandbox:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers.

        :raises RuntimeError: if it does not; shows what it printed.
        """
        self._folder = folder = Path(tempfile.mkdtemp(prefix="activation-kakao-"))
        command = [sys.executable, guard.__file__, str(os.getpid()), "2", sys.executable, "-m", "sandbox.kakao"]
        command += ["--settings", json.dumps(self._settings), "--folder", str(folder)]
        if self._tls:
            authority = private_authority(folder)
            self.ca_file = authority.ca_file
            command += ["--certificate", authority.certificate, "--private-key", authority.private_key]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True, env=clean()
            )
        assert self._process.stdout is not None  # noqa: S101 - for mypy
        ready, _, _ = select.select([self._process.stdout], [], [], _START_SECONDS)
        self.url = self._process.stdout.readline().strip() if ready else ""
        if not self.url:
            printed = (folder / "log").read_text(errors="replace")[-2000:]
            self.stop()
            raise RuntimeError(f"the Kakao server does not answer; it printed last: {printed}")
        self.token = self.mint()

    def stop(self) -> None:
        """End its process group and remove its files."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def connection(self, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable, as JSON: a ``kakao_moment`` connection with a business access token.

        :param extra: extra fields that replace or add to ``ad_account_id`` and, with TLS, ``ca_file``.
        """
        trust = {"ca_file": self.ca_file} if self.ca_file else {}
        fields = {"conn_type": "kakao_moment", "host": self.url, "password": self.token}
        return json.dumps({**fields, "extra": {"ad_account_id": str(self.account), **trust, **extra}})

    def mint(
        self,
        *,
        kind: Literal["business", "login"] = "business",
        scopes: Sequence[str] = (contract.MANAGE, contract.REMOVE),
        user: str = "user-1",
        accounts: Sequence[int] | None = None,
    ) -> str:
        """A token without a consent page.

        :param user: whose; the pace of writes is kept for each.
        :param accounts: ad accounts that it is good for; all of the user unless given.
        """
        numbers = None if accounts is None else [str(one) for one in accounts]
        given = {"kind": kind, "scopes": list(scopes), "user": user, "accounts": numbers}
        return str(self._call("POST", "tokens", given))

    def revoke(self, token: str) -> None:
        """Make a token invalid, as long disuse does."""
        self._call("POST", "revoke", token)

    def consent(self, address: str, *, agree: bool = True) -> dict[str, str]:
        """Press a button of the authorize page and say what the redirect carries, such as ``{"code": …, "state": …}``.

        :param address: the page's whole URL.
        :raises RuntimeError: if it shows an error; with its text.
        """
        choice = f"choice={'agree' if agree else 'deny'}".encode()
        request = urllib.request.Request(address, data=choice)  # noqa: S310
        with self._opener().open(request, timeout=60) as answer:
            if answer.status != 302:
                raise RuntimeError(answer.read().decode())
            return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def advance(self, seconds: float) -> None:
        """Put the server's clock forward."""
        self._call("POST", "advance", seconds)

    def faults(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Add rules of what goes wrong, see :class:`sandbox.kakao.faults.Fault`; the first that hits a request decides.

        :raises RuntimeError: if one of them is none.
        """
        self._call("POST", "faults", list(rules))

    def clear_faults(self) -> None:
        """Take all rules back."""
        self._call("DELETE", "faults")

    def change(self, **switches: Any) -> None:
        """Set switches while it runs: ``generation="retired"``, groups as at the start, or ``consent_error="KOE123"`` for
        what the authorize page shows to anybody (empty for nothing).

        :raises RuntimeError: if there is no such switch or value.
        """
        self._call("PATCH", "settings", switches)

    def use(self, file: int, ad_group: int | None, inclusion: Literal["INCLUDE", "EXCLUDE"] = "INCLUDE") -> None:
        """Let an ad group target a file; ``None`` lets all go."""
        self._call("POST", "uses", {"id": file, "ad_group": ad_group, "inclusion": inclusion})

    def set_status(self, file: int, status: str) -> None:
        """End a file's extraction now (``COMPLETE``, ``ERROR``), or let it never end (``WAITING``, ``MODIFYING``)."""
        self._call("POST", "status", {"id": file, "status": status})

    def forget(self) -> None:
        """Forget counts, requests, faults and when was written last; files, tokens and switches stay."""
        self._call("POST", "forget")

    def reset(self) -> None:
        """Forget files as well, and set all switches as at the start; tokens stay, and the clock."""
        self._call("POST", "reset")

    def files(self, account: int | str | None = None) -> list[dict[str, Any]]:
        """Files, oldest first, deleted ones too while they are DELETE: the API's fields (of ``customerFiles`` where that answers,
        else of ``customerData``), and ``parts`` (``path``, ``filename``, ``bytes``, ``sha256`` of each), ``lines``, ``valid`` and
        ``unique`` ids."""
        found: list[dict[str, Any]] = self._call("GET", "files" if account is None else f"files?account={account}")
        return found

    def content(self, file: int) -> list[str]:
        """The lines of a file as they were received, in order. Of large ones read :meth:`parts`."""
        texts = [part.read_bytes().decode(errors="replace") for part in self.parts(file)]
        return [line for text in texts for line in text.removesuffix("\n").split("\n")]

    def parts(self, file: int) -> list[Path]:
        """What was received, byte for byte, on this machine's disk."""
        (found,) = [one for one in self.files() if one["id"] == file]
        return [Path(one["path"]) for one in found["parts"]]

    def calls(self) -> dict[str, int]:
        """Operation -> how often it was asked since the last :meth:`forget`, refusals and faults included: ``list``,
        ``register``, ``register_url``, ``edit``, ``delete``, ``delete_many``, ``usages``, ``ad_accounts``, ``authorize``, …"""
        return dict(self._call("GET", "calls")["calls"])

    def requests(self) -> list[dict[str, Any]]:
        """The last 10,000 requests to the API, in the order in which they began: ``operation``, ``generation``, ``account``,
        ``status`` (0 if cut or not yet answered), ``code`` of an error, ``fault``, ``at`` (seconds since the epoch)."""
        return list(self._call("GET", "calls")["requests"])

    def memory(self) -> int:
        """Most bytes that the server process ever held."""
        assert self._process is not None  # noqa: S101 - only while it runs
        server = psutil.Process(self._process.pid).children()[0]
        status = Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8")
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024

    def _call(self, method: str, path: str, given: Any = None) -> Any:
        data = None if given is None else json.dumps(given).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data=data, method=method)  # noqa: S310
        with self._opener().open(request, timeout=60) as answer:
            content = json.loads(answer.read())
        if answer.status >= 400:
            raise RuntimeError(content["error"])
        return content

    def _opener(self) -> urllib.request.OpenerDirector:
        """Asks without a proxy, trusts the private authority, and neither follows redirects nor raises."""
        trust = ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None
        handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust), _AsItIs())
        return urllib.request.build_opener(*handlers)


class _AsItIs(urllib.request.HTTPErrorProcessor):
    def http_response(self, request: Any, response: Any) -> Any:
        """The answer, whatever its status."""
        return response

    https_response = http_response
