"""Values before, at and after their time, on a clock that stands still until it is told to go on."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, final

import pytest

from momento_lambda import Cache
from momento_lambda.caching.back_off import BackOff
from momento_lambda.caching.loading import Loading
from momento_lambda.runtime import persistent_loop

if TYPE_CHECKING:
    from tests.caching.conftest import Faults, Make, Side, Wall

COST_SECONDS = 2.0
EVENT = {"id": "7"}


@final
class Loader:
    """Returns how often it was called, takes two seconds by the clock it is measured with, and fails when told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self._seconds = 0.0

    def clock(self) -> float:
        """Return the seconds that loads took so far."""
        return self._seconds

    def __call__(self) -> int:
        """Return the number of this call."""
        self.calls += 1
        self._seconds += COST_SECONDS
        self.meanwhile()
        if self.error is not None:
            raise self.error
        return self.calls


@final
class Context:
    """What Lambda says of an invocation."""

    def __init__(self, milliseconds: int) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left."""
        return self._milliseconds


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch) -> Loader:
    """A loader whose cost is measured with its own clock."""
    loader = Loader()
    original = Loading.__init__

    def with_clock(self: Loading, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs, clock=loader.clock)

    monkeypatch.setattr(Loading, "__init__", with_clock)
    return loader


@pytest.fixture(autouse=True)
def close_loop() -> Iterator[None]:
    """Close the loop that handlers of a test ran on."""
    yield
    persistent_loop.close()


class Chance:
    """Draws what it is told to: 0 for what is never early, nearly 1 for what always is."""

    def __init__(self) -> None:
        self.draw = 0.0

    def __call__(self) -> float:
        """Draw."""
        return self.draw


@pytest.fixture
def chance() -> Chance:
    """What a cache that is made with it draws."""
    return Chance()


ALWAYS = 1 - 2**-53


def value_of(side: "Side", cache: Cache, loader: Loader, **options: Any) -> Any:
    """Return a function whose values are a loader's."""

    def value() -> int:
        return loader()

    return side.cached(cache, value, key="value", **options)


def in_handler(side: "Side", cache: Cache, function: Any, *, milliseconds: int = 60_000, answers: int = 1) -> Any:
    """Call a function's `result` some times in one invocation."""
    if side.coroutines:

        async def handle_later(event: object, context: object) -> Any:  # noqa: ARG001  # what a handler takes
            return [await function.result() for _ in range(answers)]

        handler: Any = cache.handler(handle_later)
    else:

        def handle(event: object, context: object) -> Any:  # noqa: ARG001  # what a handler takes
            return [function.result() for _ in range(answers)]

        handler = cache.handler(handle)
    return handler(EVENT, Context(milliseconds))


def shown(results: list[Any]) -> list[tuple[Any, str]]:
    """Return values and sources."""
    return [(result.value, result.source) for result in results]


def test_from_fresh_to_gone(make_cache: "Make", side: "Side", *, wall: "Wall", loader: Loader, chance: Chance) -> None:
    """A value is fresh, early by chance, stale past its TTL, and gone past that: loaded beside, or at last before."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall, chance=chance)
    function = value_of(side, cache, loader, ttl="5m")
    seen = []
    for passed, draw in (("0s", 0.0), ("4m59s", 0.0), ("0s", ALWAYS), ("4m59s", 0.0), ("1s", 0.0), ("0s", 0.0)):
        wall.advance(passed)
        chance.draw = draw
        seen += shown(in_handler(side, cache, function))
    # The fourth draw was made when the early refresh had stored a value anew.
    assert [(1, "loader"), (1, "cache"), (1, "cache"), (2, "cache"), (2, "stale"), (3, "cache")] == seen
    wall.advance("6m")
    assert [(4, "loader")] == shown(in_handler(side, cache, function))


async def test_stale_without_a_handler_is_loaded_first(
    make_cache: "Make", side: "Side", wall: "Wall", loader: Loader
) -> None:
    """Where no handler would join a refresh, the caller of a stale value waits for the new one."""
    function = value_of(side, make_cache(jitter=0, stale="1m", now_ms=wall), loader, ttl="5m")
    await side.value(function())
    wall.advance("5m")
    assert [(2, "loader"), (2, "cache")] == shown([await side.value(function.result()) for _ in range(2)])


@pytest.mark.parametrize(
    ("early", "expected"), [("auto", (1, "cache")), (None, (1, "cache")), (1.0, (2, "loader")), (0.5, (2, "loader"))]
)
async def test_early_without_a_handler(
    make_cache: "Make", side: "Side", *, wall: "Wall", loader: Loader, chance: Chance, early: Any, expected: Any
) -> None:
    """Where no handler would join it, only a factor that was asked for refreshes early, in the caller's own time."""
    cache = make_cache(jitter=0, early_refresh=early, now_ms=wall, chance=chance)
    function = value_of(side, cache, loader)
    await side.value(function())
    wall.advance("4m59s")
    chance.draw = ALWAYS
    with cache.observe() as seen:
        assert [expected] == shown([await side.value(function.result())])
    assert (expected == (2, "loader")) == ("early_refresh" in seen.kinds)


