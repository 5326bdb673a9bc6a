"""Statements about types, which mypy checks and which hold when they run."""

from collections.abc import Callable, Mapping
from typing import Any, assert_never, assert_type

from momento_lambda import Cache, Cacheable, Hit, Miss, NoStore, Result, SimpleCacheClient, TtlUpdate, UnavailableError
from momento_lambda.caching.cached import CachedCoroutine, CachedFunction
from momento_lambda.caching.cached_many import CachedManyCoroutine, CachedManyFunction
from momento_lambda.responses import GetResponse


def nobody() -> SimpleCacheClient:
    """Stand for a server that cannot be reached, so that loaders answer."""
    raise UnavailableError("nobody is there")


cache = Cache("users-cache", client=nobody)


@cache.cached
def bare(user: str, *, region: str = "eu") -> dict[str, int] | None:
    """Stand for a plain function."""
    return {user: len(region)}


@cache.cached(ttl="1m", key="user:{user}", ignore=["region"])
def called(user: str, *, region: str = "eu") -> list[str]:
    """Stand for one with options."""
    return [user, region]


@cache.cached(ttl=lambda token: token["expires_in"] - 30)
def token(audience: str) -> dict[str, int]:
    """Stand for one whose TTL depends on the value."""
    return {"expires_in": 60, audience: 1}


@cache.cached
def wrapped(slug: str) -> Cacheable[dict[str, str]] | NoStore[dict[str, str]]:
    """Stand for one that says how long each value lives."""
    return NoStore({"slug": slug}) if slug == "draft" else Cacheable({"slug": slug}, ttl="1m")


@cache.cached(ttl=60)
def always_wrapped(slug: str) -> Cacheable[str]:
    """Stand for one that always says so."""
    return Cacheable(slug)


@cache.cached
def never_stored(slug: str) -> NoStore[int]:
    """Stand for one that is never stored."""
    return NoStore(len(slug))


@cache.cached
async def later(user: str, limit: int = 3) -> list[str]:
    """Stand for a coroutine function."""
    return [user] * limit


@cache.cached(key="article:{slug}")
async def wrapped_later(slug: str) -> Cacheable[int] | NoStore[int]:
    """Stand for a coroutine function that says how long each value lives."""
    return Cacheable(len(slug))


@cache.cached_many(key="price:{region}:{id}", ttl=lambda id_, price: id_ + price)
def prices(ids: list[int], region: str = "eu") -> dict[int, float]:
    """Stand for a batch function."""
    return dict.fromkeys(ids, float(len(region)))


@cache.cached_many(key="stock:{id}")
def stock(ids: list[str]) -> Mapping[str, Cacheable[int] | NoStore[int]]:
    """Stand for one that says how long each value lives."""
    return {id_: Cacheable(len(id_), ttl="1m") for id_ in ids}


@cache.cached_many(key="{id}", negative_ttl=None)
async def prices_later(ids: list[int]) -> dict[int, float]:
    """Stand for a batch coroutine function."""
    return dict.fromkeys(ids, 1.0)


@cache.cached_many(key="stock:{id}")
async def stock_later(ids: list[str]) -> Mapping[str, Cacheable[int] | NoStore[int]]:
    """Stand for a batch coroutine function that says how long each value lives."""
    return {id_: NoStore(len(id_)) for id_ in ids}


class Repository:
    """Methods, plain and coroutine."""

    def __cache_key__(self) -> str:
        return "repository"

    @cache.cached
    def find(self, user: str, limit: int = 1) -> list[str]:
        """Stand for a method."""
        return [user] * limit

    @cache.cached(ttl=60)
    async def find_later(self, user: str) -> str:
        """Stand for a method that is a coroutine function."""
        return user

    @cache.cached_many(key="{self}:{id}")
    def find_many(self, ids: list[int]) -> dict[int, str]:
        """Stand for a batch method."""
        return dict.fromkeys(ids, "")

    @staticmethod
    @cache.cached
    def helper(number: int) -> int:
        """Stand for a static method."""
        return number


def test_plain_functions() -> None:
    """A decorated function keeps its parameters and its return type, out of its wrapper where it has one."""
    assert_type(bare("a", region="us"), dict[str, int] | None)
    assert_type(called("a"), list[str])
    assert_type(token("a"), dict[str, int])
    assert_type(wrapped("a"), dict[str, str])
    assert_type(always_wrapped("a"), str)
    assert_type(never_stored("a"), int)
    plain: Callable[[str], str] = always_wrapped
    assert isinstance(plain, CachedFunction)
    assert ("a", 1) == (always_wrapped("a"), never_stored("a"))


