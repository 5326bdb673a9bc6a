"""Encrypted connections: who is trusted, and under what name."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import trustme

from momento_lambda import Configuration, CredentialProvider, Hit, UnavailableError
from momento_lambda.server import LocalServer
from tests.certificates import tls_options

if TYPE_CHECKING:
    from tests.twins import Connect

CACHE = "users-cache"
NAME = "cache.example.com"

# A refused handshake is no passing failure, and need not be seen four times.
ONCE = Configuration(retries=0)


@pytest.fixture
def named_server(authority: trustme.CA) -> Iterator[LocalServer]:
    """A server whose certificate carries a name, and not the address that it is reached at."""
    with LocalServer(**tls_options(authority, NAME), caches=[CACHE], grace=0) as server:
        yield server


@pytest.fixture
def provider(named_server: LocalServer, root_certificates: bytes) -> Callable[..., CredentialProvider]:
    """Make credentials for that server."""

    def make(**options: object) -> CredentialProvider:
        trusting: dict[str, object] = {"root_certificates": root_certificates} | options
        return CredentialProvider.from_string(named_server.create_token(), **trusting)  # type: ignore[arg-type]  # each test passes what it tests

    return make


async def test_server_name(connect: "Connect", provider: Callable[..., CredentialProvider]) -> None:
    """A server reached at another address than its certificate names is trusted under the name given."""
    client = connect(provider(tls_server_name=NAME))
    await client.create_cache("new-cache")
    await client.set("new-cache", "key", "value")

    assert Hit(b"value") == await client.get("new-cache", "key")


@pytest.mark.parametrize("expected", [None, "other.example.com"])
async def test_another_name(
    connect: "Connect", provider: Callable[..., CredentialProvider], expected: str | None
) -> None:
    """A certificate of another name than expected is refused, with the reason and the address."""
    client = connect(provider(tls_server_name=expected), configuration=ONCE)

    with pytest.raises(
        UnavailableError, match=r"(?s)(Hostname Verification|not in peer certificate).*Get at 127\.0\.0\.1:\d+"
    ):
        await client.get(CACHE, "key")


async def test_another_authority(connect: "Connect", provider: Callable[..., CredentialProvider]) -> None:
    """A certificate of an authority that is not trusted is refused, with the reason and the address."""
    stranger = trustme.CA().cert_pem.bytes()
    client = connect(provider(root_certificates=stranger, tls_server_name=NAME), configuration=ONCE)

    with pytest.raises(UnavailableError, match=r"(?s)CERTIFICATE_VERIFY_FAILED.*Get at 127\.0\.0\.1:\d+"):
        await client.get(CACHE, "key")


async def test_public_authorities(connect: "Connect", provider: Callable[..., CredentialProvider]) -> None:
    """Without an authority of one's own the public ones are trusted, which do not know this server."""
    client = connect(provider(root_certificates=None, tls_server_name=NAME), configuration=ONCE)

    with pytest.raises(UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        await client.get(CACHE, "key")


async def test_plaintext_to_a_tls_server(connect: "Connect", provider: Callable[..., CredentialProvider]) -> None:
    """A client that does not encrypt gets no answer from a server that does, and is told where."""
    client = connect(provider(root_certificates=None, tls=False), configuration=ONCE)

    with pytest.raises(UnavailableError, match=r"Get at 127\.0\.0\.1:\d+"):
        await client.get(CACHE, "key")


async def test_tls_to_a_plaintext_server(connect: "Connect", root_certificates: bytes) -> None:
    """A client that encrypts refuses a server that does not, and is told so."""
    with LocalServer(caches=[CACHE], grace=0) as server:
        provider = CredentialProvider.from_string(server.create_token(), root_certificates=root_certificates)
        client = connect(provider, configuration=ONCE)

        with pytest.raises(UnavailableError, match=r"(?s)(Tls|Ssl) handshake failed.*Get at 127\.0\.0\.1:\d+"):
            await client.get(CACHE, "key")
