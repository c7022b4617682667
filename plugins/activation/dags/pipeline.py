"""Pipelines that are made in Python."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, ValidationError

from activation import spec
from activation.errors import ConfigurationError
from activation.spec.blocks import told


class Pipeline(spec.Pipeline):
    """A pipeline made in Python: the keys of a pipeline file as arguments, blocks as plain dicts and lists::

        Pipeline(
            id="users",
            source={"type": "postgres", "connection": "pg", "table": "crm.users"},
            destination={"type": "braze", "connection": "braze", "data": "attributes"},
            schedule="@hourly",
        )

    ``${env:NAME}`` is replaced from the process's environment, as in a file; folders' defaults are a matter of files.

    :raises ConfigurationError: with every problem, in the words of a pipeline file's messages.
    """

    model_config = ConfigDict(defer_build=True)  # most DAG processors read files only, and never need the model

    def __init__(self, **blocks: Any) -> None:
        if "id" not in blocks:
            raise ConfigurationError("A pipeline that is made in Python needs an id.", 'Write Pipeline(id="users", …).')
        try:
            self.__pydantic_validator__.validate_python(blocks, self_instance=self)
        except ValidationError as error:
            raise told(error, blocks, name=f"Pipeline {blocks['id']}") from None