def test_early_can_be_turned_off_for_one_function(
    make_cache: "Make", side: "Side", *, wall: "Wall", loader: Loader, chance: Chance
) -> None:
    """A function without early refresh is never loaded before its time, in a handler either."""
    cache = make_cache(jitter=0, now_ms=wall, chance=chance)
    function = value_of(side, cache, loader, early_refresh=None)
    in_handler(side, cache, function)
    wall.advance("4m59s")
    chance.draw = ALWAYS
    assert [(1, "cache")] * 2 == shown(in_handler(side, cache, function, answers=2))
    assert 1 == loader.calls


def test_a_refresh_is_joined(make_cache: "Make", wall: "Wall", loader: Loader) -> None:
    """A handler that answered with a stale value returns only when the refresh that it started is over."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)
    events: list[str] = []
    answered = threading.Event()

    @cache.cached(ttl="5m")
    def value() -> int:
        if loader.calls:
            assert answered.wait(30)
        events.append("loaded")
        return loader()

    @cache.handler
    def handler(event: object, context: object) -> int:  # noqa: ARG001  # what a handler takes
        found = value()
        events.append("answered")
        answered.set()
        return found

    assert 1 == handler(EVENT, Context(60_000))
    answered.clear()
    wall.advance("5m")
    assert 1 == handler(EVENT, Context(60_000))
    assert ["loaded", "answered", "answered", "loaded"] == events
    assert (2, "cache") == (value.result().value, value.result().source)


def test_a_refresh_on_a_loop_is_joined(make_cache: "Make", wall: "Wall", loader: Loader) -> None:
    """A coroutine handler too returns only when the refresh that it started is over."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)
    events: list[str] = []

    @cache.cached(ttl="5m")
    async def value() -> int:
        for _ in range(3):
            await asyncio.sleep(0)
        events.append("loaded")
        return loader()

    @cache.handler
    async def handler(event: object, context: object) -> int:  # noqa: ARG001  # what a handler takes
        found = await value()
        events.append("answered")
        return found

    assert 1 == handler(EVENT, Context(60_000))
    wall.advance("5m")
    assert 1 == handler(EVENT, Context(60_000))
    assert ["loaded", "answered", "answered", "loaded"] == events
    assert 2 == handler(EVENT, Context(60_000))


