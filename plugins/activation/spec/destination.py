"""What the ``destination`` blocks of all types have."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from activation.spec.block import Block
from activation.spec.expressions import FromEnvironment, Templated
from activation.spec.names import ConnectionId


class Destination(Block):
    """What every destination's block has."""

    way: ClassVar[str] = "a destination of this type"
    """What a pipeline to it is called: ``an import``."""

    knows: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Another block of the file -> those of its keys that mean something here; a block that is absent is taken whole."""

    type: str
    connection: Annotated[
        ConnectionId,
        Templated(),
        FromEnvironment(),
        Field(
            title="Connection",
            description="The Airflow connection of the destination; it holds the address and the key. "
            "Jinja and `${env:NAME}` are allowed.",
            examples=["braze", "${env:BRAZE_CONNECTION}"],
        ),
    ]

    def meaningless(self, name: str, block: Block) -> tuple[str, str, str] | None:
        """Find a key of another block that is given but means nothing here. Its default says nothing, so it may stand.

        :param name: the block, ``delivery``.
        :returns: the key, what is wrong, and the fix; ``None`` if there is nothing to say.
        """
        known = self.knows.get(name)
        if known is None:
            return None
        for key, info in type(block).model_fields.items():
            if key not in known and getattr(block, key) != info.default:
                fix = f"Remove it. Allowed: {', '.join(known)}." if known else "Remove it."
                return key, f"means nothing to {self.way}", fix
        return None
