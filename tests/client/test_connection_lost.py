"""Servers that are not there, go away, and come back."""

import socket
from typing import TYPE_CHECKING

import pytest

from momento_lambda import CredentialProvider, Hit, MomentoError, SimpleCacheClientAsync, UnavailableError
from momento_lambda.server import LocalServer, SigningKey

if TYPE_CHECKING:
    from tests.twins import Connect

CACHE = "users-cache"


async def test_nobody_listens(connect: "Connect") -> None:
    """A server that is not there is an UnavailableError that names the call and the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken and not listened at, so that nobody else comes to
        port = taken.getsockname()[1]
        client = connect(CredentialProvider.for_local(port=port))

        with pytest.raises(UnavailableError, match=rf"\(Set at 127\.0\.0\.1:{port}\)") as caught:
            await client.set(CACHE, "key", "value")
        with pytest.raises(UnavailableError, match=rf"\(ListCaches at 127\.0\.0\.1:{port}\)"):
            await client.list_caches()

    assert caught.value.retryable


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_server_appears(connect: "Connect", host: str) -> None:
    """A client made before its server is there finds it as soon as it is."""
    with LocalServer(authenticate=False, grace=0) as first:
        port = first.port
    client = connect(CredentialProvider.for_local(host, port))
    with pytest.raises(UnavailableError):
        await client.ping()

    with LocalServer(port=port, authenticate=False, caches=[CACHE], grace=0):
        await _recover(client)
        await client.set(CACHE, "key", "value")

        assert Hit(b"value") == await client.get(CACHE, "key")


async def test_server_restarts(connect: "Connect") -> None:
    """A client whose server dies says so, and works again by itself when one is back at that address."""
    key = SigningKey.generate()
    with LocalServer(signing_key=key, caches=[CACHE], grace=0) as first:
        port, client = first.port, connect(first.credentials)
        await client.set(CACHE, "key", "before")

    with pytest.raises(UnavailableError, match=f"127.0.0.1:{port}"):
        await client.get(CACHE, "key")

    with LocalServer(port=port, signing_key=key, caches=[CACHE], grace=0):
        await _recover(client)
        await client.set(CACHE, "key", "after")

        assert Hit(b"after") == await client.get(CACHE, "key")


async def _recover(client: SimpleCacheClientAsync) -> None:
    """Ping until there is an answer; each ping pauses between its own attempts."""
    for _ in range(20):
        try:
            return await client.ping()
        except MomentoError as error:
            assert isinstance(error, UnavailableError)  # noqa: PT017  # nothing else may come while it is away
    raise AssertionError("the client did not recover")
