import inspect
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import Cache, SimpleCacheClient
from momento_lambda.errors import InvalidArgumentError

if TYPE_CHECKING:
    from tests.caching.conftest import Side


async def test_only_what_is_missing(cache: Cache, side: "Side") -> None:
    """The function is called with the ids alone that are missing; other parameters are part of the key."""
    called: list[Any] = []

    def prices(region: str, ids: list[int], *, currency: str = "EUR") -> dict[int, str]:
        called.append((region, ids, currency))
        return {id_: f"{region}{id_}{currency}" for id_ in ids}

    function = side.cached_many(cache, prices, key="price:{region}:{currency}:{id}")
    assert {1: "eu1EUR", 2: "eu2EUR"} == await side.value(function("eu", [1, 2]))
    assert {3: "eu3EUR", 1: "eu1EUR"} == await side.value(function(region="eu", ids=(3, 1), currency="EUR"))
    assert {1: "us1EUR"} == await side.value(function("us", iter([1])))
    assert {1: "eu1USD"} == await side.value(function("eu", ids=[1], currency="USD"))
    assert [("eu", [1, 2], "EUR"), ("eu", [3], "EUR"), ("us", [1], "EUR"), ("eu", [1], "USD")] == called
    assert {1: "price:eu:EUR:~i1;"} == function.keys("eu", [1])
    assert ("prices", prices) == (function.__name__, inspect.unwrap(function))


async def test_all_kinds_of_parameters(cache: Cache, side: "Side") -> None:
    """By position alone, by name alone, or collected: the function is called as it must be."""
    called: list[Any] = []

    def load(first: int, /, users: list[str], *rest: int, last: int, **more: int) -> dict[str, int]:
        called.append((first, users, rest, last, more))
        return dict.fromkeys(users, first)

    function = side.cached_many(cache, load, key="{first}:{rest}:{last}:{id}", param="users", ignore=["more"])
    for _ in range(2):
        assert {"a": 1} == await side.value(function(1, ["a"], 2, 3, last=4, five=5))
    assert [(1, ["a"], (2, 3), 4, {"five": 5})] == called


async def test_methods(cache: Cache, side: "Side") -> None:
    """On a method it is bound to the object, whose part in the key is the template's to say."""

    def load(self: "Shop", ids: list[int]) -> dict[int, str]:
        self.called.append(ids)
        return {id_: f"{self.name}{id_}" for id_ in ids}

    class Shop:
        def __init__(self, name: str) -> None:
            self.name = name
            self.called: list[list[int]] = []

        def __cache_key__(self) -> str:
            return self.name

        prices: Any = side.cached_many(cache, load, key="{self}:{id}")

    one, two = Shop("a"), Shop("b")
    answers = [await side.value(shop.prices([1])) for shop in (one, two, one)]
    answers.append(await side.value(Shop.prices(two, [1])))
    assert [{1: "a1"}, {1: "b1"}, {1: "a1"}, {1: "b1"}] == answers
    assert ([[1]], [[1]]) == (one.called, two.called)


async def test_options(cache: Cache, side: "Side", client: SimpleCacheClient, cache_name: str) -> None:
    """TTLs may depend on id and value, and absences have their own."""

    def load(ids: list[int]) -> dict[int, int]:
        return {id_: id_ * 10 for id_ in ids if id_ < 3}

    function = side.cached_many(cache, load, key="{id}", ttl=lambda id_, value: id_ + value, negative_ttl="7s")
    assert {1: 10, 2: 20} == await side.value(function([1, 2, 3]))
    lives = [client.item_get_ttl(cache_name, key) for key in function.keys([1, 2, 3]).values()]
    assert [timedelta(seconds=seconds) for seconds in (11, 22, 7)] == lives


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"key": "{id}", "param": "users"}, "param= names 'users', which is no parameter: there are ids, region"),
        ({"key": "price"}, r"'price' needs \{id\}"),
        ({"key": "{zone}:{id}"}, "names 'zone', which is no parameter"),
        ({"key": "{id}", "ignore": ["zone"]}, "ignore names 'zone', which is no parameter"),
        ({"key": "{id}{region}"}, "needs a separator"),
        ({"key": "{region}:{id}", "ttl": 0}, "TTL 0 is not above 0"),
    ],
    ids=range(6),
)
def test_slips_are_named_when_decorating(cache: Cache, options: Any, message: str) -> None:
    """What cannot be meant is refused before any call."""

    def load(ids: list[int], region: str) -> dict[int, int]:
        raise AssertionError(ids, region)

    with pytest.raises(InvalidArgumentError, match=message):
        cache.cached_many(**options)(load)
