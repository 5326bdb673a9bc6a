"""A client that is left alone, as in a freeze: its connection is made anew, or found dead and made anew."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import grpc.aio
import pytest

from momento_lambda import (
    CancelledError,
    ClientStateError,
    Configuration,
    CredentialProvider,
    DeadlineExceededError,
    Hit,
    Miss,
    SimpleCacheClientAsync,
    Stored,
)
from momento_lambda.server import LocalServer

if TYPE_CHECKING:
    from tests.runtime.conftest import Network, Time

PATIENT = 30.0
FOUR_MINUTES = 240.0
PAUSE = 60.0
"""Seconds without a call after which nothing has to be wrong, but may."""

Connect: TypeAlias = Callable[..., SimpleCacheClientAsync]


@pytest.fixture
async def connect(
    make: Callable[..., SimpleCacheClientAsync], credentials: CredentialProvider, time: "Time"
) -> AsyncIterator[Connect]:
    """Make clients on this network and these clocks, which are closed when the test ends."""
    made: list[SimpleCacheClientAsync] = []

    def build(**settings: Any) -> SimpleCacheClientAsync:
        configuration = Configuration(**{"timeout": PATIENT, "keepalive_time": None} | settings)
        made.append(make(credentials, 60, configuration=configuration, clocks=time.clocks))
        return made[-1]

    yield build
    for client in made:
        await client.close()


def wall_only(time: "Time", seconds: float) -> None:
    """Let the wall clock go on alone, as in a freeze that the monotonic clock sleeps through."""
    time.wall += seconds


def monotonic_only(time: "Time", seconds: float) -> None:
    """Let the monotonic clock go on while the wall clock is set back."""
    time.monotonic += seconds
    time.wall -= 3_600


@pytest.mark.parametrize("rest", [wall_only, monotonic_only])
@pytest.mark.parametrize("seconds", [239, 241, 86_400])
async def test_a_long_rest(
    connect: Connect, network: "Network", time: "Time", rest: Callable[["Time", float], None], *, seconds: float
) -> None:
    """After four minutes without a call, by either clock, the next one is made on a new connection."""
    client = connect()
    await client.set("cache", "key", "value")
    rest(time, seconds)
    assert Hit(b"value") == await client.get("cache", "key")
    assert Hit(b"value") == await client.get("cache", "key")
    assert (1 if seconds <= FOUR_MINUTES else 2) == network.connections


async def test_the_old_connection_is_closed_first(
    connect: Connect, time: "Time", monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are never two: the channel that rested is closed before another is made."""
    events: list[str] = []

    def noting(make: Callable[..., Any]) -> Callable[..., Any]:
        def make_and_note(*args: Any) -> Any:
            channel = make(*args)
            close = channel.close

            def close_and_note() -> Any:
                events.append("closed")
                return close()

            monkeypatch.setattr(channel, "close", close_and_note)
            events.append("made")
            return channel

        return make_and_note

    for module in (grpc, grpc.aio):
        monkeypatch.setattr(module, "insecure_channel", noting(module.insecure_channel))
    client = connect()
    await client.ping()
    time.pass_by(300)
    await client.ping()
    assert ["made", "closed", "made"] == events


async def test_no_rest(connect: Connect, network: "Network", time: "Time") -> None:
    """However long a client lives, it keeps its connection while it is in use; and so when clocks are set back."""
    client = connect()
    for _ in range(10):
        await client.get("cache", "key")
        time.pass_by(200)
    time.wall -= 100_000
    await client.get("cache", "key")
    assert 1 == network.connections


async def test_many_wake_it_at_once(connect: Connect, network: "Network", time: "Time") -> None:
    """Callers that come at once after a long rest share the one new connection, and none of them fails."""
    client = connect()
    await client.set("cache", "key", "value")
    time.pass_by(300)
    answers = await asyncio.gather(*(client.get("cache", "key") for _ in range(20)))
    assert {Hit(b"value")} == set(answers)
    assert 2 == network.connections


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda client: client.get("cache", "key"), Hit(b"value")),
        (lambda client: client.get_multi("cache", ["key", "key"]), (Hit(b"value"), Hit(b"value"))),
        (lambda client: client.set("cache", "key", "value"), None),
    ],
    ids=["get", "get_multi", "set"],
)
async def test_a_connection_that_fell_silent(
    connect: Connect, network: "Network", time: "Time", call: Callable[[SimpleCacheClientAsync], Any], *, answer: object
) -> None:
    """After a pause the first call has half of its time on the old connection, and the other half on a new one."""
    client = connect(timeout=1.2)
    await client.set("cache", "key", "value")
    network.fall_silent()
    time.pass_by(PAUSE)
    assert answer == await call(client)
    assert 2 == network.connections


