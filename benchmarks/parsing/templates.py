"""The templates of the blueprint ways. This file is copied beside their DAG files, because that is where blueprint looks for it.

The blocks are taken as they come: blueprint checks that they are there, and nothing within them. What is the same for all
pipelines of a kind, the form and what Airflow renders of it, stands in ``forms.json`` and not in the YAML files.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from blueprint import (  # type: ignore[import-not-found,unused-ignore]
    BaseModel,
    Blueprint,
    BlueprintDagArgs,
    ConfigDict,
)

from benchmarks.parsing.loop import schedule
from benchmarks.parsing.neutral import tell

FORMS: dict[str, Any] = json.loads(Path(__file__).with_name("forms.json").read_text(encoding="utf-8"))


class Block(BaseModel):  # type: ignore[misc,unused-ignore]
    """A block with any keys."""

    model_config = ConfigDict(extra="allow")


class Plan(BaseModel):  # type: ignore[misc,unused-ignore]
    """When a DAG runs."""

    cron: str | None = None
    timezone: str | None = None
    interval: bool = False
    after: list[str] | None = None


class Project(BaseModel):  # type: ignore[misc,unused-ignore]
    """The keys of a DAG."""

    description: str
    catchup: bool
    max_active_runs: int
    start: str
    tags: list[str]
    plan: Plan
    default_args: Block


class ProjectArgs(BlueprintDagArgs[Project]):  # type: ignore[misc,unused-ignore]
    """What every DAG of the project is made with."""

    def render(self, config: Any) -> dict[str, Any]:
        """Arguments of the DAG."""
        given = dict(config.default_args.model_extra)
        given["retry_delay"] = timedelta(seconds=given["retry_delay"])
        given["execution_timeout"] = timedelta(seconds=given["execution_timeout"])
        return {
            "description": config.description,
            "catchup": config.catchup,
            "max_active_runs": config.max_active_runs,
            "start_date": datetime.fromisoformat(config.start),
            "tags": config.tags,
            "schedule": schedule(dict(config.plan)),
            "default_args": given,
        }


class Settings(BaseModel):  # type: ignore[misc,unused-ignore]
    """The keys of a pipeline."""

    pipeline_id: str
    source: Block
    destination: Block
    cursor: Block | None = None
    columns: Block | None = None
    delivery: Block | None = None
    told: list[str] | None = None


class Carry(Blueprint[Settings]):  # type: ignore[misc,unused-ignore]
    """One task that carries a table somewhere."""

    def render(self, config: Any) -> Any:
        """Make the task."""
        kind = FORMS[self.step_id]
        module, _, name = kind["operator"].rpartition(".")
        given = {
            one: block for one in ("source", "destination", "cursor", "columns", "delivery") if (block := getattr(config, one))
        }
        return getattr(import_module(module), name)(
            task_id=self.step_id,
            pipeline_id=config.pipeline_id,
            **{one: block.model_extra for one, block in given.items()},
            **kind["rendered"],
            **({one: partial(tell, to=config.told) for one in kind["callbacks"]} if config.told else {}),
        )