def test_one_refresh_of_many_hits(make_cache: "Make", side: "Side", wall: "Wall", loader: Loader) -> None:
    """However often a stale value is served in one invocation while it is loaded anew, it is loaded once."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)
    function = value_of(side, cache, loader)
    in_handler(side, cache, function)
    wall.advance("5m")
    served = threading.Event()
    if not side.coroutines:
        # The thread that refreshes waits until the handler has been served throughout.
        loader.meanwhile = lambda: served.wait(30)

        @cache.handler
        def handler(event: object, context: object) -> list[Any]:  # noqa: ARG001  # what a handler takes
            results = [function.result() for _ in range(5)]
            served.set()
            return results

        results = handler(EVENT, Context(60_000))
    else:
        results = in_handler(side, cache, function, answers=5)
    assert (1, "stale") == shown(results)[0]
    assert 2 == loader.calls


@pytest.mark.parametrize(
    ("milliseconds", "loads"),
    [(4_000, 1), (60_000, 2)],
    ids=["too short", "long enough"],
)
def test_a_deadline_that_is_too_short(
    make_cache: "Make", side: "Side", *, wall: "Wall", loader: Loader, milliseconds: int, loads: int
) -> None:
    """Where less than twice the loader's time is left, the stale value is served, and nothing is started."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)
    function = value_of(side, cache, loader)
    in_handler(side, cache, function)
    wall.advance("5m")
    assert [(1, "stale")] == shown(in_handler(side, cache, function, milliseconds=milliseconds))
    assert loads == loader.calls


def test_a_loop_that_nobody_joins(make_cache: "Make", wall: "Wall", loader: Loader) -> None:
    """A coroutine on a loop of the handler's own, where no refresh would be joined, waits for the new value."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)

    @cache.cached(ttl="5m")
    async def value() -> int:
        return loader()

    @cache.handler
    def handler(event: object, context: object) -> int:  # noqa: ARG001  # what a handler takes
        return asyncio.run(value())

    assert 1 == handler(EVENT, Context(60_000))
    wall.advance("5m")
    assert [2, 2] == [handler(EVENT, Context(60_000)) for _ in range(2)]


async def test_stale_if_error(
    make_cache: "Make", side: "Side", *, wall: "Wall", loader: Loader, chance: Chance, log: Any
) -> None:
    """Where the loader fails, a stale value is served and the loader rests a second or two; then it is tried again."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall, chance=chance)
    function = value_of(side, cache, loader)
    await side.value(function())
    wall.advance("5m")
    loader.error = KeyError("hidden")
    chance.draw = 0.5
    calls = []
    for passed in ("0s", "0s", "1499ms", "1ms", "0s"):
        wall.advance(passed)
        assert [(1, "stale")] == shown([await side.value(function.result())])
        calls.append(loader.calls)
    assert [2, 2, 2, 3, 3] == calls
    said = f"cache {cache.name!r}: a value could not be loaded anew (KeyError), and the older one stands in for it"
    assert [("WARNING", said)] == log()
    wall.advance("1m")
    with pytest.raises(KeyError) as caught:
        await side.value(function())
    assert loader.error is caught.value


async def test_early_if_error(
    make_cache: "Make", side: "Side", *, wall: "Wall", loader: Loader, chance: Chance
) -> None:
    """Where an early refresh fails, the value that is still good is served, and the loader rests."""
    cache = make_cache(jitter=0, early_refresh=1.0, now_ms=wall, chance=chance)
    function = value_of(side, cache, loader)
    await side.value(function())
    wall.advance("4m50s")
    chance.draw = ALWAYS
    loader.error = ValueError("down")
    assert [(1, "cache")] * 3 == shown([await side.value(function.result()) for _ in range(3)])
    assert 2 == loader.calls


