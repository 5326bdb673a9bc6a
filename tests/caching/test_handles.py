import contextvars
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import Cache, LocalTier, SimpleCacheClient
from momento_lambda.errors import InvalidArgumentError

if TYPE_CHECKING:
    from tests.caching.conftest import Calls, Faults, Make, Side, Wall

TENANT: contextvars.ContextVar[str] = contextvars.ContextVar("TENANT")


def counting(calls: "Calls") -> Callable[..., int]:
    """Return a function that returns how often it was called."""

    def value(user: int, *, region: str = "eu") -> int:
        calls.append((user, region))
        return len(calls)

    return value


async def test_refresh_calls_the_function(cache: Cache, side: "Side", calls: "Calls") -> None:
    """`refresh` calls the function and stores its value, whatever the cache holds."""
    function = side.cached(cache, counting(calls))
    assert [1, 2, 2] == [
        await side.value(function(7)),
        await side.value(function.refresh(7)),
        await side.value(function(user=7, region="eu")),
    ]
    assert [(7, "eu")] * 2 == calls


async def test_refresh_raises_what_the_function_does(cache: Cache, side: "Side") -> None:
    """Where the function raises, so does `refresh`, and what the cache holds stays."""
    error = ValueError("down")

    def value() -> int:
        raise error

    function = side.cached(cache, value)
    await side.value(function.put(1))
    with pytest.raises(ValueError, match="down") as caught:
        await side.value(function.refresh())
    assert error is caught.value
    assert 1 == await side.value(function())


async def test_peek_calls_nothing(make_cache: "Make", side: "Side", wall: "Wall", calls: "Calls") -> None:
    """`peek` says what the cache holds, stale values too, or None; the function is not called."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)
    function = side.cached(cache, counting(calls))
    assert None is await side.value(function.peek(7))
    await side.value(function(7))
    found = []
    for passed in ("0s", "5m", "1m"):
        wall.advance(passed)
        held = await side.value(function.peek(7))
        found.append(held and (held.value, held.source))
    assert [(1, "cache"), (1, "stale"), None] == found
    assert 1 == len(calls)


async def test_put_and_invalidate_take_the_arguments(cache: Cache, side: "Side", calls: "Calls") -> None:
    """`put` stores a value for the arguments, and `invalidate` removes it; other arguments are left alone."""
    function = side.cached(cache, counting(calls))
    assert await side.value(function.put(70, 7))
    assert await side.value(function.put(80, 8, region="us"))
    assert (70, 80) == (await side.value(function(7)), await side.value(function(8, region="us")))
    assert [] == calls
    assert await side.value(function.invalidate(user=7))
    assert (1, 80) == (await side.value(function(7)), await side.value(function(8, region="us")))


async def test_write_through_takes_the_arguments(
    cache: Cache, side: "Side", client: SimpleCacheClient, cache_name: str, calls: "Calls"
) -> None:
    """`write_through` has a value written, then stored for the arguments, under the rules of the function."""
    table: list[int] = []

    def write(value: int) -> str:
        table.append(value)
        return "written"

    function = side.cached(cache, counting(calls), ttl=lambda value: value)
    assert "written" == await side.value(function.write_through(70, side.function(write), 7, region="us"))
    assert ([70], 70, []) == (table, await side.value(function(7, region="us")), calls)
    left = client.item_get_ttl(cache_name, function.key(7, region="us"))
    assert left is not None
    assert 70 == left.total_seconds()


async def test_write_through_raises_what_the_writer_does(cache: Cache, side: "Side", calls: "Calls") -> None:
    """Where the writer raises, so does `write_through`, and what the cache holds stays."""
    error = ValueError("down")

    def write(value: int) -> None:  # noqa: ARG001  # what a writer takes
        raise error

    function = side.cached(cache, counting(calls))
    await side.value(function.put(1, 7))
    with pytest.raises(ValueError, match="down") as caught:
        await side.value(function.write_through(2, side.function(write), 7))
    assert (True, 1) == (error is caught.value, await side.value(function(7)))


async def test_results_say_how_old(make_cache: "Make", side: "Side", wall: "Wall", calls: "Calls") -> None:
    """A result says where its value is from, how old it is, and how long it is good for."""
    cache = make_cache(jitter=0, stale="1m", now_ms=wall)
    function = side.cached(cache, counting(calls), ttl="2m")
    seen = []
    for passed in ("0s", "30s"):
        wall.advance(passed)
        result = await side.value(function.result(7))
        seen.append((result.source, result.age, result.ttl_left))
    wall.advance("100s")
    held = await side.value(function.peek(7))
    seen.append((held.source, held.age, held.ttl_left))
    assert [("loader", 0.0, 120.0), ("cache", 30.0, 90.0), ("stale", 130.0, -10.0)] == seen


async def test_handles_of_methods(cache: Cache, side: "Side") -> None:
    """What hangs on a method is bound to its object, as the method is."""

    def add(self: "Holder", plus: int) -> int:
        self.called += 1
        return self.base + plus

    class Holder:
        called = 0

        def __init__(self, base: int) -> None:
            self.base = base

        def __cache_key__(self) -> int:
            return self.base

        number: Any = side.cached(cache, add)

    one, two = Holder(10), Holder(20)
    assert await side.value(one.number.put(99, 1))
    assert (99, 21) == (await side.value(one.number(1)), await side.value(two.number(1)))
    assert 11 == await side.value(one.number.refresh(1))
    assert await side.value(one.number.invalidate(1))
    assert None is await side.value(one.number.peek(1))
    assert 21 == (await side.value(two.number.peek(1))).value
    assert (1, 1) == (one.called, two.called)


async def test_store_if(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """`store_if` is asked of each value; one that it refuses is returned and not stored, as where it fails."""

    def value(number: int) -> int:
        return number

    function = side.cached(make_cache(), value, store_if=lambda value: 10 / value > 2)
    assert [7, 2, 0] == [await side.value(function(number)) for number in (7, 2, 0)]
    assert ["get", "get", "set", "get"] == faults.asked


async def test_a_namespace_of_the_call(
    make_cache: "Make", side: "Side", client: SimpleCacheClient, cache_name: str, calls: "Calls"
) -> None:
    """A namespace that is a function is asked at each call: tenants do not see each other's values."""
    cache = make_cache(namespace=TENANT.get, version="2")
    function = side.cached(cache, counting(calls), key="user:{user}", ignore=["region"])
    many = side.cached_many(cache, lambda ids: dict.fromkeys(ids, TENANT.get()), key="many:{id}")
    answers = []
    for tenant in ("a", "b:2", "a"):
        token = TENANT.set(tenant)
        answers.append(
            (
                await side.value(function(7)),
                await side.get_or_load(cache, "key", calls.loader(tenant)),
                await side.value(many(["x"])),
                function.key(7),
            )
        )
        TENANT.reset(token)
    first, second, third = answers
    assert first == third
    assert ("a", "b:2") == (first[1], second[1])
    assert ({"x": "a"}, {"x": "b:2"}) == (first[2], second[2])
    assert ("a:2:user:~i7;", "b%3A2:2:user:~i7;") == (first[3], second[3])
    assert (True, True) == client.keys_exist(cache_name, ["a:2:key", "b%3A2:2:key"])
    with pytest.raises(LookupError):
        await side.value(function(7))


