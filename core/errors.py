"""What can go wrong in the domain, in words fit for a caller. Knows nothing of HTTP.

The API maps each `code` to a status and a body (`core/api/errors.py`); pages show `message`.
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
    """The caller may see it, but this is not theirs to do."""

    code = "forbidden"


class AccountClosed(DomainError):
    """The account that acts, or is acted for, is deactivated or deleted."""

    code = "unauthorized"


class Conflict(DomainError):
    """It was fine in itself, but not as things stand now."""

    code = "conflict"


class PersonGone(Conflict):
    """Somebody who would have to take part is deactivated or deleted; the message names them."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="person_gone")


class Busy(DomainError):
    """A share is used up for now; in `retry_after` seconds it may be free again."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InvalidTransition(Conflict):
    """The state machine has no such move from the present state."""


class TimeTaken(Conflict):
    """Somebody's time is already claimed; `reason` is `busy`."""


class LimitReached(Conflict):
    """There are as many of these as there can be; the message names the number."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="limit")


class InFlight(Conflict):
    """The first request with this idempotency key has not been answered yet."""
