"""The end of a client: closed, closed under a call, cancelled, or taken to another event loop."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import grpc
import pytest

from momento_lambda import (
    CancelledError,
    ClientStateError,
    Miss,
    SimpleCacheClient,
    SimpleCacheClientAsync,
)

if TYPE_CHECKING:
    from tests.client.conftest import ScriptedServer

Call: TypeAlias = Callable[[SimpleCacheClientAsync], Awaitable[object]]

CALLS: dict[str, Call] = {
    "get": lambda client: client.get("cache", "key"),
    "set_if_absent": lambda client: client.set_if_absent("cache", "key", "value"),
    "get_multi": lambda client: client.get_multi("cache", ["key", "key"]),
    "set_multi": lambda client: client.set_multi("cache", {"key": "value"}),
    "list_caches": lambda client: client.list_caches(),
    "ping": lambda client: client.ping(),
}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("used", [True, False], ids=["used before", "never used"])
async def test_call_after_close(
    client: SimpleCacheClientAsync, server: "ScriptedServer", method: str, *, used: bool
) -> None:
    """A closed client refuses every call without sending it, whether or not it was ever used."""
    if used:
        await CALLS[method](client)
    before = len(server.attempts)

    await client.close()

    with pytest.raises(ClientStateError, match="the client is closed: make a new one"):
        await CALLS[method](client)
    assert before == len(server.attempts)


async def test_closing_again(client: SimpleCacheClientAsync) -> None:
    """Closing a client again does nothing."""
    await client.get("cache", "key")

    await client.close()
    await client.close()


@pytest.mark.parametrize("method", CALLS)
async def test_closing_during_a_call(client: SimpleCacheClientAsync, server: "ScriptedServer", method: str) -> None:
    """A call that is under way when the client is closed ends at once as an error of this library."""
    server.hang()
    call = asyncio.ensure_future(CALLS[method](client))
    await server.wait_for_attempt()

    await client.close()

    with pytest.raises(CancelledError):
        await call


async def test_closing_many_calls(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """Every call under way ends when the client is closed, and none hangs."""
    server.hang()
    calls = [asyncio.ensure_future(client.get("cache", str(number))) for number in range(5)]
    for _ in calls:
        await server.wait_for_attempt()

    await client.close()

    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [CancelledError] * len(calls) == [type(outcome) for outcome in outcomes]


def test_closing_between_attempts(server: "ScriptedServer", monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of a thread that is between two attempts when the client is closed makes no other."""
    client = SimpleCacheClient(server.credentials, 60)
    server.fail(grpc.StatusCode.UNAVAILABLE)
    monkeypatch.setattr(time, "sleep", lambda _pause: client.close())

    with pytest.raises(ClientStateError, match="the client is closed"):
        client.get("cache", "key")

    assert 1 == len(server.attempts)


async def test_closing_between_attempts_of_a_task(server: "ScriptedServer", monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of a task that is between two attempts when the client is closed makes no other."""
    client = SimpleCacheClientAsync(server.credentials, 60)
    server.fail(grpc.StatusCode.UNAVAILABLE)
    monkeypatch.setattr(asyncio, "sleep", lambda _pause: client.close())

    with pytest.raises(ClientStateError, match="the client is closed"):
        await client.get("cache", "key")

    assert 1 == len(server.attempts)


async def test_cancelling_the_caller(server: "ScriptedServer") -> None:
    """A cancelled task ends as asyncio's own CancelledError, and the client goes on working."""
    async with SimpleCacheClientAsync(server.credentials, 60) as client:
        server.hang()
        for method in ("get", "get_multi"):
            task = asyncio.ensure_future(CALLS[method](client))
            await server.wait_for_attempt()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        server.recover()
        assert Miss() == await client.get("cache", "key")


async def test_cancelling_the_caller_of_a_closed_client(server: "ScriptedServer") -> None:
    """A task that is cancelled and whose client is closed at the same moment is a cancelled task."""
    client = SimpleCacheClientAsync(server.credentials, 60)
    server.hang()
    task = asyncio.ensure_future(client.get("cache", "key"))
    await server.wait_for_attempt()

    task.cancel()
    await client.close()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_timeout_of_the_caller(server: "ScriptedServer") -> None:
    """A call inside asyncio.timeout() ends as TimeoutError when that is over."""
    async with SimpleCacheClientAsync(server.credentials, 60) as client:
        server.hang()

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.get("cache", "key")


@pytest.mark.parametrize("first", CALLS)
@pytest.mark.parametrize("second", CALLS)
def test_second_event_loop(server: "ScriptedServer", first: str, second: str) -> None:
    """Whatever the first call was, a client belongs to its event loop, and refuses every call from another."""
    client = SimpleCacheClientAsync(server.credentials, 60)

    async def use(method: str) -> None:
        await CALLS[method](client)

    with asyncio.Runner() as owner:
        owner.run(use(first))
        with asyncio.Runner() as other, pytest.raises(ClientStateError, match="belongs to another event loop"):
            other.run(use(second))
        with asyncio.Runner() as other, pytest.raises(ClientStateError, match="belongs to another event loop"):
            other.run(client.close())
        owner.run(use(second))
        owner.run(client.close())
    assert 2 == len(server.attempts)


def test_made_outside_of_any_event_loop(server: "ScriptedServer") -> None:
    """A client may be made where no event loop runs: it belongs to that of its first call."""
    client = SimpleCacheClientAsync(server.credentials, 60)

    async def use() -> object:
        async with client:
            return await client.get("cache", "key")

    assert Miss() == asyncio.run(use())


def test_closed_in_another_loop_than_none(server: "ScriptedServer") -> None:
    """A client that was never used can be closed in any event loop."""
    client = SimpleCacheClientAsync(server.credentials, 60)

    asyncio.run(client.close())


def test_forgotten_client(server: "ScriptedServer") -> None:
    """A client that nobody closed goes without a warning when nobody holds it any more."""
    client = SimpleCacheClient(server.credentials, 60)
    client.get("cache", "key")

    del client
    gc.collect()

    assert 1 == len(server.attempts)
