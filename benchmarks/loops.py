"""The loops that people write first: a request for each row, and a session with a request for 75 rows."""

from __future__ import annotations

from pathlib import Path

import requests

from benchmarks import source
from benchmarks.processes import Place
from benchmarks.worker import Contestant

BATCH = 75
HEADERS = {"Authorization": "Bearer benchmark-key"}
TIMEOUT = 30


def row_loop(place: Place) -> Contestant:
    """``requests.post`` for each row; it opens a connection each time."""

    def send(rows: int, in_flight: int) -> None:
        for external_id, payload in source.read(Path(place.database), rows):
            body = {"attributes": [source.object_of(external_id, payload)]}
            requests.post(f"{place.url}/users/track", json=body, headers=HEADERS, timeout=TIMEOUT).raise_for_status()

    return send


def batch_loop(place: Place) -> Contestant:
    """One ``requests.Session`` that keeps its connection, 75 rows a request, one request after the other."""

    def send(rows: int, in_flight: int) -> None:
        found = source.read(Path(place.database), rows)
        with requests.Session() as session:
            session.headers.update(HEADERS)
            for first in range(0, len(found), BATCH):
                body = {"attributes": [source.object_of(*row) for row in found[first : first + BATCH]]}
                session.post(f"{place.url}/users/track", json=body, timeout=TIMEOUT).raise_for_status()

    return send
