"""One deadline for a whole operation: every attempt, every pause, every part of a batch."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING

import grpc
import pytest

from momento_lambda import DeadlineExceededError, SimpleCacheClientAsync, UnavailableError
from momento_lambda.client import async_client, sync_client

if TYPE_CHECKING:
    from tests.client.conftest import ScriptedServer
    from tests.twins import Connect

# What gRPC rounds up when it tells the server, and a busy machine's delay; the pauses are more than twice as long.
TOLERANCE = 0.4


async def test_attempts_share_the_deadline(connect: "Connect", server: "ScriptedServer") -> None:
    """However many attempts are made, the server is told of the same moment at which the caller's patience ends."""
    server.fail(grpc.StatusCode.UNAVAILABLE)

    with pytest.raises(UnavailableError):
        await connect(server.credentials, timeout=6.0, retries=4).get("cache", "key")

    deadlines = [attempt.deadline for attempt in server.attempts]
    assert 5 == len(deadlines)
    # The pauses take at least 0.85 seconds together: an attempt with the whole timeout would end that much later.
    assert deadlines[-1] < deadlines[0] + TOLERANCE
    assert server.attempts[-1].time_left < server.attempts[0].time_left - TOLERANCE


async def test_no_attempt_after_the_deadline(connect: "Connect", server: "ScriptedServer") -> None:
    """Where a pause would outlast the deadline there is no further attempt, whatever number is allowed."""
    server.fail(grpc.StatusCode.UNAVAILABLE)

    with pytest.raises((UnavailableError, DeadlineExceededError)):
        await connect(server.credentials, timeout=0.5, retries=1_000).get("cache", "key")

    assert len(server.attempts) <= 5


LONG = ["a" * 3_000_000, "b" * 3_000_000]
BATCHES: dict[str, Callable[[SimpleCacheClientAsync], Awaitable[object]]] = {
    "get_multi": lambda client: client.get_multi("cache", LONG),
    "set_multi": lambda client: client.set_multi("cache", dict.fromkeys(LONG, "value")),
    "keys_exist": lambda client: client.keys_exist("cache", LONG),
}


@pytest.mark.parametrize("method", BATCHES)
async def test_parts_of_a_batch_share_the_deadline(
    connect: "Connect", server: "ScriptedServer", monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """A batch that takes several messages has one timeout for all: what one part took, the next no longer has."""
    now = [0.0]
    for module in (async_client, sync_client):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[-1]))
    server.answer = lambda _context: now.append(now[-1] + 6)

    await BATCHES[method](connect(server.credentials, timeout=10.0))

    first, second = (attempt.time_left for attempt in server.attempts)
    assert 8 < first <= 11
    assert second <= 5


HANGING: dict[str, Callable[[SimpleCacheClientAsync], Awaitable[object]]] = {
    "Get": lambda client: client.get("cache", "key"),
    "GetBatch": lambda client: client.get_multi("cache", ["key", "key"]),
    "SetIf": lambda client: client.set_if_absent("cache", "key", "value"),
}


@pytest.mark.parametrize("rpc", HANGING)
async def test_server_that_hangs(connect: "Connect", server: "ScriptedServer", rpc: str) -> None:
    """A server that never answers costs one timeout: DeadlineExceededError, with the call and the address."""
    server.hang()
    client = connect(server.credentials, timeout=0.2)

    with pytest.raises(DeadlineExceededError, match=rf"\({rpc} at {server.target}\)"):
        await HANGING[rpc](client)

    assert 1 == len(server.attempts)


async def test_the_control_plane_is_patient(connect: "Connect", server: "ScriptedServer") -> None:
    """A call of the control plane has a timeout of its own."""
    client = connect(server.credentials, timeout=1.0, control_timeout=30.0)

    await client.list_caches()
    await client.get("cache", "key")

    control, data = (attempt.time_left for attempt in server.attempts)
    assert 20 < control <= 31
    assert data <= 2


async def test_ping_takes_a_timeout(connect: "Connect", server: "ScriptedServer") -> None:
    """A ping takes as long as its own argument allows, else as the configuration does."""
    client = connect(server.credentials, timeout=30.0)

    await client.ping(timeout=1.0)
    await client.ping()

    short, usual = (attempt.time_left for attempt in server.attempts)
    assert short <= 2
    assert 20 < usual <= 31
