"""Nothing that a warm client does takes longer than the invocation has."""

import asyncio
import threading
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import Configuration, CredentialProvider, DeadlineExceededError, SimpleCacheClientAsync
from momento_lambda.runtime.clients import WarmClients
from momento_lambda.runtime.invocation import Invocation

if TYPE_CHECKING:
    from tests.runtime.conftest import Network, Take

PATIENT = 30.0
CONFIGURATION = Configuration(timeout=PATIENT, control_timeout=PATIENT)

CALLS: dict[str, Callable[[SimpleCacheClientAsync], Any]] = {
    "get": lambda client: client.get("cache", "key"),
    "get_multi": lambda client: client.get_multi("cache", ["key", "key"]),
    "set_multi": lambda client: client.set_multi("cache", {"key": "value"}),
    "keys_exist": lambda client: client.keys_exist("cache", ["key"]),
    "increment": lambda client: client.increment("cache", "number"),
    "ping": lambda client: client.ping(),
    "ping with a timeout": lambda client: client.ping(PATIENT),
    "control plane": lambda client: client.list_caches(),
}


@contextmanager
def short_invocation() -> Iterator[None]:
    """An invocation that has a quarter of a second, in which whatever is asked for fails in about that time."""
    begun = real_time.monotonic()
    with Invocation(0.25), pytest.raises(DeadlineExceededError):
        yield
    assert real_time.monotonic() - begun < PATIENT / 3


@pytest.mark.parametrize("method", CALLS)
async def test_every_call(credentials: CredentialProvider, network: "Network", take: "Take", method: str) -> None:
    """Every kind of call is clipped to what the invocation has left, of the control plane too."""
    clients = WarmClients(lambda: credentials, CONFIGURATION, PATIENT)
    client = await take(clients)
    network.fall_silent_from_now()
    with short_invocation():
        await CALLS[method](client)
    await client.close()


async def test_the_first_connection(credentials: CredentialProvider, network: "Network", take: "Take") -> None:
    """So is the first connection, whatever time it has otherwise."""
    network.fall_silent_from_now()
    clients = WarmClients(lambda: credentials, CONFIGURATION, PATIENT)
    with short_invocation():
        await take(clients)
    await (await take(clients)).close()


async def test_waiting_for_another(credentials: CredentialProvider, take: "Take") -> None:
    """So is the wait for another caller that is connecting, as the one that INIT started may be."""
    building, proceed = threading.Event(), threading.Event()

    def find() -> CredentialProvider:
        building.set()
        assert proceed.wait(PATIENT)
        return credentials

    clients = WarmClients(find, CONFIGURATION, PATIENT)
    first = asyncio.ensure_future(take(clients))
    assert await asyncio.to_thread(building.wait, PATIENT)
    with short_invocation():
        await take(clients)
    proceed.set()
    client = await first
    assert client == await take(clients)
    await client.close()


async def test_waiting_without_an_invocation(credentials: CredentialProvider, take: "Take") -> None:
    """Where nobody says how much time there is, nobody waits longer than a first connection may take."""
    proceed = threading.Event()

    def find() -> CredentialProvider:
        assert proceed.wait(PATIENT)
        return credentials

    clients = WarmClients(find, CONFIGURATION, 0.1)
    first, second = (asyncio.ensure_future(take(clients)) for _ in range(2))
    done, _ = await asyncio.wait([first, second], return_when=asyncio.FIRST_COMPLETED)
    with pytest.raises(DeadlineExceededError, match="takes longer"):
        await done.pop()
    proceed.set()
    await asyncio.wait([first, second])
    await (await take(clients)).close()
