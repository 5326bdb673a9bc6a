"""One suite over {both clients} x {every store}, always against a real server that asks for tokens.

A test's body is written once, for the asynchronous client; the synchronous one is made awaitable.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeAlias, cast

import pytest
import trustme

from momento_lambda import (
    CacheInfo,
    Configuration,
    CredentialProvider,
    SimpleCacheClient,
    SimpleCacheClientAsync,
)
from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.conftest import RedisClock

CACHE: Final = "users-cache"
OTHER_CACHE: Final = "orders-cache"

STORES: Final = ("memory", "memory with TLS", "redis", "redis cluster")
"""Where caches are. To TLS it makes no difference, so it is tried with one of them."""

Connect: TypeAlias = Callable[..., SimpleCacheClientAsync]


class ManualClock:
    """The server's time, which stands still until a test moves it."""

    def __init__(self) -> None:
        self._now = 1_000_000_000_000

    def __call__(self) -> int:
        """Return the time in nanoseconds."""
        return self._now

    def advance(self, *, milliseconds: int) -> None:
        """Let time pass."""
        self._now += milliseconds * 1_000_000


class AwaitableClient:
    """A synchronous client that is awaited: every call runs in a thread of its own."""

    def __init__(self, client: SimpleCacheClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        return partial(asyncio.to_thread, getattr(self._client, name))

    async def iter_caches(self) -> AsyncIterator[CacheInfo]:
        """Yield every cache."""
        for cache in await asyncio.to_thread(lambda: list(self._client.iter_caches())):
            yield cache

    async def __aenter__(self) -> Self:
        self._client.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._client.__exit__, kind, error, traceback)


def awaitable_client(
    credentials: str | CredentialProvider, default_ttl: float, *, configuration: Configuration | None = None
) -> SimpleCacheClientAsync:
    """Return a synchronous client with the face of the asynchronous one."""
    client = SimpleCacheClient(credentials, default_ttl, configuration=configuration)
    return cast("SimpleCacheClientAsync", AwaitableClient(client))


TWINS: Final[dict[str, Connect]] = {"sync": awaitable_client, "async": SimpleCacheClientAsync}


class Clock(Protocol):
    """The time that the items of a server go by, which stands still until a test moves it."""

    def advance(self, *, milliseconds: int) -> None:
        """Let time pass."""
        ...


class StoreClock:
    """The time of a server whose items are on Redis."""

    def __init__(self, redis_clock: "RedisClock") -> None:
        self._redis_clock = redis_clock

    def advance(self, *, milliseconds: int) -> None:
        """Let time pass."""
        self._redis_clock.advance(timedelta(milliseconds=milliseconds))


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The authority that signs the server's certificate."""
    return trustme.CA()


@pytest.fixture(scope="session")
def root_certificates(authority: trustme.CA) -> bytes:
    """The authority's own certificate, as clients are given it."""
    return authority.cert_pem.bytes()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    """Where the caches are."""
    return str(request.param)


@pytest.fixture
def transport(store: str) -> str:
    """How bytes travel."""
    return "tls" if store.endswith("TLS") else "plaintext"


@pytest.fixture
def options(store: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a server over an empty store is made with."""
    if not store.startswith("redis"):
        return {}
    if store == "redis":
        nodes = [request.getfixturevalue("redis_server")]
        url = f"valkey://{nodes[0].address}"
    else:
        cluster = request.getfixturevalue("redis_cluster")
        nodes, url = cluster.nodes, f"valkey-cluster://{cluster.addresses}"
    for node in nodes:
        node.command("FLUSHALL")
    return {"store": url}


@pytest.fixture
def clock(store: str, request: pytest.FixtureRequest) -> Clock:
    """The time that items go by."""
    return StoreClock(request.getfixturevalue("redis_clock")) if store.startswith("redis") else ManualClock()


@pytest.fixture
def server(options: dict[str, Any], transport: str, clock: Clock, authority: trustme.CA) -> Iterator[LocalServer]:
    """A server that asks for tokens, with two empty caches."""
    if transport == "tls":
        certificate = authority.issue_cert("127.0.0.1")
        options["tls_certificate"] = b"".join(part.bytes() for part in certificate.cert_chain_pems)
        options["tls_key"] = certificate.private_key_pem.bytes()
    if isinstance(clock, ManualClock):
        options["clock"] = clock
    with LocalServer(caches=[CACHE, OTHER_CACHE], grace=0, **options) as running:
        yield running


@pytest.fixture
def credentials_for(transport: str, root_certificates: bytes) -> Callable[[str], CredentialProvider]:
    """Make credentials of a token of the server."""

    def make(token: str) -> CredentialProvider:
        trusted = root_certificates if transport == "tls" else None
        return CredentialProvider.from_string(token, root_certificates=trusted)

    return make


@pytest.fixture
def credentials(server: LocalServer, credentials_for: Callable[[str], CredentialProvider]) -> CredentialProvider:
    """Credentials that allow everything."""
    return credentials_for(server.create_token())


@pytest.fixture(params=list(TWINS))
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Make clients, which are closed when the test ends."""
    async with AsyncExitStack() as stack:

        def make(
            credentials: str | CredentialProvider,
            default_ttl: float = 60,
            *,
            configuration: Configuration | None = None,
        ) -> SimpleCacheClientAsync:
            client = TWINS[request.param](credentials, default_ttl, configuration=configuration)
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
async def client(connect: Connect, credentials: CredentialProvider) -> SimpleCacheClientAsync:
    """A client that may do everything; its items live for a minute."""
    return connect(credentials)


@pytest.fixture
async def unconnected(connect: Connect) -> SimpleCacheClientAsync:
    """A client of an address where nobody listens: whatever it sends ends as UnavailableError."""
    return connect(CredentialProvider.for_local(port=1))
