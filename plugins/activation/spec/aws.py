"""Names of Amazon Web Services that stand in pipeline files."""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field

from activation.spec.expressions import has_jinja
from activation.spec.invalid import invalid

_REGION = r"[a-z]{2}(-[a-z]+)+-\d"
_ROLE = r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+"
STREAM = re.compile(
    rf"(?:arn:aws[a-z-]*:kinesis:(?P<region>{_REGION}):(?P<account>\d{{12}}):stream/)?(?P<name>[a-zA-Z0-9_.-]{{1,128}})"
)
"""A data stream's name, alone or as the end of its ARN (Kinesis API reference, CreateStream)."""


def _like(pattern: str, what: str, example: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not has_jinja(text) and re.fullmatch(pattern, text) is None:
            raise invalid(f"is not {what}", f"Write it like {example}.")
        return text

    return check


Region = Annotated[
    str,
    AfterValidator(_like(_REGION, "a region of AWS", "ap-northeast-2")),
    Field(json_schema_extra={"pattern": f"^{_REGION}$"}),
]
"""A region, ``ap-northeast-2``."""

RoleArn = Annotated[
    str,
    AfterValidator(_like(_ROLE, "the ARN of an IAM role", "arn:aws:iam::123456789012:role/activation")),
    Field(json_schema_extra={"pattern": f"^{_ROLE}$"}),
]
"""The ARN of an IAM role."""

StreamName = Annotated[
    str,
    AfterValidator(_like(STREAM.pattern, "the name or ARN of a data stream", "profiles: letters, digits, _, - and dots")),
    Field(json_schema_extra={"minLength": 1, "maxLength": 1000}),
]
"""The name of a data stream, its ARN, or a Jinja template that renders to one."""
