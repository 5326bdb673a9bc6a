from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import MomentoError, errors
from momento_lambda.caching.breaker import Breaker
from momento_lambda.errors import (
    CacheNotFoundError,
    DeadlineExceededError,
    InternalError,
    InvalidArgumentError,
    LimitExceededError,
    RateLimitExceededError,
    UnavailableError,
)
from momento_lambda.runtime.invocation import Invocation
from momento_lambda.server import LocalServer, TokenLimits

if TYPE_CHECKING:
    from tests.caching.conftest import Calls, Faults, Make, Side

KINDS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MomentoError)),
    key=lambda kind: kind.__name__,
)
TRANSIENT = {DeadlineExceededError, InternalError, RateLimitExceededError, UnavailableError}


class Seconds:
    """A clock in seconds that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    """The time of a breaker."""
    return Seconds()


@pytest.fixture
def breaker(seconds: Seconds) -> Breaker:
    """A breaker that opens for 7.5 seconds."""
    return Breaker(clock=seconds, chance=lambda: 0.5)


def test_failures_in_a_row_open_it(breaker: Breaker) -> None:
    """Two failures in a row open it, and the second says so; one that is followed by a success does not."""
    assert not breaker.failed()
    breaker.succeeded()
    assert (False, "closed", True) == (breaker.failed(), breaker.state, breaker.allows())
    assert (True, "open", False) == (breaker.failed(), breaker.state, breaker.allows())


def test_it_stays_open_for_its_time(breaker: Breaker, seconds: Seconds) -> None:
    """It lets nothing through for a time drawn between the two, then one probe, and no second before that reports."""
    breaker.failed()
    breaker.failed()
    seconds.now = 7.49
    assert (False, "open") == (breaker.allows(), breaker.state)
    seconds.now = 7.5
    assert "half_open" == breaker.state
    assert [True, False, False] == [breaker.allows() for _ in range(3)]


@pytest.mark.parametrize(("draw", "reopens"), [(0.0, 5.0), (0.999, 9.995)])
def test_its_times_are_drawn(seconds: Seconds, draw: float, reopens: float) -> None:
    """The time is drawn between the shortest and the longest."""
    breaker = Breaker(failures=1, clock=seconds, chance=lambda: draw)
    breaker.failed()
    seconds.now = reopens - 0.001
    assert not breaker.allows()
    seconds.now = reopens + 0.001
    assert breaker.allows()


def test_a_probe_that_works_closes_it(breaker: Breaker, seconds: Seconds) -> None:
    """After a probe that worked everything is let through, and two failures are needed again."""
    breaker.failed()
    breaker.failed()
    seconds.now = 8
    assert breaker.allows()
    breaker.succeeded()
    assert ("closed", True, True) == (breaker.state, breaker.allows(), breaker.allows())
    assert not breaker.failed()
    assert breaker.allows()


def test_a_probe_that_fails_opens_it_again(breaker: Breaker, seconds: Seconds) -> None:
    """After a probe that failed it is open for another time; that is nothing new, and not said to be."""
    breaker.failed()
    breaker.failed()
    seconds.now = 8
    assert breaker.allows()
    assert not breaker.failed()
    assert "open" == breaker.state
    seconds.now = 15.4
    assert not breaker.allows()
    seconds.now = 15.5
    assert breaker.allows()


def test_a_probe_that_gave_up_leaves_room(breaker: Breaker, seconds: Seconds) -> None:
    """A probe that ended without telling anything makes room for the next at once."""
    breaker.failed()
    breaker.failed()
    seconds.now = 8
    assert breaker.allows()
    breaker.gave_up()
    assert [True, False] == [breaker.allows() for _ in range(2)]


def test_a_probe_that_never_reports_holds_nothing(breaker: Breaker, seconds: Seconds) -> None:
    """A probe that was frozen for good is given up after the longest time that it could have been open."""
    breaker.failed()
    breaker.failed()
    seconds.now = 8
    assert breaker.allows()
    seconds.now = 17.9
    assert not breaker.allows()
    seconds.now = 18
    assert breaker.allows()


def test_giving_up_changes_nothing_else(breaker: Breaker) -> None:
    """Where nothing is probed, giving up neither opens nor closes, and counts as no success."""
    breaker.failed()
    breaker.gave_up()
    assert breaker.failed()
    breaker.gave_up()
    assert "open" == breaker.state


@pytest.mark.parametrize(
    "options",
    [{"failures": 0}, {"failures": -1}, {"open_for": (0, 1)}, {"open_for": (-1, 1)}, {"open_for": (2, 1)}],
    ids=str,
)
def test_a_breaker_that_cannot_be(options: Any) -> None:
    """No failures, or times out of order, are an error where they stand."""
    with pytest.raises(InvalidArgumentError, match="Breaker"):
        Breaker(**options)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
async def test_every_error_is_classified(
    faults: "Faults", make_cache: "Make", side: "Side", *, breaker: Breaker, kind: type[MomentoError]
) -> None:
    """Twice the same error opens the breaker where a later call may succeed, and not where that takes a person."""
    cache = make_cache(breaker=breaker)
    faults.on_read = kind("chosen")
    for _ in range(2):
        assert 7 == await side.get_or_load(cache, "key", lambda: 7)
    assert ("open" if kind in TRANSIENT else "closed") == breaker.state
    assert {"get": 2, "error": 2} == {"get": faults.asked.count("get"), "error": cache.stats.counts["error"]}


async def test_an_item_that_is_too_large_tells_nothing(
    faults: "Faults", make_cache: "Make", side: "Side", breaker: Breaker
) -> None:
    """Items that the server refuses for their size open nothing; nor do they make up for failures around them."""
    cache = make_cache(breaker=breaker)
    for error in (LimitExceededError("chosen"), UnavailableError("chosen"), LimitExceededError("chosen")):
        faults.on_write = error
        assert not await side.call(cache, "put", "key", 7)
    assert "closed" == breaker.state
    faults.on_write = RateLimitExceededError("chosen")
    assert not await side.call(cache, "put", "key", 7)
    assert ("open", 4) == (breaker.state, len(faults.asked))


@pytest.mark.parametrize(
    ("limits", "codes", "state"),
    [
        (TokenLimits(requests_per_second=2), ["RATE_LIMIT_EXCEEDED"] * 2, "open"),
        (TokenLimits(item_bytes=60), ["LIMIT_EXCEEDED"] * 3, "closed"),
    ],
    ids=["rate", "size"],
)
async def test_the_limits_of_a_server(
    monkeypatch: pytest.MonkeyPatch,
    make_cache: "Make",
    side: "Side",
    *,
    server: LocalServer,
    breaker: Breaker,
    limits: TokenLimits,
    codes: list[str],
    state: str,
) -> None:
    """A server that is asked more often than it allows is left alone; one that refuses large items is not."""
    monkeypatch.setenv("MOMENTO_API_KEY", server.create_token(limits=limits))
    cache = make_cache(breaker=breaker)
    with cache.observe() as seen:
        for number in range(3):
            assert "x" * 100 == await side.get_or_load(cache, f"key-{number}", lambda: "x" * 100)
    assert codes == [event.error for event in seen.events if event.kind == "error"]
    assert state == breaker.state


async def test_open_costs_no_call(
    faults: "Faults", make_cache: "Make", side: "Side", *, breaker: Breaker, seconds: Seconds, calls: "Calls", log: Any
) -> None:
    """While it is open every read is a load, nothing is asked or stored; a probe brings the cache back."""
    cache = make_cache(breaker=breaker)
    faults.on_read = DeadlineExceededError("chosen")
    with cache.observe() as seen:
        for _ in range(2):
            await side.get_or_load(cache, "key", calls.loader(7))
        assert "breaker_open" in seen.kinds
        faults.asked.clear()
        for _ in range(100):
            assert 7 == await side.get_or_load(cache, "key", calls.loader(7))
            assert not await side.call(cache, "put", "key", 7)
        assert [] == faults.asked
    assert 102 == len(calls)
    assert 200 == cache.stats.counts["breaker_skip"]
    assert 1 == len(log())
    faults.on_read = None
    seconds.now = 8
    for _ in range(2):
        await side.get_or_load(cache, "key", calls.loader(7))
    assert ["get", "set", "get"] == faults.asked
    assert 103 == len(calls)
    assert "closed" == breaker.state


async def test_both_sides_share_it(faults: "Faults", make_cache: "Make", breaker: Breaker) -> None:
    """What functions learn of the cache coroutines know, and the other way round."""
    cache = make_cache(breaker=breaker)
    faults.on_read = UnavailableError("chosen")
    assert None is cache.get("key")
    assert None is await cache.aio.get("key")
    assert "open" == breaker.state
    assert (None, None) == (cache.get("key"), await cache.aio.get("key"))
    assert 2 == len(faults.asked)


async def test_two_caches_may_share_it(faults: "Faults", make_cache: "Make", breaker: Breaker) -> None:
    """A breaker that is handed to two caches is one; without, each has its own."""
    faults.on_read = UnavailableError("chosen")
    for cache in (make_cache(breaker=breaker), make_cache(breaker=breaker), make_cache()):
        cache.get("key")
    assert "open" == breaker.state
    make_cache(breaker=breaker).get("key")
    assert 3 == len(faults.asked)


async def test_a_mistake_does_not_end_a_probe_for_good(
    faults: "Faults", make_cache: "Make", side: "Side", *, breaker: Breaker, seconds: Seconds
) -> None:
    """Where the probe meets what a person must mend, the server answered, and the breaker closes."""
    cache = make_cache(breaker=breaker)
    faults.on_read = UnavailableError("chosen")
    for _ in range(2):
        await side.call(cache, "get", "key")
    seconds.now = 8
    faults.on_read = CacheNotFoundError("chosen")
    await side.call(cache, "get", "key")
    assert "closed" == breaker.state


async def test_an_interrupted_probe_leaves_room(
    faults: "Faults", make_cache: "Make", side: "Side", *, breaker: Breaker, seconds: Seconds
) -> None:
    """Where the probe is interrupted, the next call probes, though somebody still holds the exception."""
    cache = make_cache(breaker=breaker)
    faults.on_read = UnavailableError("chosen")
    for _ in range(2):
        await side.call(cache, "get", "key")
    seconds.now = 8

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    faults.before = interrupt
    with pytest.raises(KeyboardInterrupt) as held:
        await side.call(cache, "get", "key")
    faults.before = lambda _: None
    faults.on_read = None
    await side.call(cache, "get", "key")
    assert "closed" == breaker.state
    assert held.value.__traceback__ is not None


async def test_a_probe_without_time_leaves_room(
    faults: "Faults", make_cache: "Make", side: "Side", *, breaker: Breaker, seconds: Seconds
) -> None:
    """Where an invocation has no time left for the probe, the next one probes."""
    cache = make_cache(breaker=breaker)
    faults.on_read = UnavailableError("chosen")
    for _ in range(2):
        await side.call(cache, "get", "key")
    seconds.now = 8
    faults.on_read = None
    with Invocation(0):
        await side.call(cache, "get", "key")
    await side.call(cache, "get", "key")
    assert "closed" == breaker.state
