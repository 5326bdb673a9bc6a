import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from momento_lambda import Cache, Cacheable, Hit, MomentoError, NoStore, SimpleCacheClient, errors
from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.errors import CacheNotFoundError, DeadlineExceededError, InvalidArgumentError, UnavailableError

if TYPE_CHECKING:
    from momento_lambda.server import ManualClock
    from tests.caching.conftest import Calls, Faults, Make, Side

ERRORS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MomentoError)),
    key=lambda kind: kind.__name__,
)
EMPTY: list[object] = [None, False, 0, 0.0, "", b"", [], {}, (), set(), Decimal(0)]


@pytest.mark.parametrize("value", EMPTY, ids=repr)
async def test_every_value_hits(cache: Cache, side: "Side", calls: "Calls", value: object) -> None:
    """None and everything else that is false is stored, found on the second call, and comes back as it was."""
    key = f"value-{EMPTY.index(value)}"
    loader = calls.loader(value)
    found = [await side.get_or_load(cache, key, loader) for _ in range(2)]
    assert [(value, type(value))] * 2 == [(each, type(each)) for each in found]
    assert 1 == len(calls)


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


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("failing", ["read", "write", "both"])
async def test_trouble_with_the_cache_calls_the_loader_once(
    faults: "Faults", make_cache: "Make", side: "Side", kind: type[MomentoError], failing: str
) -> None:
    """Whatever goes wrong with the cache, the loader answers, once; after a read that failed nothing is written."""
    error = kind("chosen")
    faults.on_read = error if failing != "write" else None
    faults.on_write = error if failing != "read" else None
    called: list[int] = []

    def load(user: int) -> int:
        called.append(user)
        return user

    result = await side.value(side.cached(make_cache(), load).result(7))
    assert (7, "loader") == (result.value, result.source)
    assert error is result.cache_error
    assert [7] == called
    assert (["get", "set"] if failing == "write" else ["get"]) == faults.asked


