"""Everything that can go wrong, as one tree.

    MomentoError
    ├── InvalidArgumentError        also a ValueError
    │   └── InvalidTokenError
    ├── AuthenticationError
    ├── PermissionDeniedError
    ├── NotFoundError
    │   └── CacheNotFoundError
    ├── AlreadyExistsError
    ├── FailedPreconditionError
    ├── LimitExceededError
    │   └── RateLimitExceededError
    ├── DeadlineExceededError
    ├── CancelledError
    ├── UnavailableError
    ├── InternalError
    ├── UnknownError
    └── ClientStateError            closed, or used from another event loop

No message holds a token, a key or a value.
"""

from typing import ClassVar


class MomentoError(Exception):
    """The root: whatever this library raises of its own accord is one of these.

    Attributes:
        message: What was wrong, what was expected, and what to do next.
        code: The name of the kind, stable across versions, for logs and metrics.
        retryable: Whether the same call may succeed later without any change.
    """

    code: ClassVar[str] = "UNKNOWN"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidArgumentError(MomentoError, ValueError):
    """An argument that no retry will make right."""

    code = "INVALID_ARGUMENT"


class InvalidTokenError(InvalidArgumentError):
    """A token that is malformed, has expired, or does not say where to connect."""

    code = "INVALID_TOKEN"


class AuthenticationError(MomentoError):
    """The server does not accept the token."""

    code = "UNAUTHENTICATED"


class PermissionDeniedError(MomentoError):
    """The token is valid and does not allow this operation."""

    code = "PERMISSION_DENIED"


class NotFoundError(MomentoError):
    """What the operation needs does not exist."""

    code = "NOT_FOUND"


class CacheNotFoundError(NotFoundError):
    """The cache does not exist. A missing *item* is a Miss, never an error."""

    code = "CACHE_NOT_FOUND"


class AlreadyExistsError(MomentoError):
    """What the operation would create exists."""

    code = "ALREADY_EXISTS"


class FailedPreconditionError(MomentoError):
    """The stored item is not of the kind that the operation needs."""

    code = "FAILED_PRECONDITION"


class LimitExceededError(MomentoError):
    """An item, a request or a rate is over its limit."""

    code = "LIMIT_EXCEEDED"


class RateLimitExceededError(LimitExceededError):
    """More calls, or more bytes, in a short time than the service allows."""

    code = "RATE_LIMIT_EXCEEDED"
    retryable = True


class DeadlineExceededError(MomentoError):
    """No answer within the timeout, all attempts included."""

    code = "DEADLINE_EXCEEDED"
    retryable = True


class CancelledError(MomentoError):
    """The call was cancelled below the caller: by the server, or by closing the client."""

    code = "CANCELLED"


class UnavailableError(MomentoError):
    """No connection to the server, or a server that is shutting down."""

    code = "UNAVAILABLE"
    retryable = True


class InternalError(MomentoError):
    """The server failed."""

    code = "INTERNAL"
    retryable = True


class UnknownError(MomentoError):
    """A status or an answer that the protocol does not name."""

    code = "UNKNOWN"


class ClientStateError(MomentoError):
    """The client is closed, or belongs to another event loop."""

    code = "CLIENT_STATE"
