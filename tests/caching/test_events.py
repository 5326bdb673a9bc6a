import json
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import Cache, CacheEvent, NoStore
from momento_lambda.errors import UnavailableError

if TYPE_CHECKING:
    from tests.caching.conftest import Calls, Faults, Make, Side, Wall


class Notes(list[CacheEvent]):
    """An observer that keeps what it is told."""

    def on_event(self, event: CacheEvent) -> None:
        """Keep an event."""
        self.append(event)


class Context:
    """What Lambda says of an invocation that has a minute left."""

    def get_remaining_time_in_millis(self) -> int:
        """Return a minute."""
        return 60_000


async def test_the_events_of_a_read(cache: Cache, side: "Side", calls: "Calls") -> None:
    """A miss is told with its load and its store, in order; a hit is told alone; each with the cache's name."""
    with cache.observe() as seen:
        for _ in range(2):
            await side.get_or_load(cache, "key", calls.loader(7))
    assert ["miss", "load", "store", "hit"] == seen.kinds
    assert {cache.name} == {event.cache for event in seen.events}
    assert all(event.seconds is not None for event in seen.events)
    await side.get_or_load(cache, "key", calls.loader(7))
    assert 4 == len(seen.events)


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (None, ["miss", "load", "store", "negative_hit"]),
        (NoStore(7), ["miss", "load", "not_stored", "miss", "load", "not_stored"]),
    ],
    ids=["absence", "not stored"],
)
async def test_the_events_of_other_values(cache: Cache, side: "Side", value: Any, kinds: list[str]) -> None:
    """A remembered absence is a hit of its own kind; what is not stored is told as that."""
    with cache.observe() as seen:
        for _ in range(2):
            await side.get_or_load(cache, "key", lambda: value)
    assert kinds == seen.kinds


