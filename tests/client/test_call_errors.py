"""A failed gRPC call in the words of this library."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from momento_lambda.client.failures import call_error
from momento_lambda.errors import CacheNotFoundError, MomentoError, NotFoundError, UnavailableError
from momento_lambda.wire import cache_rpcs


class OldMetadata:
    """Trailers as grpc.aio 1.74 has them: pairs when iterated, and a mapping that does not know its own keys."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = pairs

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def keys(self) -> Iterator[tuple[str, str]]:
        """Return what are no keys."""
        return iter(self._pairs)

    def __getitem__(self, key: object) -> str:
        raise KeyError(key)


class Failure(grpc.RpcError):
    """A failed call as gRPC raises it."""

    def __init__(self, status: grpc.StatusCode, details: str | None, trailers: Any) -> None:
        self._status = status
        self._details = details
        self._trailers = trailers

    def code(self) -> grpc.StatusCode:
        """Return the status."""
        return self._status

    def details(self) -> str | None:
        """Return the server's words."""
        return self._details

    def trailing_metadata(self) -> Any:
        """Return the trailers."""
        return self._trailers


@pytest.mark.parametrize("metadata", [OldMetadata, grpc.aio.Metadata, lambda *pairs: pairs], ids=["old", "new", "sync"])
@pytest.mark.parametrize(
    ("pairs", "kind"),
    [
        ([("err", "item_not_found")], NotFoundError),
        ([("other", "item_not_found"), ("err", "cache_not_found")], CacheNotFoundError),
        ([("other", "item_not_found")], CacheNotFoundError),
        ([], CacheNotFoundError),
    ],
)
def test_trailers(metadata: Any, pairs: list[tuple[str, str]], kind: type[MomentoError]) -> None:
    """What was not found is read from the trailer `err`, whichever way gRPC hands the trailers over."""
    failure = Failure(grpc.StatusCode.NOT_FOUND, "gone", metadata(*pairs))

    assert kind is type(call_error(cache_rpcs.GET, "127.0.0.1:8080", failure))


def test_nothing_said() -> None:
    """A failure without words or trailers is told as such, with the call and the address."""
    error = call_error(cache_rpcs.GET, "127.0.0.1:8080", Failure(grpc.StatusCode.UNAVAILABLE, "", None))

    assert isinstance(error, UnavailableError)
    assert "no reason given (Get at 127.0.0.1:8080)" == error.message
