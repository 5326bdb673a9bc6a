import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import Cache, Hit, Miss, NoStore, SimpleCacheClient
from momento_lambda.caching import running
from momento_lambda.caching.lease import LEASE_SUFFIX
from momento_lambda.errors import InvalidArgumentError, UnavailableError
from tests.caching.conftest import PATIENT

if TYPE_CHECKING:
    from momento_lambda.server import ManualClock
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

    def with_sleep(self: running.Runner, remote: Any, flights: Any) -> None:
        original(self, remote, flights, sleep)

    monkeypatch.setattr(running.Runner, "__init__", with_sleep)
    monkeypatch.setattr(running, "_sleep_async", sleep.later)
    return sleep


def load_meanwhile(faults: "Faults", load: Callable[[], object], *, before: str | None = None) -> None:
    """Have something loaded once, when the first read was answered and before that is known; or before an operation."""
    done: list[str] = []

    def meanwhile(name: str) -> None:
        if name == (before or "get") and not done:
            done.append(name)
            load()

    if before is None:
        faults.after = meanwhile
    else:
        faults.before = meanwhile


async def test_the_holder_loads_and_lets_go(
    faults: "Faults", make_cache: "Make", side: "Side", *, sleep: Sleep, client: SimpleCacheClient, calls: "Calls"
) -> None:
    """Whoever takes the lease loads, stores, and lets go of the lease; nobody looks twice, and nobody pauses."""
    cache = make_cache(lease=True)
    assert [7, 7] == [await side.get_or_load(cache, "key", calls.loader(7)) for _ in range(2)]
    assert 1 == len(calls)
    assert ["get", "set_if_absent", "set", "set_if_equal", "get"] == faults.asked
    left = client.get(cache.name or "", LEASE)
    assert isinstance(left, Hit)
    assert left.value_bytes.startswith(b"stored ")
    assert [] == sleep


async def test_what_a_holder_leaves_is_gone_in_a_second(
    make_cache: "Make", side: "Side", *, clock: "ManualClock", client: SimpleCacheClient, calls: "Calls"
) -> None:
    """The lease of a value that was stored is seen for a second, and then as if it had never been."""
    cache = make_cache(lease=True)
    await side.get_or_load(cache, "key", calls.loader(7))
    clock.advance("999ms")
    assert Miss() != client.get(cache.name or "", LEASE)
    clock.advance("1ms")
    assert Miss() == client.get(cache.name or "", LEASE)


async def test_a_failing_holder_lets_go(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """Where the loader raises, the lease is given back too, and the caller gets the exception."""
    cache, error = make_cache(lease=True), ValueError("down")

    def load() -> None:
        raise error

    with pytest.raises(ValueError, match="down") as caught:
        await side.get_or_load(cache, "key", load)
    assert error is caught.value
    assert ["get", "set_if_absent", "set_if_equal"] == faults.asked


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


async def test_whoever_comes_after_the_value_was_stored_looks_again(
    faults: "Faults", make_cache: "Make", side: "Side", *, sleep: Sleep, calls: "Calls"
) -> None:
    """A process that missed before the holder stored, and claims after it let go, hits without a pause or a load."""
    cache, other = make_cache(lease=True), make_cache(lease=True)
    load_meanwhile(faults, lambda: other.get_or_load("key", calls.loader("theirs")))
    assert "theirs" == await side.get_or_load(cache, "key", calls.loader("own"))
    assert (1, []) == (len(calls), sleep)
    assert ["get", "get", "set_if_absent", "set", "set_if_equal", "set_if_absent", "get_multi"] == faults.asked


async def test_whoever_comes_long_after_looks_again_too(
    faults: "Faults", make_cache: "Make", side: "Side", *, clock: "ManualClock", calls: "Calls"
) -> None:
    """Where a second went by since the miss, so that what the holder left is gone, the new holder looks first."""
    cache, other = make_cache(lease=True), make_cache(lease=True)
    seconds = [0.0]

    def meanwhile() -> None:
        other.get_or_load("key", calls.loader("theirs"))
        clock.advance("1s")
        seconds[0] += 1.0

    load_meanwhile(faults, meanwhile)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache._workings.runner._remote, "_clock", lambda: seconds[0])  # noqa: SLF001  # time is handed in
        assert "theirs" == await side.get_or_load(cache, "key", calls.loader("own"))
    assert 1 == len(calls)
    assert ["set_if_absent", "get", "set_if_equal"] == faults.asked[-3:]


