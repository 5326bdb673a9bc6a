"""Statements about types, which mypy checks and which hold when they run."""

from collections.abc import Callable, Coroutine
from typing import Any, assert_never, assert_type

from momento_lambda import Cache, Cacheable, Hit, Miss, NoStore, Result, SimpleCacheClient, TtlUpdate, UnavailableError
from momento_lambda.caching.cached import CachedCoroutine, CachedFunction
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
    assert "loader" == bare.result("a").source


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


def test_handlers() -> None:
    """A handler keeps its signature; a coroutine handler returns what its coroutine does."""
    plain: Callable[[dict[str, str], object], str] = handler
    assert_type(handler({"id": "7"}, cache), str)
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


async def loads() -> Coroutine[Any, Any, None] | None:
    """Stand for a loader of nothing."""
    return None


async def test_both_sides_load() -> None:
    """Both sides of a cache take loaders of their kind."""
    assert_type(cache.get_or_load_many(["a"], lambda ids: dict.fromkeys(ids, 1), key="{}"), dict[str, Any])
    assert None is await cache.aio.get_or_load("key", loads)
    assert callable(forgotten)
