"""The official client's retries, seen through the failures that its calls ask our server for."""

from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
from momento.config import Configuration
from momento.config.middleware import MiddlewareRequestHandlerContext, aio, synchronous
from momento.errors import MomentoErrorCode
from momento.responses import CacheGet, CacheIncrement

from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.interop.conftest import Connect

CACHE = "users-cache"


class ThreadHeaders(synchronous.Middleware, synchronous.MiddlewareRequestHandler):
    """Adds headers to every call of the synchronous client."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    def on_new_request(self, context: MiddlewareRequestHandlerContext) -> synchronous.MiddlewareRequestHandler:
        """Begin a call."""
        del context
        return self

    def on_request_metadata(self, metadata: synchronous.MiddlewareMetadata) -> synchronous.MiddlewareMetadata:
        """Add the headers."""
        return synchronous.MiddlewareMetadata([*(metadata.grpc_metadata or ()), *self._headers.items()])

    def on_request_body(self, request: Any) -> Any:
        """Change nothing."""
        return request

    def on_response_metadata(self, metadata: Any) -> Any:
        """Change nothing."""
        return metadata

    def on_response_body(self, response: Any) -> Any:
        """Change nothing."""
        return response

    def on_response_status(self, status: Any) -> Any:
        """Change nothing."""
        return status


class TaskHeaders(aio.Middleware, aio.MiddlewareRequestHandler):
    """Adds headers to every call of the asynchronous client."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers

    async def on_new_request(self, context: MiddlewareRequestHandlerContext) -> aio.MiddlewareRequestHandler:
        """Begin a call."""
        del context
        return self

    async def on_request_metadata(self, metadata: aio.MiddlewareMetadata) -> aio.MiddlewareMetadata:
        """Add the headers."""
        return aio.MiddlewareMetadata(grpc.aio.Metadata(*(metadata.grpc_metadata or ()), *self._headers.items()))

    async def on_request_body(self, request: Any) -> Any:
        """Change nothing."""
        return request

    async def on_response_metadata(self, metadata: Any) -> Any:
        """Change nothing."""
        return metadata

    async def on_response_body(self, response: Any) -> Any:
        """Change nothing."""
        return response

    async def on_response_status(self, status: Any) -> Any:
        """Change nothing."""
        return status


def _failing(configuration: Configuration, rpc: str, *, count: int, status: str = "unavailable") -> Configuration:
    """Ask the server to fail the first so many calls of one procedure."""
    headers = {
        "request-id": "the only one",
        "error-rpcs": rpc,
        "return-error": status,
        "error-count": str(count),
    }
    return configuration.with_middlewares([ThreadHeaders(headers), TaskHeaders(headers)])


@pytest.mark.parametrize("status", ["unavailable", "internal"])
async def test_failures_that_pass(
    connect: "Connect", server: LocalServer, configuration: Configuration, status: str
) -> None:
    """Three failures of a get are survived, since there are three retries."""
    client = connect(server.create_token(), _failing(configuration, "get", count=3, status=status))

    assert isinstance(await client.get(CACHE, "key"), CacheGet.Miss)


async def test_failures_that_do_not_pass(connect: "Connect", server: LocalServer, configuration: Configuration) -> None:
    """Four failures are one too many, and were counted as four: the next get is answered."""
    client = connect(server.create_token(), _failing(configuration, "get", count=4))

    failed = await client.get(CACHE, "key")
    assert isinstance(failed, CacheGet.Error)
    assert MomentoErrorCode.SERVER_UNAVAILABLE == failed.error_code
    assert isinstance(await client.get(CACHE, "key"), CacheGet.Miss)


async def test_calls_that_are_not_repeated(
    connect: "Connect", server: LocalServer, configuration: Configuration
) -> None:
    """An increment is sent once, whatever becomes of it."""
    client = connect(server.create_token(), _failing(configuration, "increment", count=1))

    assert isinstance(await client.increment(CACHE, "counter"), CacheIncrement.Error)
    assert CacheIncrement.Success(1) == await client.increment(CACHE, "counter")
