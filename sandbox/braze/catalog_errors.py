"""The refusals of the catalog endpoints: the whole request, with every reason that was found (row S14)."""

from collections.abc import Iterable, Sequence
from typing import Any

from sandbox.braze import contract_catalogs as contract
from sandbox.braze.replies import Refused, Reply, json_reply

Kind = tuple[str, str]


class Errors:
    """Collects reasons; one of a kind names every value it concerns."""

    def __init__(self) -> None:
        self._found: dict[Kind, tuple[list[str], list[Any]]] = {}

    def add(self, kind: Kind, parameter: str | None = None, *values: Any) -> None:
        """Note a reason, and the values of the parameter that it concerns."""
        _, concerned = self._found.setdefault(kind, ([] if parameter is None else [parameter], []))
        concerned += [value for value in values if value not in concerned]

    def ids(self) -> list[str]:
        """The identifiers of the reasons."""
        return [identifier for identifier, _ in self._found]

    def raise_any(self) -> None:
        """Refuse the request if there is a reason to.

        Raises:
            Refused: with status 400.
        """
        if self._found:
            raise Refused(_refusal(400, [_error(kind, *found) for kind, found in self._found.items()]))


def missing(name: str) -> Refused:
    """The 404 for a catalog that does not exist."""
    return Refused(_refusal(404, [_error(contract.CATALOG_NOT_FOUND, ["catalog_name"], [name])]))


def _refusal(status: int, errors: Iterable[dict[str, Any]]) -> Reply:
    return json_reply(status, {"errors": list(errors), "message": contract.INVALID_REQUEST})


def _error(kind: Kind, parameters: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    identifier, sentence = kind
    named = values if parameters else ()
    text = sentence.format(count=len(values))
    return {"id": identifier, "message": text, "parameters": list(parameters), "parameter_values": list(named)}
