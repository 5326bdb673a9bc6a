"""A token that is rotated: the server refuses the old one, and the new one is found by itself."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from momento_lambda import AuthenticationError, Configuration, CredentialProvider, Miss
from momento_lambda.runtime.clients import WarmClients
from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.runtime.conftest import Take, Time

PATIENT = 30.0


class Vault:
    """Holds what the server accepts, or does not, and counts who asks."""

    def __init__(self, server: LocalServer) -> None:
        self._endpoint = server.credentials.cache_endpoint
        self.token = server.create_token()
        self.asked = 0

    def find(self) -> CredentialProvider:
        """Return the credentials."""
        self.asked += 1
        return CredentialProvider(self.token, cache_endpoint=self._endpoint, control_endpoint=self._endpoint)


@pytest.fixture
def vault(server: LocalServer) -> Vault:
    """Holds a token of the server's."""
    return Vault(server)


@pytest.fixture
def clients(vault: Vault, time: "Time") -> Iterator[WarmClients]:
    """Clients with that token."""
    warm = WarmClients(vault.find, Configuration(timeout=PATIENT), PATIENT, clocks=time.clocks)
    yield warm
    warm.close()


async def test_a_revoked_token(take: "Take", time: "Time") -> None:
    """One call fails when the server no longer takes the token, and the next is made with the one that is there now.

    The server that is back on the port has another signing key: what the first one signed is worth nothing to it.
    """
    with LocalServer(caches=["cache"], grace=0) as first:
        port, vault = first.port, Vault(first)
        clients = WarmClients(vault.find, Configuration(timeout=PATIENT), PATIENT, clocks=time.clocks)
        old = await take(clients)
        assert Miss() == await old.get("cache", "absent")
    time.pass_by(60)
    with LocalServer(port=port, caches=["cache"], grace=0) as second:
        vault.token = second.create_token()
        with pytest.raises(AuthenticationError):
            await old.get("cache", "absent")
        new = await take(clients)
        assert Miss() == await new.get("cache", "absent")
        assert new == await take(clients)
        assert 2 == vault.asked
        for client in (old, new):
            await client.close()


async def test_not_rotated_yet(
    take: "Take", server: LocalServer, clients: WarmClients, vault: Vault, time: "Time"
) -> None:
    """As long as what is found is refused too, it is looked up once in ten seconds and not at each call."""
    vault.token = "revoked"
    for asked in (1, 2, 3):
        for _ in range(3):
            client = await take(clients)
            with pytest.raises(AuthenticationError):
                await client.get("cache", "absent")
        assert asked == vault.asked
        time.pass_by(11)
        with pytest.raises(AuthenticationError):
            await client.get("cache", "absent")
    vault.token = server.create_token()
    assert Miss() == await (await take(clients)).get("cache", "absent")
    assert 4 == vault.asked


async def test_each_client_by_its_own_refusal(
    server: LocalServer, clients: WarmClients, vault: Vault, time: "Time"
) -> None:
    """The new token is looked up once for all; a client with the old one is replaced when it is refused itself."""
    vault.token = "revoked"
    for_threads, for_loop = clients.for_threads(), await clients.for_loop()
    vault.token = server.create_token()
    time.pass_by(60)
    with pytest.raises(AuthenticationError):
        for_threads.get("cache", "absent")
    fresh = clients.for_threads()
    assert Miss() == fresh.get("cache", "absent")
    with pytest.raises(AuthenticationError):
        for_threads.get("cache", "absent")
    assert fresh is clients.for_threads()
    assert for_loop is await clients.for_loop()
    with pytest.raises(AuthenticationError):
        await for_loop.get("cache", "absent")
    assert Miss() == await (await clients.for_loop()).get("cache", "absent")
    assert 2 == vault.asked
    await (await clients.for_loop()).close()
