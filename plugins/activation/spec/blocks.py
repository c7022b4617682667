"""Blocks that were made in Python, not read from a file, to a pipeline: the same rules and the same messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from activation.errors import ConfigurationError
from activation.spec.messages import translate
from activation.spec.models import Pipeline
from activation.spec.problems import Mark, SourceText
from activation.spec.values import Document, Place, Route


def pipeline_of(blocks: Mapping[str, Any], *, name: str) -> Pipeline:
    """Validate blocks of plain values, as they would stand in a pipeline file.

    :param blocks: the keys of a pipeline file; ``${env:NAME}`` is not replaced here.
    :param name: who gave them, for the message.
    :raises ConfigurationError: with every problem.
    """
    try:
        return Pipeline.model_validate(dict(blocks), context={"environment": {}})
    except ValidationError as error:
        raise told(error, blocks, name=name) from None


def told(error: ValidationError, blocks: Mapping[str, Any], *, name: str) -> ConfigurationError:
    """What a validation found, in the words that a pipeline file's problems have; there is no line to name.

    :param blocks: what was validated.
    :param name: who gave it.
    """
    nowhere = Mark(SourceText(name, ""), 0, 0)
    given: dict[Route, Place] = {route: Place(nowhere, nowhere) for route in ((), *((key,) for key in blocks))}
    document = Document(name, dict(blocks), given)
    problems = [translate(detail, document) for detail in error.errors(include_url=False, include_input=False)]
    return ConfigurationError("\n".join(str(problem) for problem in problems))