def test_handles() -> None:
    """What hangs on a decorated function takes the same arguments."""
    assert_type(bare.key("a", region="us"), str)
    assert_type(bare.result("a"), Result[dict[str, int] | None])
    assert_type(wrapped.result("a").value, dict[str, str])
    assert_type(bare.refresh("a", region="us"), dict[str, int] | None)
    assert_type(bare.peek("a"), Result[dict[str, int] | None] | None)
    assert_type(bare.put(None, "a", region="us"), bool)
    assert_type(wrapped.put({"slug": "a"}, "a"), bool)
    assert_type(bare.invalidate("a"), bool)
    assert_type(wrapped.write_through({"slug": "a"}, len, "a"), int)
    assert "loader" == bare.result("a").source


async def described_later(value: int) -> str:
    """Stand for a writer that is awaited."""
    return str(value)


async def test_handles_of_coroutine_functions() -> None:
    """On a coroutine function they are awaited."""
    assert_type(await wrapped_later.refresh("a"), int)
    assert_type(await wrapped_later.peek("a"), Result[int] | None)
    assert_type(await wrapped_later.put(1, "a"), bool)
    assert_type(await wrapped_later.invalidate(slug="a"), bool)
    assert_type(await wrapped_later.write_through(1, described_later, "a"), str)
    assert 1 == await wrapped_later.refresh("a")


async def test_batch_functions() -> None:
    """A batch function returns a dict of values, out of their wrappers."""
    assert_type(prices([1], region="us"), dict[int, float])
    assert_type(stock(["a"]), dict[str, int])
    assert_type(await prices_later([1]), dict[int, float])
    assert_type(await stock_later(["a"]), dict[str, int])
    assert_type(Repository().find_many([1]), dict[int, str])
    assert_type(Repository.find_many(Repository(), [1]), dict[int, str])
    assert_type(prices.keys([1], region="us"), dict[Any, str])
    assert isinstance(stock, CachedManyFunction)
    assert isinstance(stock_later, CachedManyCoroutine)
    assert ({1: 2.0}, {"a": 1}) == (prices([1]), await stock_later(["a"]))


async def test_coroutine_functions() -> None:
    """A decorated coroutine function is awaited as before."""
    assert_type(await later("a", limit=2), list[str])
    assert_type(await wrapped_later("a"), int)
    assert_type(await later.result("a"), Result[list[str]])
    assert_type(later.key("a"), str)
    assert isinstance(wrapped_later, CachedCoroutine)
    assert (["a", "a"], 1) == (await later("a", 2), await wrapped_later("a"))


async def test_methods() -> None:
    """A method loses its object when it is bound, and keeps it through the class."""
    repository = Repository()
    assert_type(repository.find("a", limit=2), list[str])
    assert_type(repository.find.key("a"), str)
    assert_type(Repository.find(repository, "a"), list[str])
    assert_type(await repository.find_later("a"), str)
    assert_type((await repository.find_later.result("a")).value, str)
    assert_type(Repository.helper(1), int)
    assert repository.find.key("a") == Repository.find.key(repository, "a")


def wrong_calls() -> None:
    """What a checker must refuse: each of these lines is an error, or the note beside it is."""
    bare(1)  # type: ignore[arg-type]  # is text
    bare("a", "us")  # type: ignore[call-arg]  # by name alone
    bare()  # type: ignore[call-arg]  # asked for
    bare.key(user=None)  # type: ignore[arg-type]  # is text
    bare.result("a", zone="us")  # type: ignore[call-arg]  # no such parameter
    Repository().find(1)  # type: ignore[arg-type]  # is text
    Repository().find.key()  # type: ignore[call-arg]  # asked for
    later("a", limit="2")  # type: ignore[arg-type, unused-coroutine]  # is a number, and awaited
    bare.put(1, "a")  # type: ignore[arg-type]  # no value of the function
    bare.write_through(1, len, "a")  # type: ignore[arg-type]  # no value of the function
    bare.refresh(1)  # type: ignore[arg-type]  # is text
    prices(1)  # type: ignore[arg-type]  # are ids
    prices([1], zone="us")  # type: ignore[call-arg]  # no such parameter
    cache.cached_many(ttl="1m")  # type: ignore[call-arg]  # a key is asked for
    cache.cached(ttl=None, store=True)  # type: ignore[call-overload]  # no such option
    cache.cached(ttl=b"1m")  # type: ignore[call-overload]  # no duration


def test_wrong_calls_are_known_to_the_checker() -> None:
    """The calls that a checker refuses are written down, and never made."""
    assert callable(wrong_calls)


