"""Domain errors, each with a message for the caller. They know nothing of HTTP.

The API maps each `code` to a status and a body (`core/api/errors.py`). Pages show `message`.
"""


class DomainError(Exception):
    """A refusal with a code for programs and a sentence for people."""

    code = "validation_error"

    def __init__(self, message: str, *, field: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.reason = reason


class Invalid(DomainError):
    """A value that cannot be accepted; `field` names it."""


class NotFound(DomainError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not_found"


class Forbidden(DomainError):
    """The caller may see the object, but may not do this to it."""

    code = "forbidden"


class AccountClosed(DomainError):
    """The account that acts, or that the action concerns, is deactivated or deleted."""

    code = "unauthorized"


class Conflict(DomainError):
    """The request is valid, but the present state does not allow it."""

    code = "conflict"


class PersonGone(Conflict):
    """A person who would have to take part is deactivated or deleted. The message names them."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="person_gone")


class Busy(DomainError):
    """A limited share is used up for now. It may be free again in `retry_after` seconds."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooLate(Conflict):
    """The time until which this was possible has passed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="too_late")


class InvalidTransition(Conflict):
    """The state machine has no such transition from the present state."""


class TimeTaken(Conflict):
    """Somebody's time is already claimed; `reason` says by what, such as `busy` or `calendar`."""


class LimitReached(Conflict):
    """The maximum number of these is reached. The message gives the number."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="limit")


class InFlight(Conflict):
    """The first request with this idempotency key has not been answered yet."""