@pytest.mark.parametrize("value", ["raises", NoStore(7), object()], ids=["raises", "no store", "cannot be stored"])
async def test_nobody_waits_for_nothing(
    make_cache: "Make", side: "Side", *, sleep: Sleep, calls: "Calls", value: object
) -> None:
    """Where the holder stores nothing, whoever waits for it notices at the next look, and loads."""
    holder, loser = make_cache(lease="60s"), make_cache(lease="60s")
    loading, proceed = threading.Event(), threading.Event()

    def load() -> object:
        loading.set()
        assert proceed.wait(PATIENT)
        if value == "raises":
            raise ValueError
        return value

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(holder.get_or_load, "key", load)
        assert loading.wait(PATIENT)

        def meanwhile(pauses: int) -> None:
            if pauses == 3:
                proceed.set()
                held.exception(PATIENT)

        sleep.meanwhile = meanwhile
        assert "own" == await side.get_or_load(loser, "key", calls.loader("own"))
    assert (3, 1) == (len(sleep), len(calls))
    assert "own" == await side.call(loser, "get", "key")


async def test_nobody_waits_where_nothing_was_to_be_stored(
    faults: "Faults", make_cache: "Make", side: "Side", *, sleep: Sleep, calls: "Calls"
) -> None:
    """Just after a holder that stored nothing, the next caller loads without a pause, and without the lease."""
    cache = make_cache(lease=True)
    await side.get_or_load(cache, "key", calls.loader(NoStore(7)))
    faults.asked.clear()
    assert 8 == await side.get_or_load(cache, "key", calls.loader(8))
    assert (["get", "set_if_absent", "get_multi", "set"], []) == (faults.asked, sleep)


async def test_a_value_that_is_gone_at_once_has_one_new_holder(
    faults: "Faults", make_cache: "Make", side: "Side", *, sleep: Sleep, calls: "Calls"
) -> None:
    """Where a value was invalidated just after it was stored, the next caller succeeds its holder without a pause."""
    cache = make_cache(lease=True)
    await side.get_or_load(cache, "key", calls.loader("old"))
    await side.call(cache, "invalidate", "key")
    faults.asked.clear()
    assert "new" == await side.get_or_load(cache, "key", calls.loader("new"))
    expected = ["get", "set_if_absent", "get_multi", "get", "set_if_equal", "set", "set_if_equal"]
    assert (expected, []) == (faults.asked, sleep)


async def test_of_two_successors_one_loads(
    faults: "Faults", make_cache: "Make", side: "Side", *, sleep: Sleep, calls: "Calls"
) -> None:
    """Of two that would succeed a holder whose value is gone, the slower one waits for the faster one's value."""
    cache, other = make_cache(lease=True), make_cache(lease=True)
    await side.get_or_load(cache, "key", calls.loader("old"))
    await side.call(cache, "invalidate", "key")
    load_meanwhile(faults, lambda: other.get_or_load("key", calls.loader("theirs")), before="set_if_equal")
    assert "theirs" == await side.get_or_load(cache, "key", calls.loader("own"))
    assert (2, 1) == (len(calls), len(sleep))


