"""One suite over {both clients} x {every store}, always against a real server that asks for tokens.

A test's body is written once, for the asynchronous client, and runs with its twin too.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final, Protocol, cast

import pytest
import trustme

from momento_lambda import Configuration, CredentialProvider, SimpleCacheClientAsync
from momento_lambda.server import LocalServer, ManualClock
from tests.certificates import tls_options
from tests.twins import TWINS, Connect

CACHE: Final = "users-cache"
OTHER_CACHE: Final = "orders-cache"

STORES: Final = ("memory", "memory with TLS", "redis", "redis cluster")
"""Where caches are. To TLS it makes no difference, so it is tried with one of them."""


class Clock(Protocol):
    """The time that the items of a server go by, which stands still until a test moves it."""

    def advance(self, duration: timedelta) -> None:
        """Let time pass."""
        ...


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
    return cast("Clock", request.getfixturevalue("redis_clock")) if store.startswith("redis") else ManualClock()


@pytest.fixture
def server(options: dict[str, Any], transport: str, clock: Clock, authority: trustme.CA) -> Iterator[LocalServer]:
    """A server that asks for tokens, with two empty caches."""
    if transport == "tls":
        options |= tls_options(authority)
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
