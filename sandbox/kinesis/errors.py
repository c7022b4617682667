"""What the server refuses, in the codes and words of Kinesis."""

from sandbox.kinesis import contract


class Refused(Exception):
    """The request as a whole is refused: error code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code, self.message = code, message

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return contract.STATUS.get(self.code, 400)


def invalid(message: str) -> Refused:
    """An argument that the reference of the operation does not allow."""
    return Refused("InvalidArgumentException", message)


def unfit(where: str, constraint: str, value: object = None) -> Refused:
    """A value that is outside what the service's model says."""
    shown = "" if value is None else f" '{value}'"
    return Refused(
        "ValidationException",
        f"1 validation error detected: Value{shown} at '{where}' failed to satisfy constraint: {constraint}",
    )


def absent(where: str) -> Refused:
    """A member that must be given."""
    return Refused(
        "ValidationException",
        f"1 validation error detected: Value null at '{where}' failed to satisfy constraint: Member must not be null",
    )


def not_found(stream: str, account: str) -> Refused:
    """There is no such stream."""
    return Refused("ResourceNotFoundException", f"Stream {stream} under account {account} not found.")