async def test_a_holder_that_dies(
    make_cache: "Make", side: "Side", *, sleep: Sleep, client: SimpleCacheClient, calls: "Calls"
) -> None:
    """Where the holder stores nothing in the lease's time, the loser loads and stores after all."""
    cache = make_cache(lease="2s", chance=lambda: 0.5)
    client.set(cache.name or "", LEASE, "another's", 60)
    assert "own" == await side.get_or_load(cache, "key", calls.loader("own"))
    assert 2 <= sum(sleep) < 2.5
    assert "own" == await side.call(cache, "get", "key")


async def test_a_lease_that_runs_out_while_losers_wait(
    faults: "Faults", make_cache: "Make", side: "Side", *, sleep: Sleep, clock: "ManualClock", client: SimpleCacheClient
) -> None:
    """Where the lease of a holder that died is over, whoever notices first takes it, loads, and lets go of it."""
    cache = make_cache(lease="60s")
    client.set(cache.name or "", LEASE, "dead", 5)
    sleep.meanwhile = lambda pauses: clock.advance("5s") if pauses == 2 else None
    assert 7 == await side.get_or_load(cache, "key", lambda: 7)
    assert 2 == len(sleep)
    assert ["get_multi", "set_if_absent", "set", "set_if_equal"] == faults.asked[-4:]


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
    """A loser whose cache stops answering waits no longer: the loader answers, and nothing is stored."""
    cache = make_cache(lease=True)
    client.set(cache.name or "", LEASE, "another's", 60)

    def fail(pauses: int) -> None:
        faults.on_read = UnavailableError("chosen") if pauses == 2 else None

    sleep.meanwhile = fail
    assert 7 == await side.get_or_load(cache, "key", calls.loader(7))
    assert (2, 1) == (len(sleep), len(calls))
    assert "get_multi" == faults.asked[-1]


async def test_a_loser_that_has_no_time(
    make_cache: "Make", side: "Side", *, sleep: Sleep, client: SimpleCacheClient, calls: "Calls"
) -> None:
    """A loser does not pause beyond its invocation: where less is left than the pause, it loads."""
    cache = make_cache(lease=True, chance=lambda: 0.5)
    client.set(cache.name or "", LEASE, "another's", 60)
    left = [60.0]
    sleep.meanwhile = lambda pauses: left.__setitem__(0, 0.1) if pauses == 3 else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache._workings.loading, "_time_left", lambda: left[0])  # noqa: SLF001  # time is handed in
        assert 7 == await side.get_or_load(cache, "key", calls.loader(7))
    assert (3, 1) == (len(sleep), len(calls))


@pytest.mark.parametrize("left", ["another's", None], ids=["taken by another", "left alone"])
async def test_a_lease_that_ran_out_is_not_given_back(
    make_cache: "Make", side: "Side", *, clock: "ManualClock", client: SimpleCacheClient, left: str | None
) -> None:
    """A loader that took longer than the lease gives nothing back: what is there by then is another's, or nothing."""
    cache = make_cache(lease="5s")
    name = cache.name or ""

    def load() -> int:
        clock.advance("5s")
        if left is not None:
            client.set(name, LEASE, left, 60)
        return 7

    assert 7 == await side.get_or_load(cache, "key", load)
    assert (Miss() if left is None else Hit(left.encode())) == client.get(name, LEASE)


def test_one_function_may_have_a_lease(faults: "Faults", make_cache: "Make") -> None:
    """A lease may be asked for, or left out, by one function."""
    cache, leased = make_cache(), make_cache(lease=True)

    def load() -> int:
        return 7

    cache.cached(lease="3s", key="one")(load)()
    leased.cached(lease=False, key="two")(load)()
    assert ["get", "set_if_absent", "set", "set_if_equal", "get", "set"] == faults.asked


@pytest.mark.parametrize("lease", [0, -1, "0s", "soon", float("nan")])
def test_a_lease_that_cannot_be(lease: Any) -> None:
    """A lease of no time is an error where it stands."""
    with pytest.raises(InvalidArgumentError, match=r"lease is|TTL"):
        Cache("users-cache", lease=lease)
