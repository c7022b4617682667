"""Blocks that were made in Python, not read from a file, to a pipeline: the same rules and the same messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from activation.errors import ConfigurationError
from activation.spec.messages import translate
from activation.spec.models import Pipeline
from activation.spec.problems import Mark, SourceText
from activation.spec.values import Document, Place


def pipeline_of(blocks: Mapping[str, Any], *, name: str) -> Pipeline:
    """Validate blocks of plain values, as they would stand in a pipeline file.

    :param blocks: the keys of a pipeline file; ``${env:NAME}`` is not replaced here.
    :param name: who gave them, for the message.
    :raises ConfigurationError: with every problem.
    """
    try:
        return Pipeline.model_validate(dict(blocks), context={"environment": {}})
    except ValidationError as error:
        nowhere = Mark(SourceText(name, ""), 0, 0)
        document = Document(name, dict(blocks), {(): Place(nowhere, nowhere)})
        problems = [translate(detail, document) for detail in error.errors(include_url=False, include_input=False)]
        raise ConfigurationError("\n".join(str(problem) for problem in problems)) from None
