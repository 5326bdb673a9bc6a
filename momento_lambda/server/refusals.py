"""How a failed call ends: the gRPC status, the words, and the `err` trailer."""

from typing import Any, Final, NoReturn

import grpc

from momento_lambda import errors
from momento_lambda.errors import MomentoError
from momento_lambda.server.limits import (
    ItemTooLargeError,
    RequestRateError,
    ThroughputError,
    TokenItemTooLargeError,
)
from momento_lambda.wire.status import (
    CACHE_NOT_FOUND,
    ERROR_TRAILER,
    ITEM_SIZE_LIMIT,
    OPERATIONS_RATE_LIMIT,
    REQUEST_SIZE_LIMIT,
    THROUGHPUT_RATE_LIMIT,
)

# The first that fits is taken: the more particular ones stand first.
_STATUSES: Final = (
    (errors.AuthenticationError, grpc.StatusCode.UNAUTHENTICATED, None),
    (errors.PermissionDeniedError, grpc.StatusCode.PERMISSION_DENIED, None),
    (errors.CacheNotFoundError, grpc.StatusCode.NOT_FOUND, CACHE_NOT_FOUND),
    (errors.AlreadyExistsError, grpc.StatusCode.ALREADY_EXISTS, None),
    (errors.InvalidArgumentError, grpc.StatusCode.INVALID_ARGUMENT, None),
    (errors.FailedPreconditionError, grpc.StatusCode.FAILED_PRECONDITION, None),
    (ItemTooLargeError, grpc.StatusCode.RESOURCE_EXHAUSTED, REQUEST_SIZE_LIMIT),
    (TokenItemTooLargeError, grpc.StatusCode.RESOURCE_EXHAUSTED, ITEM_SIZE_LIMIT),
    (RequestRateError, grpc.StatusCode.RESOURCE_EXHAUSTED, OPERATIONS_RATE_LIMIT),
    (ThroughputError, grpc.StatusCode.RESOURCE_EXHAUSTED, THROUGHPUT_RATE_LIMIT),
    (errors.LimitExceededError, grpc.StatusCode.RESOURCE_EXHAUSTED, None),
    (errors.UnavailableError, grpc.StatusCode.UNAVAILABLE, None),
)


class InjectedFaultError(MomentoError):
    """A failure that the caller asked for.

    Attributes:
        status: The status to fail with.
    """

    def __init__(self, status: grpc.StatusCode) -> None:
        super().__init__(f"this failure was asked for by the call's `return-error` header: {status.name}")
        self.status = status


async def refuse(context: "grpc.aio.ServicerContext[Any, Any]", error: MomentoError) -> NoReturn:
    """End a call with what an error stands for.

    Raises:
        grpc.aio.AbortError: Always; it ends the handler.
    """
    status, err = _status_and_err(error)
    await context.abort(status, error.message, ((ERROR_TRAILER, err),) if err else ())


def status_of(error: MomentoError) -> grpc.StatusCode:
    """Return the status that an error ends a call with."""
    return _status_and_err(error)[0]


def _status_and_err(error: MomentoError) -> tuple[grpc.StatusCode, str | None]:
    if isinstance(error, InjectedFaultError):
        return error.status, None
    for kind, status, err in _STATUSES:
        if isinstance(error, kind):
            return status, err
    return grpc.StatusCode.INTERNAL, None