@pytest.mark.parametrize(
    "error",
    [
        ValueError("v"),
        KeyError("k"),
        UnavailableError("the loader's own cache"),
        CacheNotFoundError("the loader's own cache"),
        InvalidArgumentError("the loader's own"),
        KeyboardInterrupt(),
        SystemExit(3),
        asyncio.CancelledError(),
        GeneratorExit(),
        BaseException("bare"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("readable", [True, False], ids=["cache works", "cache fails"])
async def test_what_the_loader_raises_is_raised(
    faults: "Faults",
    make_cache: "Make",
    side: "Side",
    *,
    error: BaseException,
    readable: bool,
) -> None:
    """The loader's exception is the caller's, the same object, however much it looks like the cache's."""
    faults.on_read = None if readable else DeadlineExceededError("chosen")

    def load() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        await side.value(side.cached(make_cache(), load)())
    assert error is caught.value
    assert ["get"] == faults.asked


def test_a_loader_may_raise_stop_iteration(cache: Cache) -> None:
    """StopIteration is an exception like any other."""
    end = StopIteration("end")

    def load() -> None:
        raise end

    with pytest.raises(StopIteration) as caught:
        cache.cached(load)()
    assert end is caught.value


@pytest.mark.parametrize(
    ("returned", "options", "seconds"),
    [
        (1, {}, 300),
        (1, {"ttl": "10m"}, 600),
        (1, {"ttl": 1.5}, 1.5),
        (1, {"ttl": timedelta(hours=2)}, 7200),
        (30, {"ttl": lambda value: value - 10}, 20),
        (Cacheable(1, ttl="1m"), {"ttl": "10m"}, 60),
        (Cacheable(1), {"ttl": "10m"}, 600),
        (Cacheable(1, ttl="3d"), {}, 86_400),
        (Cacheable(1, ttl=0.01), {}, 1),
    ],
    ids=range(9),
)
async def test_the_server_forgets_in_time(
    cache: Cache, side: "Side", *, clock: "ManualClock", returned: Any, options: Any, seconds: float
) -> None:
    """Each value lives on the server exactly as long as its own TTL says."""

    def load() -> Any:
        return returned

    function = side.cached(cache, load, **options)
    await side.value(function())
    clock.advance(timedelta(seconds=seconds) - timedelta(milliseconds=1))
    assert "cache" == (await side.value(function.result())).source
    clock.advance("1ms")
    assert "loader" == (await side.value(function.result())).source


@pytest.mark.parametrize(
    ("returned", "options"),
    [
        (NoStore(1), {}),
        (NoStore(1), {"ttl": "10m"}),
        (Cacheable(1, ttl=0), {}),
        (Cacheable(1, ttl=-5), {}),
        (1, {"ttl": lambda value: value - 1}),
        (1, {"ttl": lambda value: value["no such"]}),
    ],
    ids=range(6),
)
async def test_what_is_not_to_be_stored_is_not(
    faults: "Faults", make_cache: "Make", side: "Side", returned: Any, options: Any
) -> None:
    """The caller gets the value, out of its wrapper, and nothing is written."""

    def load() -> Any:
        return returned

    assert 1 == await side.value(side.cached(make_cache(), load, **options)())
    assert ["get"] == faults.asked


class Unserializable(NamedTuple):
    secret: str


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (Unserializable("hidden"), "a value of type Unserializable cannot be stored as JSON"),
        ({1: "hidden"}, "a dict with a key of type int cannot be stored as JSON"),
        ("x" * MAX_ITEM_BYTES, f"with its key it is over {MAX_ITEM_BYTES} bytes"),
    ],
    ids=["type", "key", "size"],
)
async def test_what_cannot_be_stored_is_returned(
    faults: "Faults", make_cache: "Make", side: "Side", *, log: Any, value: object, reason: str
) -> None:
    """A value that no cache can hold reaches the caller; that it is not stored is said once."""
    cache = make_cache(compress_over=None)
    answers = [await side.get_or_load(cache, key, lambda: value) for key in ("one", "two")]
    assert all(answer is value for answer in answers)
    assert ["get", "get"] == faults.asked
    [(level, message)] = log()
    assert "WARNING" == level
    assert f"a value was returned and not stored: {reason}" in message
    assert "hidden" not in message


async def test_sizes_do_not_make_new_remarks(make_cache: "Make", side: "Side", calls: "Calls", log: Any) -> None:
    """That values are too large is said once, whatever their sizes."""
    cache = make_cache(compress_over=None)
    for size in range(3):
        await side.get_or_load(cache, "large", calls.loader("x" * (MAX_ITEM_BYTES + size)))
    assert 1 == len(log())


@pytest.mark.parametrize(("more", "loads"), [(0, 1), (1, 2)], ids=["at the limit", "over it"])
async def test_the_largest_item(make_cache: "Make", side: "Side", calls: "Calls", more: int, loads: int) -> None:
    """An item at the limit, with its key and what is stored beside it, is stored and found; one byte more is not."""
    cache = make_cache(compress_over=None)
    beside = len("key") + len('""') + 41
    value = "x" * (MAX_ITEM_BYTES - beside + more)
    loader = calls.loader(value)
    found = [await side.get_or_load(cache, "key", loader) == value for _ in range(2)]
    assert [True, True] == found
    assert loads == len(calls)


@pytest.mark.parametrize("stored", [b"", b"foreign", b"ml\x01j", "text", b"ml\x01j" + bytes(40)], ids=range(5))
async def test_unreadable_bytes_are_a_miss(
    cache: Cache, side: "Side", *, client: SimpleCacheClient, cache_name: str, log: Any, stored: bytes
) -> None:
    """What cannot be read is loaded and overwritten, and said once."""
    client.set(cache_name, "key", stored)
    client.set(cache_name, "other", stored)
    answers = [await side.get_or_load(cache, key, lambda: 7) for key in ("key", "key", "other")]
    assert [7, 7, 7] == answers
    assert client.get(cache_name, "key") != Hit(stored if isinstance(stored, bytes) else stored.encode())
    assert [("WARNING", f"cache {cache_name!r}: a stored value could not be read, and was loaded anew")] == log()


async def test_what_the_caller_changes_is_his_own(cache: Cache, side: "Side") -> None:
    """Changing a returned object changes neither the cached one nor what later callers get."""

    def load() -> list[int]:
        return [1]

    function = side.cached(cache, load)
    for _ in range(3):
        answer = await side.value(function())
        assert [1] == answer
        answer.append(2)


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
        (property(len), "for functions, not for property"),
        ("name", "for functions, not for str"),
        (str.__repr__, "for functions, not for wrapper_descriptor"),
    ],
    ids=range(8),
)
def test_what_returns_no_value_is_refused_when_decorating(cache: Cache, function: Any, message: str) -> None:
    """What is no function, or none that returns a value to keep, is refused at once, with what to do instead."""
    with pytest.raises(InvalidArgumentError, match=message):
        cache.cached(function)


async def test_once_is_enough(cache: Cache, side: "Side") -> None:
    """What is cached already is refused."""
    with pytest.raises(InvalidArgumentError, match="cached already"):
        cache.cached(side.cached(cache, side.function))


async def test_recursion(cache: Cache, side: "Side") -> None:
    """A cached function may call itself."""
    called: list[int] = []

    if side.coroutines:

        @cache.cached
        async def later(n: int) -> int:
            called.append(n)
            return n if n < 2 else await later(n - 1) + await later(n - 2)

        assert 55 == await later(10)
    else:

        @cache.cached
        def fibonacci(n: int) -> int:
            called.append(n)
            return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

        assert 55 == fibonacci(10)
    assert list(range(10, -1, -1)) == called


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


async def test_coroutines_go_on_while_others_load(cache: Cache) -> None:
    """While one coroutine waits for its loader, others are served."""
    proceed = asyncio.Event()

    @cache.cached
    async def slow(number: int) -> int:
        await proceed.wait()
        return number

    @cache.cached
    async def quick() -> str:
        proceed.set()
        return "quick"

    assert (1, 2, "quick") == tuple(await asyncio.gather(slow(1), slow(2), quick()))


async def test_cancelling_a_call_cancels_its_loader(faults: "Faults", make_cache: "Make") -> None:
    """A call that is cancelled while it loads ends at once, and stores nothing."""
    loading = asyncio.Event()

    @make_cache().cached
    async def slow() -> None:
        loading.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(slow())
    await loading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ["get"] == faults.asked


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