async def test_a_namespace_that_is_no_text(make_cache: "Make", side: "Side", calls: "Calls") -> None:
    """A namespace that is no text is refused before anything is loaded: it would be everybody's."""
    cache = make_cache(namespace=lambda: None)
    with pytest.raises(InvalidArgumentError, match="the namespace is of type NoneType"):
        await side.get_or_load(cache, "key", calls.loader(1))
    assert [] == calls


def test_closures_of_one_name_are_refused(cache: Cache) -> None:
    """Two functions that differ only in what they closed over would share values: the second is refused, with a fix."""

    def make(base: int, key: str | None = None) -> Any:
        def plus(number: int) -> int:
            return base + number

        return cache.cached(key=key)(plus)

    assert 11 == make(10)(1)
    with pytest.raises(InvalidArgumentError, match=r"plus is cached here already.*give each a key= template"):
        make(20)
    assert 31 == make(30, key="thirty:{number}")(1)


def test_functions_without_a_closure_may_be_made_anew(cache: Cache) -> None:
    """A function that closed over nothing is the same each time it is made, and finds its values."""

    def make() -> Any:
        def one() -> int:
            return 1

        return cache.cached(one)

    assert ["loader", "cache"] == [make().result().source, make().result().source]


@pytest.mark.parametrize("batch", [False, True])
def test_unused_parameters_are_warned_of(cache: Cache, *, batch: bool) -> None:
    """A template that leaves a parameter out is warned of where it stands: its values may leak between callers."""

    def prices(ids: list[str], region: str, currency: str) -> dict[str, int]:
        return dict.fromkeys(ids, len(region) + len(currency))

    if batch:
        with pytest.warns(UserWarning, match=r"prices uses none of currency.*may leak") as caught:
            cache.cached_many(key="{region}:{id}")(prices)
    else:
        with pytest.warns(UserWarning, match=r"prices uses none of currency.*may leak") as caught:
            cache.cached(key="{region}:{ids}")(prices)
    assert __file__ == caught[0].filename


def test_ignored_parameters_are_not_warned_of(cache: Cache) -> None:
    """What is ignored on purpose is not warned of; nor is the object of a method."""

    def method(self: object, ids: list[str], region: str) -> dict[str, int]:
        raise AssertionError(self, ids, region)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.cached(key="{ids}", ignore=["region"])(method)
        cache.cached_many(key="{id}", ignore=["region"])(method)


async def test_peek_looks_here_first(faults: "Faults", make_cache: "Make", side: "Side", calls: "Calls") -> None:
    """`peek` asks nobody for what this process holds."""
    function = side.cached(make_cache(local_tier=LocalTier()), counting(calls))
    await side.value(function(7))
    assert "local" == (await side.value(function.peek(7))).source
    assert ["get", "set"] == faults.asked
