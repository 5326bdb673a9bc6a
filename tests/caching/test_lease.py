from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import Cache, Hit, Miss, SimpleCacheClient
from momento_lambda.caching import running
from momento_lambda.caching.read_aside import LEASE_SUFFIX
from momento_lambda.errors import InvalidArgumentError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.caching.conftest import Calls, Faults, Make, Side, Wall

LEASE = f"key{LEASE_SUFFIX}"


class Sleep(list[float]):
    """The pauses that were made, none of which took any time; each may be a moment in which something happens."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[int], object] = lambda _: None

    def __call__(self, seconds: float) -> None:
        """Pause."""
        self.append(seconds)
        self.meanwhile(len(self))

    async def later(self, seconds: float) -> None:
        """Pause, for coroutines."""
        self(seconds)


@pytest.fixture
def sleep(monkeypatch: pytest.MonkeyPatch) -> Sleep:
    """What pauses, for both sides."""
    sleep = Sleep()
    original = running.Runner.__init__

    def with_sleep(self: running.Runner, clients: Any, cache_name: str | None, flights: Any) -> None:
        original(self, clients, cache_name, flights, sleep)

    monkeypatch.setattr(running.Runner, "__init__", with_sleep)
    monkeypatch.setattr(running, "_sleep_async", sleep.later)
    return sleep


async def test_the_holder_loads_and_lets_go(
    faults: "Faults", make_cache: "Make", side: "Side", *, sleep: Sleep, client: SimpleCacheClient, calls: "Calls"
) -> None:
    """Whoever takes the lease loads, stores, and gives the lease back; nobody pauses."""
    cache = make_cache(lease=True)
    assert [7, 7] == [await side.get_or_load(cache, "key", calls.loader(7)) for _ in range(2)]
    assert 1 == len(calls)
    assert ["get", "set_if_absent", "set", "delete", "get"] == faults.asked
    assert Miss() == client.get(cache.name or "", LEASE)
    assert [] == sleep


async def test_a_failing_holder_lets_go(
    faults: "Faults", make_cache: "Make", side: "Side", client: SimpleCacheClient
) -> None:
    """Where the loader raises, the lease is given back too, and the caller gets the exception."""
    cache, error = make_cache(lease=True), ValueError("down")

    def load() -> None:
        raise error

    with pytest.raises(ValueError, match="down") as caught:
        await side.get_or_load(cache, "key", load)
    assert error is caught.value
    assert ["get", "set_if_absent", "delete"] == faults.asked
    assert Miss() == client.get(cache.name or "", LEASE)


async def test_the_losers_wait_for_the_holder(
    make_cache: "Make", side: "Side", *, sleep: Sleep, client: SimpleCacheClient, calls: "Calls"
) -> None:
    """Where another process loads, its value is waited for with growing pauses, and the loader is not called."""
    cache, other = make_cache(lease=True, chance=lambda: 0.5), make_cache()
    name = cache.name or ""
    client.set(name, LEASE, "another's", 60)
    sleep.meanwhile = lambda pauses: other.put("key", "theirs") if pauses == 7 else None
    assert "theirs" == await side.get_or_load(cache, "key", calls.loader("own"))
    assert [] == calls
    assert [0.015, 0.03, 0.06, 0.12, 0.24, 0.375, 0.375] == pytest.approx(sleep)
    # It is another's lease, and is left to it.
    assert Hit(b"another's") == client.get(name, LEASE)


async def test_a_holder_that_dies(
    make_cache: "Make", side: "Side", *, sleep: Sleep, client: SimpleCacheClient, calls: "Calls"
) -> None:
    """Where the holder stores nothing in the lease's time, the loser loads and stores after all."""
    cache = make_cache(lease="2s", chance=lambda: 0.5)
    client.set(cache.name or "", LEASE, "another's", 60)
    assert "own" == await side.get_or_load(cache, "key", calls.loader("own"))
    assert 2 <= sum(sleep) < 2.5
    assert "own" == await side.call(cache, "get", "key")


async def test_a_lease_ends_with_its_time(
    make_cache: "Make", side: "Side", *, sleep: Sleep, wall: "Wall", client: SimpleCacheClient, calls: "Calls"
) -> None:
    """A lease that is not given back is over after its time: the next to come takes it without a pause."""
    cache = make_cache(lease="5s", now_ms=wall)
    client.set(cache.name or "", LEASE, "dead", 5)
    wall.advance("5s")
    assert 7 == await side.get_or_load(cache, "key", calls.loader(7))
    assert [] == sleep


