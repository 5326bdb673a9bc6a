"""The pytest plugin: a cache and a Lambda for tests, as fixtures.

| fixture          | what a test gets                                                                     |
|------------------|--------------------------------------------------------------------------------------|
| `momento_server` | a `LocalServer`, one for the whole run                                               |
| `momento_cache`  | a `Cache` on an empty cache of the test's own, which the environment's variables name |
| `lambda_context` | a `LambdaContext`, for a handler that is called as a function                        |
| `lambda_runtime` | `LocalLambda`, entered; all of them are left when the test is over                    |
"""

# Every run of pytest loads this, also of projects that use none of it: whatever costs something is imported by the
# fixture that needs it.
# ruff: noqa: PLC0415  # see above

import itertools
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, ParamSpec

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from momento_lambda.caching.cache import Cache
    from momento_lambda.client.sync_client import SimpleCacheClient
    from momento_lambda.server import LocalServer
    from momento_lambda.testing.lambda_context import LambdaContext
    from momento_lambda.testing.local_lambda import LocalLambda

P = ParamSpec("P")

# The server is this process's own, so its caches need no other names.
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def momento_server() -> "Iterator[LocalServer]":
    """A cache server in this process, in memory, for the whole run."""
    from momento_lambda.server import LocalServer

    with LocalServer() as server:
        yield server


@pytest.fixture(scope="session")
def _momento_client(momento_server: "LocalServer") -> "Iterator[SimpleCacheClient]":
    from momento_lambda.client.sync_client import SimpleCacheClient

    with SimpleCacheClient(momento_server.credentials, default_ttl=60) as client:
        yield client


@pytest.fixture
def momento_cache(
    momento_server: "LocalServer", _momento_client: "SimpleCacheClient", monkeypatch: pytest.MonkeyPatch
) -> "Iterator[Cache]":
    """A cache of the test's own, empty: what `Cache(...)` and the clients find in the environment."""
    from momento_lambda.caching.cache import Cache
    from momento_lambda.caching.remote import CACHE_NAME_VARIABLE
    from momento_lambda.credentials import API_KEY_VARIABLE, ENDPOINT_VARIABLE
    from momento_lambda.runtime.clients import close_shared_clients

    name = f"test-{next(_numbers)}"
    _momento_client.create_cache(name)
    # A client that was built before would go on talking to whatever the environment said then.
    close_shared_clients()
    # The token names its server; where the developer's own key goes must not come into it.
    monkeypatch.delenv(ENDPOINT_VARIABLE, raising=False)
    monkeypatch.setenv(API_KEY_VARIABLE, momento_server.create_token())
    monkeypatch.setenv(CACHE_NAME_VARIABLE, name)
    yield Cache()
    close_shared_clients()
    _momento_client.delete_cache(name)


@pytest.fixture
def lambda_context() -> "LambdaContext":
    """A context for a handler, with 30 seconds left."""
    from momento_lambda.testing.lambda_context import LambdaContext

    return LambdaContext()


@pytest.fixture
def lambda_runtime() -> "Iterator[Callable[..., LocalLambda]]":
    """Start functions in a local Lambda, with the arguments of `LocalLambda`; each ends with the test."""
    from momento_lambda.testing.local_lambda import LocalLambda

    if sys.platform != "linux":
        pytest.skip("the local Lambda needs awslambdaric, which has wheels for Linux alone")
    with ExitStack() as running:
        yield _started(LocalLambda, running)


def _started(make: "Callable[P, LocalLambda]", running: ExitStack) -> "Callable[P, LocalLambda]":
    def start(*args: P.args, **kwargs: P.kwargs) -> "LocalLambda":
        return running.enter_context(make(*args, **kwargs))

    return start
