import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from momento_lambda import Cache, Cacheable, Hit, NoStore, SimpleCacheClient
from momento_lambda.errors import InvalidArgumentError

if TYPE_CHECKING:
    from tests.caching.conftest import Calls, Make, Side


async def test_a_function_is_called_once_for_its_arguments(cache: Cache, side: "Side") -> None:
    """The function is called where the cache does not hold the value for these arguments, and only there."""
    called: list[int] = []

    def double(number: int, *, times: int = 2) -> int:
        called.append(number)
        return number * times

    function = side.cached(cache, double)
    answers = [await side.value(function(number)) for number in (1, 2, 1)]
    answers.append(await side.value(function(1, times=2)))
    answers.append(await side.value(function(number=1, times=3)))
    assert [2, 4, 2, 2, 3] == answers
    assert [1, 2, 1] == called


@pytest.mark.parametrize("bare", [True, False])
async def test_with_and_without_parentheses(cache: Cache, side: "Side", *, bare: bool) -> None:
    """The decorator works bare and called, and keeps name, documentation and parameters."""

    def lookup(user: int) -> int:
        """Look up."""
        return user

    function: Any = cache.cached(side.function(lookup)) if bare else cache.cached()(side.function(lookup))
    assert [3, 3] == [await side.value(function(3)), await side.value(function(user=3))]
    assert ("lookup", "Look up.") == (function.__name__, function.__doc__)
    assert function.__wrapped__.__name__ == "lookup"


async def test_where_a_value_came_from(cache: Cache, side: "Side") -> None:
    """`result` says whether the loader was called, and that nothing went wrong."""

    def load(user: int) -> int:
        return user

    function = side.cached(cache, load)
    results = [await side.value(function.result(1)) for _ in range(2)]
    assert [(1, "loader", None), (1, "cache", None)] == [(r.value, r.source, r.cache_error) for r in results]


async def test_the_key_is_the_one_that_is_used(
    cache: Cache, side: "Side", client: SimpleCacheClient, cache_name: str
) -> None:
    """`key` names the item that a call reads and writes."""

    def load(user: int) -> int:
        return user

    function = side.cached(cache, load, key="user:{user}")
    await side.value(function(7))
    assert "user:~i7;" == function.key(7)
    assert isinstance(client.get(cache_name, function.key(user=7)), Hit)


@pytest.mark.parametrize(
    ("options", "prefix"),
    [
        ({}, ""),
        ({"namespace": "a"}, "a::"),
        ({"version": "2"}, ":2:"),
        ({"namespace": "a:b", "version": "2"}, "a%3Ab:2:"),
    ],
)
async def test_namespace_and_version(
    make_cache: "Make", side: "Side", *, client: SimpleCacheClient, cache_name: str, options: Any, prefix: str
) -> None:
    """Namespace and version are part of every key."""
    cache = make_cache(**options)

    def load(user: str) -> str:
        return user

    function = side.cached(cache, load, key="user:{user}")
    await side.value(function("7"))
    await side.get_or_load(cache, "one", lambda: 1)
    await side.get_or_load_many(cache, ["2"], lambda ids: dict.fromkeys(ids, 1), key="many:{}")
    assert f"{prefix}user:7" == function.key("7")
    assert (True, True, True) == client.keys_exist(
        cache_name, [f"{prefix}{key}" for key in ("user:7", "one", "many:2")]
    )


async def test_methods(cache: Cache, side: "Side") -> None:
    """A method is bound to its object, whose key is part of the call's; through the class it takes the object."""

    def look_up(self: "Holder", number: int) -> str:
        self.called.append(number)
        return f"{self.name}{number}"

    class Holder:
        def __init__(self, name: str) -> None:
            self.name = name
            self.called: list[int] = []

        def __cache_key__(self) -> str:
            return self.name

        get: Any = side.cached(cache, look_up)

    one, two, same = Holder("a"), Holder("b"), Holder("a")
    answers = [await side.value(each.get(1)) for each in (one, two, one, same)]
    answers += [await side.value(Holder.get(one, 1)), await side.value(one.get(number=2))]
    assert ["a1", "b1", "a1", "a1", "a1", "a2"] == answers
    assert ([1, 2], [1], []) == (one.called, two.called, same.called)
    assert Holder.get.key(one, 1) == one.get.key(1) != two.get.key(1)
    assert "cache" == (await side.value(one.get.result(1))).source


async def test_a_method_needs_an_identity(cache: Cache, side: "Side") -> None:
    """A method of an object that does not say what it stands for is refused when called, not when decorated."""

    def get(self: object, number: int) -> int:
        raise AssertionError(self, number)

    function = side.cached(cache, get)
    with pytest.raises(InvalidArgumentError, match="the argument 'self'"):
        await side.value(function(object(), 1))


