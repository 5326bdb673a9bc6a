"""How failures cross the wire: gRPC statuses, the `err` trailer, and the errors they stand for."""

from momento_lambda import errors

ERROR_TRAILER = "err"
CACHE_NOT_FOUND = "cache_not_found"
ITEM_NOT_FOUND = "item_not_found"
STORE_NOT_FOUND = "store_not_found"
REQUEST_SIZE_LIMIT = "request_size_limit_exceeded"
ITEM_SIZE_LIMIT = "item_size_limit_exceeded"
OPERATIONS_RATE_LIMIT = "operations_rate_limit_exceeded"
THROUGHPUT_RATE_LIMIT = "throughput_rate_limit_exceeded"

RETRYABLE_STATUSES = frozenset({"UNAVAILABLE", "INTERNAL"})
"""After these, and for repeatable procedures alone, the same request may be sent again."""

_ERRORS: dict[str, type[errors.MomentoError]] = {
    "INVALID_ARGUMENT": errors.InvalidArgumentError,
    "OUT_OF_RANGE": errors.InvalidArgumentError,
    "UNIMPLEMENTED": errors.InvalidArgumentError,
    "FAILED_PRECONDITION": errors.FailedPreconditionError,
    "PERMISSION_DENIED": errors.PermissionDeniedError,
    "UNAUTHENTICATED": errors.AuthenticationError,
    "RESOURCE_EXHAUSTED": errors.LimitExceededError,
    "NOT_FOUND": errors.NotFoundError,
    "ALREADY_EXISTS": errors.AlreadyExistsError,
    "DEADLINE_EXCEEDED": errors.DeadlineExceededError,
    "CANCELLED": errors.CancelledError,
    "UNAVAILABLE": errors.UnavailableError,
    "INTERNAL": errors.InternalError,
    "ABORTED": errors.InternalError,
    "DATA_LOSS": errors.InternalError,
}
_NOT_A_CACHE = frozenset({ITEM_NOT_FOUND, STORE_NOT_FOUND})
_RATES = frozenset({OPERATIONS_RATE_LIMIT, THROUGHPUT_RATE_LIMIT})
# What the service's own words name, where a rate is meant and the trailer does not say so.
_WORDS_OF_RATES = ("operations", "throughput")


def error_for_status(status: str, details: str, err: str | None) -> errors.MomentoError:
    """Return the error that a failed call stands for.

    Args:
        status: The name of the gRPC status.
        details: The server's own words.
        err: The value of the `err` trailer, where there is one.
    """
    kind = _ERRORS.get(status, errors.UnknownError)
    if kind is errors.NotFoundError and err not in _NOT_A_CACHE:
        kind = errors.CacheNotFoundError
    if kind is errors.LimitExceededError and _is_rate(details, err):
        kind = errors.RateLimitExceededError
    return kind(details or f"the server answered {status} without a reason")


def _is_rate(details: str, err: str | None) -> bool:
    """Whether a limit is one of rates. Any other, named or not, is no better next time: an item stays as large."""
    return err in _RATES if err else any(word in details.lower() for word in _WORDS_OF_RATES)