async def test_all_callers_of_a_silent_connection(connect: Connect, network: "Network", time: "Time") -> None:
    """Whoever else waits on a connection that is given up goes on on the new one."""
    client = connect(timeout=2.0)
    await client.set("cache", "key", "value")
    network.fall_silent()
    time.pass_by(PAUSE)
    answers = await asyncio.gather(*(client.get("cache", "key") for _ in range(20)))
    assert {Hit(b"value")} == set(answers)
    assert 2 == network.connections


async def test_a_connection_that_was_reset(connect: Connect, network: "Network", time: "Time") -> None:
    """A connection that was reset in a pause costs nobody anything."""
    client = connect()
    await client.set("cache", "key", "value")
    network.reset()
    time.pass_by(PAUSE)
    assert Hit(b"value") == await client.get("cache", "key")


async def test_what_must_not_be_repeated(connect: Connect, network: "Network", time: "Time") -> None:
    """A call that is not safe to repeat is made, once, on a connection that was just seen to live."""
    client = connect(timeout=1.2)
    await client.delete("cache", "new")
    network.fall_silent()
    time.pass_by(PAUSE)
    assert isinstance(await client.set_if_absent("cache", "new", "value"), Stored)
    assert 2 == network.connections


async def test_without_retries(connect: Connect, network: "Network", time: "Time") -> None:
    """A client without retries makes one attempt with its whole time, and the next call on a new connection."""
    client = connect(timeout=1.0, retries=0)
    await client.set("cache", "key", "value")
    network.fall_silent()
    time.pass_by(PAUSE)
    with pytest.raises(DeadlineExceededError):
        await client.get("cache", "key")
    assert Hit(b"value") == await client.get("cache", "key")
    assert 2 == network.connections


async def test_a_connection_that_never_was(connect: Connect, network: "Network", time: "Time") -> None:
    """What never answered is not given up after a pause: it may still be connecting, and would never be done."""
    client = connect(timeout=0.2)
    network.fall_silent_from_now()
    for _ in range(3):
        with pytest.raises(DeadlineExceededError):
            await client.get("cache", "key")
        time.pass_by(PAUSE)
    assert 1 == network.connections


async def test_disconnecting(connect: Connect, network: "Network") -> None:
    """A client that is disconnected connects again, as often as one likes; a closed one stays closed."""
    client = connect()
    await client.disconnect()
    for connections in (1, 2, 3):
        assert isinstance(await client.get("cache", "nothing"), Miss)
        assert connections == network.connections
        await client.disconnect()
        await client.disconnect()
    network.wait_until_closed()
    await client.close()
    await client.disconnect()
    with pytest.raises(ClientStateError, match="closed"):
        await client.get("cache", "nothing")


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda client: client.get("cache", "key"), Hit(b"value")),
        (lambda client: client.get_multi("cache", ["key", "key"]), (Hit(b"value"), Hit(b"value"))),
        (lambda client: client.increment("cache", "number"), None),
    ],
    ids=["get", "get_multi", "increment"],
)
async def test_disconnecting_under_a_call(
    connect: Connect, network: "Network", call: Callable[[SimpleCacheClientAsync], Any], answer: object
) -> None:
    """A call under way when its client is disconnected is repeated where that is safe, and else ends as cancelled."""
    client = connect()
    await client.set("cache", "key", "value")
    network.fall_silent()
    under_way = asyncio.ensure_future(call(client))
    await network.wait_until_swallowed()
    await client.disconnect()
    if answer is None:
        with pytest.raises(CancelledError):
            await under_way
    else:
        assert answer == await under_way
    await client.get("cache", "key")
    assert 2 == network.connections


def test_disconnecting_in_another_loop(server: LocalServer) -> None:
    """A client of an event loop is disconnected there, and goes on there."""
    client = SimpleCacheClientAsync(server.credentials, 60)
    with asyncio.Runner() as owner:
        owner.run(client.ping())
        with asyncio.Runner() as other, pytest.raises(ClientStateError, match="another event loop"):
            other.run(client.disconnect())
        owner.run(client.disconnect())
        owner.run(client.ping())
        owner.run(client.close())
