"""Runs windows of a memory warehouse through the real delivery engine, with the stores in plain variables."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from activation.cursor.boundary import Boundary, Rule
from activation.cursor.ledger import Ledger
from activation.cursor.progress import Progress
from activation.cursor.watermark import Watermark
from activation.cursor.window import Window
from activation.delivery.answer import Sink
from activation.delivery.reader import Reader, Source
from activation.delivery.rejects import Origin, Rejects
from activation.delivery.run import Plan, Run
from activation.records.digests import Digests
from activation.records.encoded import Encoder
from activation.warehouses.base import Warehouse
from tests.records.encoding import attributes_encoder

from .memory import EXTRACT, ROLES


@cache
def _encoder() -> Encoder:
    return attributes_encoder(ROLES)


@dataclass
class Pipe:
    """A pipeline without Airflow: warehouse, sink, and a watermark that moves as the operator moves it."""

    warehouse: Warehouse
    sink: Sink
    boundary: Boundary = field(default_factory=Boundary)
    plan: Plan = field(default_factory=Plan)
    watermark: Watermark = field(default_factory=Watermark)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp()))
    opened: tuple[Window, int] | None = None
    saved: Progress = field(default_factory=Progress)
    parts: int = 0
    on_save: Callable[[Progress], None] = lambda progress: None
    last: Run | None = None

    def run(self) -> Progress:
        """One try; after a failed one the next call resumes."""
        if self.opened is None:
            survey = self.warehouse.survey(EXTRACT, self.watermark.at)
            window = self.boundary.open(self.watermark, now=survey.now, at=survey.at, nulls=survey.nulls, latest=survey.latest)
            self.opened = (window, survey.nulls)
        window, nulls = self.opened
        digests = Digests(["EXTERNAL_ID", "PAYLOAD"], self.watermark.seen) if self.boundary.rule is Rule.DEDUP else None
        reader = Reader(Source(self.warehouse, EXTRACT, window, self.saved), _encoder(), digests)
        ledger = Ledger(self.saved, lookback=self.boundary.lookback, remember=self.boundary.remember)
        rejects = Rejects(self.folder / "rejects", Origin("p", "r", 1), self.parts)
        self.last = Run(reader, self.sink, ledger, rejects, self.plan, self._save)
        progress, _ = self.last()
        self.watermark = self.boundary.close(self.watermark, window, progress.tail, nulls=nulls, run="r")
        self.opened, self.saved, self.parts = None, Progress(), 0
        return progress

    def _save(self, progress: Progress, parts: int) -> None:
        text = json.dumps(progress.to_json())  # through JSON, as the task's state keeps it
        self.saved, self.parts = Progress.from_json(json.loads(text)), parts
        self.on_save(self.saved)

    def rejects(self) -> list[dict[str, Any]]:
        """What lies in the rejects' folder."""
        files = sorted((self.folder / "rejects").glob("part-*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