@cache.handler
def handler(event: dict[str, str], context: object) -> str:
    """Stand for a handler."""
    return event["id"] if context else ""


@cache.handler
async def handler_later(event: dict[str, str], context: object) -> str:
    """Stand for a coroutine handler, which becomes a plain function."""
    return event["id"] if context else ""


@cache.handler(metrics_namespace="Shop/Cache")
def measured(event: dict[str, str], context: object) -> str:
    """Stand for a handler with options."""
    return event["id"] if context else ""


@cache.handler(metrics_namespace="Shop/Cache")
async def measured_later(event: dict[str, str], context: object) -> str:
    """Stand for a coroutine handler with options, which becomes a plain function too."""
    return event["id"] if context else ""


def test_handlers() -> None:
    """A handler keeps its signature; a coroutine handler returns what its coroutine does."""
    plain: Callable[[dict[str, str], object], str] = handler
    assert_type(handler({"id": "7"}, cache), str)
    assert_type(measured({"id": "7"}, cache), str)
    no_longer_one_either: Callable[[dict[str, str], object], str] = measured_later
    assert "7" == measured({"id": "7"}, cache)
    assert callable(no_longer_one_either)
    no_longer_a_coroutine: Callable[[dict[str, str], object], str] = handler_later
    assert "7" == plain({"id": "7"}, cache)
    assert callable(no_longer_a_coroutine)


def describe_get(response: GetResponse) -> str:
    """Say what a read found, of every kind that there is."""
    match response:
        case Hit(value_bytes):
            assert_type(value_bytes, bytes)
            return response.value_string
        case Miss():
            return "nothing"
        case _:
            assert_never(response)


def describe_update(update: TtlUpdate) -> str:
    """Say what became of a new TTL, of every kind that there is."""
    match update:
        case TtlUpdate.SET:
            return "set"
        case TtlUpdate.NOT_SET:
            return "not set"
        case TtlUpdate.MISSING:
            return "missing"
        case _:
            assert_never(update)


def test_responses_can_be_exhausted() -> None:
    """A match over all kinds of an answer needs no other case."""
    assert ["text", "nothing"] == [describe_get(Hit(b"text")), describe_get(Miss())]
    assert ["set", "not set", "missing"] == [describe_update(update) for update in TtlUpdate]


def forgotten(response: GetResponse) -> str:
    """Forget a kind: the checker notices."""
    match response:
        case Hit():
            return response.value_string
        case _:
            assert_never(response)  # type: ignore[arg-type]  # a Miss is left


def load() -> int:
    """Stand for a loader."""
    return 7


def load_wrapped() -> Cacheable[str] | NoStore[str]:
    """Stand for a loader that says how long its value lives."""
    return NoStore("")


async def load_later() -> int:
    """Stand for a coroutine loader."""
    return 7


async def load_wrapped_later() -> Cacheable[str]:
    """Stand for one that says how long its value lives."""
    return Cacheable("")


async def load_many_later(ids: list[str]) -> dict[str, int]:
    """Stand for a batch loader."""
    return dict.fromkeys(ids, 1)


def write(value: int) -> str:
    """Stand for a writer."""
    return str(value)


async def write_later(value: int) -> str:
    """Stand for a coroutine writer."""
    return str(value)


def test_loads() -> None:
    """What is loaded is of the loader's type, out of its wrapper; what is written returns what the writer does."""
    assert_type(cache.get_or_load("key", load), int)
    assert_type(cache.get_or_load("key", load_wrapped, ttl="1m"), str)
    assert_type(cache.get_or_load_many(["a"], lambda ids: dict.fromkeys(ids, 1), key="{}"), dict[str, Any])
    assert_type(cache.write_through("key", 7, write), str)
    assert_type(cache.put("key", 7, ttl=60), bool)
    assert_type(cache.invalidate("key"), bool)
    assert 7 == cache.get_or_load("key", load)


async def test_coroutines_load() -> None:
    """For coroutines it is the same."""
    assert_type(await cache.aio.get_or_load("key", load_later), int)
    assert_type(await cache.aio.get_or_load("key", load_wrapped_later), str)
    assert_type(await cache.aio.get_or_load_many(["a"], load_many_later, key="{}"), dict[str, Any])
    assert_type(await cache.aio.write_through("key", 7, write_later), str)
    assert_type(await cache.aio.put("key", 7), bool)
    assert_type(await cache.aio.invalidate("key", strict=False), bool)
    assert 7 == await cache.aio.get_or_load("key", load_later)
    assert callable(forgotten)
