"""The official SDK against our server, and our client against the official service definition."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import pytest
import trustme
from momento import CacheClient, CacheClientAsync, Configurations, CredentialProvider
from momento.config import Configuration

from momento_lambda import CredentialProvider as OurCredentialProvider
from momento_lambda import SimpleCacheClient
from momento_lambda.server import LocalServer
from tests.certificates import tls_options
from tests.twins import AwaitableClient

CACHE: Final = "users-cache"
NOW: Final = 1_000_000_000_000

Connect: TypeAlias = Callable[..., CacheClientAsync]


def awaitable_client(
    configuration: Configuration, credentials: CredentialProvider, default_ttl: timedelta
) -> CacheClientAsync:
    """Return the official synchronous client with the face of the asynchronous one."""
    return cast("CacheClientAsync", AwaitableClient(CacheClient(configuration, credentials, default_ttl)))


TWINS: Final[dict[str, Connect]] = {"sync": awaitable_client, "async": CacheClientAsync}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The authority that signs the server's certificate."""
    return trustme.CA()


@pytest.fixture(params=["plaintext", "tls"])
def transport(request: pytest.FixtureRequest) -> str:
    """How bytes travel."""
    return str(request.param)


@pytest.fixture
def server(transport: str, authority: trustme.CA) -> Iterator[LocalServer]:
    """Our server, with one cache, a clock that stands still, and faults for those who ask."""
    options: dict[str, Any] = {}
    if transport == "tls":
        options |= tls_options(authority)
    with LocalServer(clock=lambda: NOW, faults=True, caches=[CACHE], grace=0, **options) as running:
        yield running


@pytest.fixture
def configuration(transport: str, authority: trustme.CA, tmp_path: Path) -> Configuration:
    """The official configuration, which is told of the authority where there is one."""
    laptop = Configurations.Laptop.latest()
    if transport == "plaintext":
        return laptop
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return laptop.with_root_certificates_pem(path)


@pytest.fixture(params=list(TWINS))
async def connect(
    request: pytest.FixtureRequest, server: LocalServer, transport: str, configuration: Configuration
) -> AsyncIterator[Connect]:
    """Make official clients of our server, which are closed when the test ends."""
    async with AsyncExitStack() as stack:

        def make(token: str, settings: Configuration = configuration) -> CacheClientAsync:
            # The official client encrypts if and only if the port is 443, and then takes the address as it is.
            host, port = ("127.0.0.1", server.port) if transport == "plaintext" else (server.address, 443)
            provider = CredentialProvider(token, host, host, host, port)
            client = TWINS[request.param](settings, provider, timedelta(seconds=60))
            stack.push_async_exit(client.__aexit__)
            return client

        yield make


@pytest.fixture
async def official(connect: Connect, server: LocalServer) -> CacheClientAsync:
    """The official client, with a token of ours that allows everything."""
    return connect(server.create_token())


@pytest.fixture
def ours(server: LocalServer, transport: str, authority: trustme.CA) -> Iterator[SimpleCacheClient]:
    """Our client of the same server."""
    trusted = authority.cert_pem.bytes() if transport == "tls" else None
    provider = OurCredentialProvider.from_string(server.create_token(), root_certificates=trusted)
    with SimpleCacheClient(provider, 60) as client:
        yield client
