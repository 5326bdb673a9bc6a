"""Connections that say nothing: one that may be dead is replaced for the next call, and no other."""

import asyncio
import threading
from typing import TYPE_CHECKING

import grpc
import pytest

from momento_lambda import DeadlineExceededError, SimpleCacheClientAsync

if TYPE_CHECKING:
    from tests.client.conftest import Connect, ScriptedServer

CACHE = "users-cache"
PATIENT = 30.0
LONG_ENOUGH, TOO_SHORT = 0.2, 0.05


@pytest.fixture
def client(connect: "Connect", server: "ScriptedServer") -> SimpleCacheClientAsync:
    """A client with all the time in the world, where a call does not say otherwise."""
    return connect(server.credentials, timeout=PATIENT)


def connections(server: "ScriptedServer") -> int:
    """Return how many connections attempts came on: the first on each introduces the client."""
    return sum("agent" in attempt.headers for attempt in server.attempts)


async def time_out(client: SimpleCacheClientAsync, seconds: float) -> None:
    """Make a call that is not answered."""
    with pytest.raises(DeadlineExceededError):
        await client.ping(seconds)


async def test_silence_in_use(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """Where a connection that was good says nothing while a call waits, the next call is made on another."""
    await client.get(CACHE, "key")
    server.hang()
    await time_out(client, LONG_ENOUGH)
    server.recover()
    await client.get(CACHE, "key")
    assert 2 == connections(server)


async def test_silence_goes_on(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """A server that answers nobody is not connected to again and again: what never answered is left alone."""
    await client.get(CACHE, "key")
    server.hang()
    for _ in range(4):
        await time_out(client, LONG_ENOUGH)
    assert 2 == connections(server)


async def test_others_are_answered(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """A connection on which others are answered meanwhile is not to blame for a call that is not."""
    await client.get(CACHE, "key")
    await server.wait_for_attempt()
    slow = threading.Event()

    def hang_once(_: grpc.ServicerContext) -> None:
        server.recover()
        slow.wait(PATIENT)

    server.answer = hang_once
    unanswered = asyncio.ensure_future(time_out(client, 1.0))
    await server.wait_for_attempt()
    await client.get(CACHE, "key")
    await unanswered
    slow.set()
    await client.get(CACHE, "key")
    assert 1 == connections(server)


async def test_impatience(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """A caller with next to no time left learns nothing of the connection."""
    await client.get(CACHE, "key")
    server.hang()
    await time_out(client, TOO_SHORT)
    server.recover()
    await client.get(CACHE, "key")
    assert 1 == connections(server)
