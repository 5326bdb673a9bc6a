"""Connections that say nothing: one that may be dead is replaced for the next call, and no other."""

import asyncio
import threading
from typing import TYPE_CHECKING

import grpc
import pytest

from momento_lambda import CancelledError, DeadlineExceededError, SimpleCacheClientAsync

if TYPE_CHECKING:
    from tests.client.conftest import ScriptedServer
    from tests.twins import Connect

CACHE = "users-cache"
PATIENT = 30.0
LONG_ENOUGH, TOO_SHORT = 0.2, 0.05


@pytest.fixture
def client(connect: "Connect", server: "ScriptedServer") -> SimpleCacheClientAsync:
    """A client with all the time in the world, where a call does not say otherwise."""
    return connect(server.credentials, timeout=PATIENT)


def connections(server: "ScriptedServer") -> int:
    """Return how many connections attempts came on."""
    return len({attempt.peer for attempt in server.attempts})


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


async def test_a_server_that_goes_away(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """What a server cancels on a connection that was good, as one does that is being stopped, is asked anew on another.

    Once: the other has not been good for anything yet.
    """
    await client.get(CACHE, "key")
    server.fail(grpc.StatusCode.CANCELLED, first=1)
    await client.get(CACHE, "key")
    assert (2, 3) == (connections(server), len(server.attempts))
    server.fail(grpc.StatusCode.CANCELLED)
    with pytest.raises(CancelledError):
        await client.get(CACHE, "key")
    assert (3, 5) == (connections(server), len(server.attempts))


async def test_impatience(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """A caller with next to no time left learns nothing of the connection."""
    await client.get(CACHE, "key")
    server.hang()
    await time_out(client, TOO_SHORT)
    server.recover()
    await client.get(CACHE, "key")
    assert 1 == connections(server)