def test_a_refresh_that_fails_breaks_nothing(
    make_cache: "Make", side: "Side", *, wall: "Wall", loader: Loader, log: Any
) -> None:
    """An exception in a refresh beside a handler reaches nobody, and is said: as a warning and as an event."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)
    function = value_of(side, cache, loader)
    in_handler(side, cache, function)
    wall.advance("5m")
    loader.error = KeyError("hidden")
    with cache.observe() as seen:
        assert [(1, "stale")] == shown(in_handler(side, cache, function))
    assert {"stale_hit", "load_error"} == set(seen.kinds)
    # Served once, and told once.
    assert 1 == seen.kinds.count("stale_hit")
    assert 1 == len(log())


async def test_invalidated_during_its_load(
    make_cache: "Make", side: "Side", *, wall: "Wall", loader: Loader, faults: "Faults"
) -> None:
    """A load whose key is invalidated meanwhile returns to its caller, and is not stored."""
    cache = make_cache(jitter=0, now_ms=wall)
    function = value_of(side, cache, loader)
    loader.meanwhile = lambda: cache.invalidate("value")
    assert 1 == await side.value(function())
    loader.meanwhile = lambda: None
    assert ["get", "delete"] == faults.asked
    assert (2, "loader") == shown([await side.value(function.result())])[0]


async def test_invalidated_while_it_is_stored(
    make_cache: "Make", side: "Side", loader: Loader, faults: "Faults"
) -> None:
    """A value whose key is invalidated while it is on its way to the cache does not stay there."""
    cache = make_cache()
    function = value_of(side, cache, loader)
    asked: list[str] = []

    def invalidate(name: str) -> None:
        asked.append(name)
        if name == "set" and asked.count("set") == 1:
            cache.invalidate("value")

    faults.before = invalidate
    assert [(1, "loader"), (2, "loader")] == shown([await side.value(function.result()) for _ in range(2)])
    assert ["get", "set", "delete", "delete", "get", "set"] == faults.asked


def test_invalidated_during_a_refresh(make_cache: "Make", side: "Side", wall: "Wall", loader: Loader) -> None:
    """A refresh whose key is invalidated meanwhile is not stored: the next read loads."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)
    function = value_of(side, cache, loader)
    in_handler(side, cache, function)
    wall.advance("5m")
    loader.meanwhile = lambda: cache.invalidate("value")
    assert [(1, "stale")] == shown(in_handler(side, cache, function))
    loader.meanwhile = lambda: None
    assert [(3, "loader")] == shown(in_handler(side, cache, function))


async def test_the_wall_clock_goes_backwards(make_cache: "Make", side: "Side", wall: "Wall", loader: Loader) -> None:
    """A clock that was set back makes a value younger, and breaks nothing; the server still forgets in its own time."""
    cache = make_cache(jitter=0, now_ms=wall)
    function = value_of(side, cache, loader)
    await side.value(function())
    wall.now_ms -= 3_600_000
    result = await side.value(function.result())
    assert (1, "cache", -3600.0, 3900.0) == (result.value, result.source, result.age, result.ttl_left)
    wall.advance("5m")
    assert "loader" == (await side.value(function.result())).source


async def test_an_hour_in_the_freezer(make_cache: "Make", side: "Side", wall: "Wall", loader: Loader) -> None:
    """After an hour in which the process was frozen, what expired meanwhile is loaded anew."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)
    function = value_of(side, cache, loader)
    await side.value(function())
    # The server's clock stands still: only the process's own time says that the value is gone.
    wall.now_ms += 3_600_000
    assert [(2, "loader"), (2, "cache")] == shown([await side.value(function.result()) for _ in range(2)])


async def test_the_window_is_cut_first(
    make_cache: "Make", side: "Side", *, wall: "Wall", loader: Loader, client: Any, cache_name: str
) -> None:
    """The TTL and the time past it are together at most the maximum: the time past it is cut."""
    cache = make_cache(jitter=0, stale="5m", max_ttl="7m", now_ms=wall)
    function = value_of(side, cache, loader, ttl="6m")
    await side.value(function())
    assert 420 == client.item_get_ttl(cache_name, "value").total_seconds()
    result = await side.value(function.result())
    assert 360 == result.ttl_left


async def test_gone_while_it_failed(make_cache: "Make", side: "Side", wall: "Wall", loader: Loader) -> None:
    """A stale value that is gone by the time its loader has failed is not served: the exception is the caller's."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)
    function = value_of(side, cache, loader)
    await side.value(function())
    wall.advance("5m")
    loader.error = ValueError("down")
    loader.meanwhile = lambda: wall.advance("1m")
    with pytest.raises(ValueError, match="down") as caught:
        await side.value(function())
    assert loader.error is caught.value


def test_few_rests_are_remembered() -> None:
    """However many loaders fail, a bounded number of rests is remembered: those that began last."""
    back_off = BackOff(lambda: 0.0)
    for number in range(2_000):
        back_off.rest(f"key-{number}", 0)
    assert 1_024 == sum(back_off.rests(f"key-{number}", 0) for number in range(2_000))
    assert (True, False) == (back_off.rests("key-1999", 999), back_off.rests("key-1999", 1_000))