async def test_partials(cache: Cache, side: "Side") -> None:
    """A partial of a cached function is one more spelling of its calls; two of different arguments do not meet."""
    called: list[tuple[int, int]] = []

    def add(one: int, other: int) -> int:
        called.append((one, other))
        return one + other

    function = side.cached(cache, add)
    answers = [await side.value(functools.partial(function, one)(2)) for one in (1, 5)]
    answers += [await side.value(function(1, 2)), await side.value(functools.partial(function, other=2)(5))]
    assert ([3, 7, 3, 7], [(1, 2), (5, 2)]) == (answers, called)


async def test_static_methods(cache: Cache, side: "Side") -> None:
    """Below @staticmethod, the decorator works as on a function."""

    def get(number: int) -> int:
        return number

    class Holder:
        lookup: Any = staticmethod(side.cached(cache, get))

    assert (3, 3) == (await side.value(Holder.lookup(3)), await side.value(Holder().lookup(3)))


def numbers() -> Iterator[int]:
    """Yield."""
    yield 1


async def later_numbers() -> AsyncIterator[int]:
    """Yield, in time."""
    yield 1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (classmethod(repr), "put @classmethod above @cached"),
        (staticmethod(numbers), "put @staticmethod above @cached"),
        (numbers, "numbers is a generator: return a list"),
        (later_numbers, "later_numbers is a generator: return a list"),
        (int, "for functions, not for type"),
        (functools.partial(len), "for functions, not for partial"),
        (property(len), "for functions, not for property"),
        ("name", "for functions, not for str"),
        (str.__repr__, "for functions, not for wrapper_descriptor"),
    ],
    ids=range(9),
)
def test_what_returns_no_value_is_refused_when_decorating(cache: Cache, function: Any, message: str) -> None:
    """What is no function, or none that returns a value to keep, is refused at once, with what to do instead."""
    with pytest.raises(InvalidArgumentError, match=message):
        cache.cached(function)


async def test_once_is_enough(cache: Cache, side: "Side") -> None:
    """What is cached already is refused."""
    with pytest.raises(InvalidArgumentError, match="cached already"):
        cache.cached(side.cached(cache, side.function))


@pytest.mark.parametrize("key", ["", " ", "ключ", "two\nlines", "k" * 5_000, "%:~"])
async def test_any_text_is_a_key(cache: Cache, side: "Side", calls: "Calls", key: str) -> None:
    """A key of one's own may be any text."""
    loader = calls.loader(1)
    assert [1, 1] == [await side.get_or_load(cache, key, loader) for _ in range(2)]
    assert 1 == len(calls)


@pytest.mark.parametrize(("key", "message"), [(b"key", "type bytes"), (7, "type int"), ("\ud800", "lone surrogates")])
async def test_what_is_no_text_is_no_key(cache: Cache, side: "Side", calls: "Calls", key: Any, message: str) -> None:
    """A key that is no text, or none that can be sent, is refused before anything is loaded."""
    with pytest.raises(InvalidArgumentError, match=message):
        await side.get_or_load(cache, key, calls.loader(1))
    assert [] == calls


@pytest.mark.parametrize("name", ["", "two\nlines", " users", "ключ"])
def test_a_name_that_cannot_be_sent_is_refused(name: str) -> None:
    """A name in the source that no server could have is an error where it stands."""
    with pytest.raises(InvalidArgumentError, match="the cache name"):
        Cache(name)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": "1s"},
        {"connect_timeout": 0},
        {"connect_timeout": float("nan")},
        {"connect_timeout": "1s"},
    ],
    ids=str,
)
def test_a_timeout_that_cannot_be_is_refused(options: Any) -> None:
    """A timeout that is not above 0 is an error where it stands."""
    with pytest.raises(InvalidArgumentError, match="timeout is"):
        Cache("users-cache", **options)


def test_two_caches_do_not_meet(cache: Cache, client: SimpleCacheClient, make_cache: "Make") -> None:
    """The same function in another cache on the same server is another."""
    client.create_cache("apart")
    other = Cache("apart", timeout=30, connect_timeout=30)
    load: Callable[[], int] = lambda: 1  # noqa: E731  # one object for both
    cache.get_or_load("key", load)
    assert "loader" == other.cached(key="key")(load).result().source
    assert "cache" == make_cache().cached(key="key")(load).result().source


def test_representations_show_no_values(cache: Cache, cache_name: str) -> None:
    """What ends up in logs shows where a value came from, and not the value."""

    def load() -> str:
        return "secret"

    shown = [repr(each) for each in (cache.cached(load).result(), Cacheable("secret", ttl=5), NoStore("secret"), cache)]
    assert "secret" not in "".join(shown)
    assert f"Cache({cache_name!r})" == shown[-1]