async def test_the_losers_serve_what_is_stale(
    faults: "Faults", make_cache: "Make", side: "Side", *, sleep: Sleep, wall: "Wall", client: SimpleCacheClient
) -> None:
    """Where another process loads and a stale value is there, it is served at once."""
    cache = make_cache(lease=True, stale="1m", jitter=0, now_ms=wall)

    def load() -> str:
        return "own"

    function = side.cached(cache, load, key="key")
    await side.value(function())
    wall.advance("5m")
    client.set(cache.name or "", LEASE, "another's", 60)
    faults.asked.clear()
    with cache.observe() as seen:
        assert "stale" == (await side.value(function.result())).source
    assert ["get", "set_if_absent"] == faults.asked
    assert ["stale_hit"] == seen.kinds
    assert [] == sleep


async def test_a_lease_that_cannot_be_taken(
    faults: "Faults", make_cache: "Make", side: "Side", *, sleep: Sleep, calls: "Calls"
) -> None:
    """Where the cache does not say who has the lease, the loader answers at once."""
    faults.on_write = UnavailableError("chosen")
    assert 7 == await side.get_or_load(make_cache(lease=True), "key", calls.loader(7))
    assert ["get", "set_if_absent", "set"] == faults.asked
    assert (1, []) == (len(calls), sleep)


async def test_a_cache_that_fails_while_losers_wait(
    faults: "Faults", make_cache: "Make", side: "Side", *, sleep: Sleep, client: SimpleCacheClient, calls: "Calls"
) -> None:
    """A loser whose cache stops answering waits no longer: the loader answers."""
    cache = make_cache(lease=True)
    client.set(cache.name or "", LEASE, "another's", 60)

    def fail(pauses: int) -> None:
        faults.on_read = UnavailableError("chosen") if pauses == 2 else None

    sleep.meanwhile = fail
    assert 7 == await side.get_or_load(cache, "key", calls.loader(7))
    assert (2, 1) == (len(sleep), len(calls))


async def test_a_loser_that_has_no_time(
    make_cache: "Make", side: "Side", *, sleep: Sleep, client: SimpleCacheClient, calls: "Calls"
) -> None:
    """A loser does not pause beyond its invocation: where less is left than the pause, it loads."""
    cache = make_cache(lease=True, chance=lambda: 0.5)
    client.set(cache.name or "", LEASE, "another's", 60)
    left = [60.0]
    sleep.meanwhile = lambda pauses: left.__setitem__(0, 0.1) if pauses == 3 else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache._workings.reads, "_time_left", lambda: left[0])  # noqa: SLF001  # time is handed in
        assert 7 == await side.get_or_load(cache, "key", calls.loader(7))
    assert (3, 1) == (len(sleep), len(calls))


async def test_a_lease_that_ran_out_is_not_given_back(
    faults: "Faults", make_cache: "Make", side: "Side", calls: "Calls"
) -> None:
    """A loader that took longer than the lease gives nothing back: the lease may be another's by then."""
    cache = make_cache(lease="5s")
    seconds = [0.0]

    def load() -> int:
        calls.append(1)
        seconds[0] += 5.0
        return 7

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache._workings.reads, "_clock", lambda: seconds[0])  # noqa: SLF001  # time is handed in
        assert 7 == await side.get_or_load(cache, "key", load)
    assert ["get", "set_if_absent", "set"] == faults.asked


def test_one_function_may_have_a_lease(faults: "Faults", make_cache: "Make") -> None:
    """A lease may be asked for, or left out, by one function."""
    cache, leased = make_cache(), make_cache(lease=True)

    def load() -> int:
        return 7

    cache.cached(lease="3s", key="one")(load)()
    leased.cached(lease=False, key="two")(load)()
    assert ["get", "set_if_absent", "set", "delete", "get", "set"] == faults.asked


@pytest.mark.parametrize("lease", [0, -1, "0s", "soon", float("nan")])
def test_a_lease_that_cannot_be(lease: Any) -> None:
    """A lease of no time is an error where it stands."""
    with pytest.raises(InvalidArgumentError, match=r"lease is|TTL"):
        Cache("users-cache", lease=lease)