async def test_the_events_of_trouble(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """A failure is told with its code, a loader's with the type of its exception; neither with a key or a value."""
    cache = make_cache()
    faults.on_read = UnavailableError("hidden")

    def load() -> None:
        raise KeyError("hidden")

    with cache.observe() as seen, pytest.raises(KeyError):
        await side.get_or_load(cache, "hidden", load)
    assert [("error", "UNAVAILABLE"), ("miss", None), ("load_error", "KeyError")] == [
        (event.kind, event.error) for event in seen.events
    ]
    assert "hidden" not in repr(seen.events)


async def test_the_events_of_a_batch(make_cache: "Make", side: "Side", wall: "Wall") -> None:
    """A batch tells counts of items: hits, misses, absences, loads and stores, and nothing of which there was none."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)

    def load(ids: list[str]) -> dict[str, str]:
        return {id_: id_ for id_ in ids if id_ != "x"}

    async def told(*ids: str) -> list[tuple[str, int]]:
        with cache.observe() as seen:
            await side.get_or_load_many(cache, ids, load, key="{}")
        return [(event.kind, event.items) for event in seen.events]

    assert [("miss", 3), ("load", 3), ("store", 3)] == await told("a", "b", "x")
    assert [("hit", 2), ("negative_hit", 1), ("miss", 1), ("load", 1), ("store", 1)] == await told("a", "b", "c", "x")
    wall.advance("5m")
    assert [("load", 2), ("store", 2)] == await told("a", "b")


async def test_statistics(make_cache: "Make", side: "Side", calls: "Calls") -> None:
    """Statistics count events, and say how many hits there were of all that was asked."""
    cache = make_cache()
    assert (0, 0, None) == (cache.stats.hits, cache.stats.misses, cache.stats.hit_rate)
    for key in ("a", "a", "a", "b"):
        await side.get_or_load(cache, key, calls.loader(7))
    assert (2, 2, 0.5, 2) == (cache.stats.hits, cache.stats.misses, cache.stats.hit_rate, cache.stats.counts["load"])
    assert cache.stats.seconds["load"] >= 0
    assert "'miss': 2" in repr(cache.stats)
    cache.stats.reset()
    assert (0, None) == (cache.stats.hits, cache.stats.hit_rate)


async def test_observers(make_cache: "Make", side: "Side", calls: "Calls") -> None:
    """Observers are told of everything from the beginning, and recordings only while they last, nested ones too."""
    notes = Notes()
    cache = make_cache(observers=[notes])
    with cache.observe() as outer:
        await side.call(cache, "put", "key", 7)
        with cache.observe() as inner:
            await side.get_or_load(cache, "key", calls.loader(7))
        await side.call(cache, "invalidate", "key")
    assert ["store", "hit", "invalidate"] == outer.kinds == [event.kind for event in notes]
    assert ["hit"] == inner.kinds


def test_each_invocation_counts_from_nothing(make_cache: "Make", side: "Side", calls: "Calls") -> None:
    """Statistics are of one invocation: the next begins at nothing."""
    cache = make_cache()

    def value() -> int:
        calls.append(1)
        return 7

    function = side.cached(cache, value)
    handler = make_handler(side, cache, function, None)
    seen = []
    for _ in range(3):
        handler({}, Context())
        seen.append((cache.stats.hits, cache.stats.misses))
    assert [(0, 1), (1, 0), (1, 0)] == seen


def make_handler(side: "Side", cache: Cache, function: Any, namespace: str | None) -> Any:
    """Return a handler of one side that calls a function."""
    if side.coroutines:

        async def handle_later(event: object, context: object) -> Any:  # noqa: ARG001  # what a handler takes
            return await function()

        later: Any = cache.handler(metrics_namespace=namespace)(handle_later)
        return later

    def handle(event: object, context: object) -> Any:  # noqa: ARG001  # what a handler takes
        return function()

    plain: Any = cache.handler(metrics_namespace=namespace)(handle)
    return plain


def test_metrics(make_cache: "Make", side: "Side", capsys: pytest.CaptureFixture[str]) -> None:
    """One line an invocation holds its counts in the embedded metric format, each named once with its unit."""
    cache = make_cache()

    def value() -> int:
        return 7

    handler = make_handler(side, cache, side.cached(cache, value), "Shop/Cache")
    lines = []
    for _ in range(2):
        assert 7 == handler({}, Context())
        [line] = capsys.readouterr().out.splitlines()
        lines.append(json.loads(line))
    loaded, hit = lines
    [definition] = loaded["_aws"]["CloudWatchMetrics"]
    assert ("Shop/Cache", [["CacheName"]]) == (definition["Namespace"], definition["Dimensions"])
    assert cache.name == loaded["CacheName"]
    assert 1_700_000_000_000 < loaded["_aws"]["Timestamp"] < 10**14
    names = [metric["Name"] for metric in definition["Metrics"]]
    assert names == [name for name in loaded if name not in {"_aws", "CacheName"}]
    assert len(set(names)) == len(names)
    units = {metric["Name"]: metric["Unit"] for metric in definition["Metrics"]}
    assert ("Count", "Milliseconds", "None") == tuple(
        map(units.get, ("CacheHits", "CacheReadTime", "CacheBreakerOpen"))
    )
    assert (0, 1, 1) == (loaded["CacheHits"], loaded["CacheMisses"], loaded["CacheLoads"])
    assert [1, 1, 1] == [len(loaded[name]) for name in ("CacheReadTime", "CacheLoadTime", "CacheStoreTime")]
    assert (1, 0, False) == (hit["CacheHits"], hit["CacheMisses"], "CacheLoadTime" in hit)


def test_each_time_is_a_value_of_its_own(make_cache: "Make", side: "Side", capsys: pytest.CaptureFixture[str]) -> None:
    """Every read is a value that percentiles are made of; what is more than a line takes stands in further lines."""
    cache = make_cache()

    def value(number: int) -> int:
        return number

    function = side.cached(cache, value)

    async def read_later() -> None:
        for number in range(150):
            await function(number % 50)

    def read() -> None:
        for number in range(150):
            function(number % 50)

    handler = make_handler(side, cache, read_later if side.coroutines else read, "Shop/Cache")
    handler({}, Context())
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (100, 50) == (first["CacheHits"], first["CacheMisses"])
    assert (100, 50) == (len(first["CacheReadTime"]), len(second["CacheReadTime"]))
    assert ["CacheReadTime"] == [metric["Name"] for metric in second["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
    assert all(milliseconds > 0 for milliseconds in first["CacheReadTime"] + second["CacheReadTime"])


def test_no_metrics_of_nothing(make_cache: "Make", side: "Side", capsys: pytest.CaptureFixture[str]) -> None:
    """An invocation that asked the cache nothing prints nothing, nor does one without a namespace."""
    cache = make_cache()

    def nothing() -> int:
        return 7

    assert 7 == make_handler(side, cache, side.function(nothing), "Shop/Cache")({}, Context())
    assert 7 == make_handler(side, cache, side.cached(cache, nothing), None)({}, Context())
    assert "" == capsys.readouterr().out


def test_metrics_of_a_handler_that_raises(make_cache: "Make", side: "Side", capsys: pytest.CaptureFixture[str]) -> None:
    """What a handler that raises did is told too."""
    cache = make_cache()

    def value() -> int:
        raise ValueError("down")

    with pytest.raises(ValueError, match="down"):
        make_handler(side, cache, side.cached(cache, value), "Shop/Cache")({}, Context())
    assert 1 == json.loads(capsys.readouterr().out)["CacheLoadErrors"]


def test_the_breaker_s_state(
    faults: "Faults", make_cache: "Make", side: "Side", capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says whether the invocation left the breaker open, and how many operations were left out for that."""
    cache = make_cache()

    def value() -> int:
        return 7

    handler = make_handler(side, cache, side.cached(cache, value), "Shop/Cache")
    lines = []
    for failure in (None, UnavailableError("chosen"), UnavailableError("chosen"), None):
        faults.on_read = failure
        assert 7 == handler({}, Context())
        lines.append(json.loads(capsys.readouterr().out))
    found = [(line["CacheErrors"], line["CacheBreakerOpen"], line["CacheSkips"]) for line in lines]
    assert [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 1)] == found


@pytest.mark.parametrize(
    ("variable", "argument", "expected"),
    [("Shop", None, "Shop"), ("Shop", "Mine", "Mine"), ("", None, None), (None, None, None)],
)
def test_the_environment_names_the_namespace(
    make_cache: "Make",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    variable: str | None,
    argument: str | None,
    expected: str | None,
) -> None:
    """MOMENTO_METRICS_NAMESPACE stands in for the argument; where neither says anything, nothing is printed."""
    if variable is not None:
        monkeypatch.setenv("MOMENTO_METRICS_NAMESPACE", variable)
    cache = make_cache()
    handler = cache.handler(metrics_namespace=argument)(lambda _event, _context: cache.get_or_load("key", lambda: 7))
    assert 7 == handler({}, Context())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ([] if expected is None else [expected]) == [
        definition["Namespace"] for line in lines for definition in line["_aws"]["CloudWatchMetrics"]
    ]
