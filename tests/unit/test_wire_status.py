import grpc
import pytest

from momento_lambda import errors
from momento_lambda.wire import status
from momento_lambda.wire.status import RETRYABLE_STATUSES, error_for_status

KINDS = {
    "OK": errors.UnknownError,
    "CANCELLED": errors.CancelledError,
    "UNKNOWN": errors.UnknownError,
    "INVALID_ARGUMENT": errors.InvalidArgumentError,
    "DEADLINE_EXCEEDED": errors.DeadlineExceededError,
    "NOT_FOUND": errors.CacheNotFoundError,
    "ALREADY_EXISTS": errors.AlreadyExistsError,
    "PERMISSION_DENIED": errors.PermissionDeniedError,
    "UNAUTHENTICATED": errors.AuthenticationError,
    "RESOURCE_EXHAUSTED": errors.LimitExceededError,
    "FAILED_PRECONDITION": errors.FailedPreconditionError,
    "ABORTED": errors.InternalError,
    "UNIMPLEMENTED": errors.InvalidArgumentError,
    "OUT_OF_RANGE": errors.InvalidArgumentError,
    "INTERNAL": errors.InternalError,
    "UNAVAILABLE": errors.UnavailableError,
    "DATA_LOSS": errors.InternalError,
}


def test_every_status_is_in_the_table() -> None:
    """The table below names each status that gRPC has."""
    assert {code.name for code in grpc.StatusCode} == set(KINDS)


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_statuses(name: str, kind: type[errors.MomentoError]) -> None:
    """Each status stands for one kind of error, which says what the server said."""
    error = error_for_status(name, "in the server's words", None)
    assert (kind, "in the server's words") == (type(error), error.message)


def test_an_unheard_of_status() -> None:
    """A status that gRPC does not have yet is unknown, and no failure of its own."""
    assert errors.UnknownError is type(error_for_status("TEAPOT", "short and stout", None))


@pytest.mark.parametrize("name", KINDS)
def test_without_words(name: str) -> None:
    """Where the server gives no reason, the message names the status."""
    assert f"the server answered {name} without a reason" == error_for_status(name, "", None).message


@pytest.mark.parametrize(
    ("err", "kind"),
    [
        (None, errors.CacheNotFoundError),
        ("", errors.CacheNotFoundError),
        (status.CACHE_NOT_FOUND, errors.CacheNotFoundError),
        ("something_new", errors.CacheNotFoundError),
        (status.ITEM_NOT_FOUND, errors.NotFoundError),
        (status.STORE_NOT_FOUND, errors.NotFoundError),
    ],
)
def test_what_is_not_found(err: str | None, kind: type[errors.MomentoError]) -> None:
    """It is the cache that is not found, unless the trailer says that it is something else."""
    assert kind is type(error_for_status("NOT_FOUND", "gone", err))


@pytest.mark.parametrize(
    ("words", "err", "kind"),
    [
        ("slow down", "operations_rate_limit_exceeded", errors.RateLimitExceededError),
        ("slow down", "throughput_rate_limit_exceeded", errors.RateLimitExceededError),
        ("Limit exceeded for operations per second", None, errors.RateLimitExceededError),
        ("Throughput over its limit", "", errors.RateLimitExceededError),
        ("too large", "item_size_limit_exceeded", errors.LimitExceededError),
        ("too large for some operations", "request_size_limit_exceeded", errors.LimitExceededError),
        ("the item size is over the request limit", None, errors.LimitExceededError),
        ("CLIENT: Sent message larger than max", None, errors.LimitExceededError),
        ("the store is full", None, errors.LimitExceededError),
    ],
)
def test_what_is_over_a_limit(words: str, err: str | None, kind: type[errors.MomentoError]) -> None:
    """A rate that is over its limit may be under it next time; the trailer tells it from a size, or else the words."""
    assert kind is type(error_for_status("RESOURCE_EXHAUSTED", words, err))


@pytest.mark.parametrize("name", sorted(KINDS.keys() - {"NOT_FOUND", "RESOURCE_EXHAUSTED"}))
@pytest.mark.parametrize("err", [status.CACHE_NOT_FOUND, status.OPERATIONS_RATE_LIMIT, status.REQUEST_SIZE_LIMIT])
def test_the_trailer_decides_nothing_else(name: str, err: str) -> None:
    """The trailer refines NOT_FOUND and RESOURCE_EXHAUSTED alone."""
    assert KINDS[name] is type(error_for_status(name, "", err))


def test_the_names_on_the_wire() -> None:
    """The trailer and its values are those that official clients read."""
    assert ("err", "item_not_found", "store_not_found", "request_size_limit_exceeded") == (
        status.ERROR_TRAILER,
        status.ITEM_NOT_FOUND,
        status.STORE_NOT_FOUND,
        status.REQUEST_SIZE_LIMIT,
    )
    assert ("operations_rate_limit_exceeded", "throughput_rate_limit_exceeded") == (
        status.OPERATIONS_RATE_LIMIT,
        status.THROUGHPUT_RATE_LIMIT,
    )


def test_what_is_sent_again() -> None:
    """Only a server that was not there, or failed, is asked again, and then the error says that a retry may help."""
    expected = {"UNAVAILABLE", "INTERNAL"}
    assert expected == RETRYABLE_STATUSES
    assert all(KINDS[name].retryable for name in RETRYABLE_STATUSES)
