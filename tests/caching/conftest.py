"""Caches on a real server, each test with a cache of its own; every rule is asked of functions and of coroutines."""

import functools
import inspect
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, TypeAlias, final

import pytest

from momento_lambda import Cache, Configuration, MomentoError, SimpleCacheClient, SimpleCacheClientAsync
from momento_lambda.runtime.clients import ClientSource, WarmClients
from momento_lambda.server import LocalServer, ManualClock
from momento_lambda.ttl import Ttl, duration_milliseconds
from tests.function_environment import token_alone

PATIENT: Final = 30.0
"""Seconds: nothing here is about slowness, so a busy machine gets all the time it needs."""

Make: TypeAlias = Callable[..., Cache]

_numbers = itertools.count(1)


class Calls(list[Any]):
    """What a loader was called with, in order."""

    def loader(self, value: Any) -> Callable[..., Any]:
        """Return a loader of one value, which notes that it was called."""

        def load(*arguments: Any) -> Any:
            self.append(arguments)
            return value

        return load


@final
class Side:
    """One of the two faces of a cache, awaited either way, so that a test stands once for both."""

    def __init__(self, *, coroutines: bool) -> None:
        self.coroutines = coroutines

    def function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function as this side has it: as it is, or as a coroutine function."""
        if not self.coroutines:
            return function

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return coroutine

    def cached(self, cache: Cache, function: Callable[..., Any], **options: Any) -> Any:
        """Return a function of this side, decorated."""
        return cache.cached(**options)(self.function(function))

    async def value(self, returned: Any) -> Any:
        """Return what a call on this side comes to."""
        return await returned if self.coroutines else returned

    def cached_many(self, cache: Cache, function: Callable[..., Any], **options: Any) -> Any:
        """Return a batch function of this side, decorated."""
        return cache.cached_many(**options)(self.function(function))

    async def call(self, cache: Cache, name: str, *arguments: Any, **options: Any) -> Any:
        """Return what a method of this side returns: `get`, `put`, `invalidate`."""
        return await self.value(getattr(cache.aio if self.coroutines else cache, name)(*arguments, **options))

    async def write_through(self, cache: Cache, key: str, value: Any, writer: Callable[[Any], Any]) -> Any:
        """Return what the writer returned."""
        return await self.call(cache, "write_through", key, value, self.function(writer))

    async def get_or_load(self, cache: Cache, key: str, loader: Callable[[], Any], **options: Any) -> Any:
        """Return a value under a key."""
        if self.coroutines:
            return await cache.aio.get_or_load(key, self.function(loader), **options)
        return cache.get_or_load(key, loader, **options)

    async def get_or_load_many(self, cache: Cache, ids: Any, loader: Callable[[list[Any]], Any], **options: Any) -> Any:
        """Return the values of many ids."""
        if self.coroutines:
            return await cache.aio.get_or_load_many(ids, self.function(loader), **options)
        return cache.get_or_load_many(ids, loader, **options)


@final
class Wall:
    """The time of a cache's process, in milliseconds since 1970, with which the server's goes on."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.now_ms = 1_700_000_000_000

    def __call__(self) -> int:
        """Return the time."""
        return self.now_ms

    def advance(self, duration: Ttl) -> None:
        """Go on, here and on the server."""
        self.now_ms += duration_milliseconds(duration)
        self._clock.advance(duration)


class Faults:
    """Real clients whose reads and writes fail where a test says so, and a note of all that was asked of them.

    `before` and `after` are called with the name of each operation before it is carried out and when it was answered,
    for what happens meanwhile.
    """

    def __init__(self, clients: ClientSource) -> None:
        self._clients = clients
        self.on_read: MomentoError | None = None
        self.on_write: MomentoError | None = None
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None
        self._made: dict[object, _Faulty] = {}

    def for_threads(self) -> Any:
        """Return the client for plain functions."""
        return self._faulty(self._clients.for_threads())

    async def for_loop(self) -> Any:
        """Return the client for coroutines."""
        return self._faulty(await self._clients.for_loop())

    def _faulty(self, client: SimpleCacheClient | SimpleCacheClientAsync) -> "_Faulty":
        # One for each, as whoever asks twice expects.
        return self._made.setdefault(client, _Faulty(client, self))


class _Faulty:
    def __init__(self, client: SimpleCacheClient | SimpleCacheClientAsync, faults: Faults) -> None:
        self._client: Any = client
        self._faults = faults

    def get(self, cache: str, key: str) -> Any:
        return self._ask("get", self._faults.on_read, cache, key)

    def get_multi(self, cache: str, keys: list[str]) -> Any:
        return self._ask("get_multi", self._faults.on_read, cache, keys)

    def set(self, cache: str, key: str, value: bytes, ttl: Ttl) -> Any:
        return self._ask("set", self._faults.on_write, cache, key, value, ttl)

    def set_multi(self, cache: str, items: dict[str, bytes], *, ttls: dict[str, Ttl]) -> Any:
        return self._ask("set_multi", self._faults.on_write, cache, items, ttls=ttls)

    def set_if_absent(self, cache: str, key: str, value: bytes, ttl: Ttl) -> Any:
        return self._ask("set_if_absent", self._faults.on_write, cache, key, value, ttl)

    def set_if_equal(self, cache: str, key: str, value: bytes, equal: bytes, ttl: Ttl) -> Any:
        return self._ask("set_if_equal", self._faults.on_write, cache, key, value, equal, ttl)

    def delete(self, cache: str, key: str) -> Any:
        return self._ask("delete", self._faults.on_write, cache, key)

    def _ask(self, name: str, error: MomentoError | None, *args: Any, **kwargs: Any) -> Any:
        self._faults.asked.append(name)
        self._faults.before(name)
        if error is not None:
            self._faults.after(name)
            raise error
        answer = getattr(self._client, name)(*args, **kwargs)
        if inspect.isawaitable(answer):
            return self._answer(name, answer)
        self._faults.after(name)
        return answer

    async def _answer(self, name: str, asked: Awaitable[Any]) -> Any:
        answer = await asked
        self._faults.after(name)
        return answer


@pytest.fixture(scope="session")
def clock() -> ManualClock:
    """The server's time."""
    return ManualClock()


@pytest.fixture(scope="session")
def server(clock: ManualClock) -> Iterator[LocalServer]:
    """The server of all these tests."""
    with LocalServer(clock=clock, grace=0) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: LocalServer) -> Iterator[SimpleCacheClient]:
    """A client apart from the caches, to look at what they did."""
    with SimpleCacheClient(server.credentials, 60) as ready:
        yield ready


@pytest.fixture
def cache_name(client: SimpleCacheClient) -> str:
    """A new cache on the server."""
    name = f"cache-{next(_numbers)}"
    client.create_cache(name)
    return name


@pytest.fixture(autouse=True)
def environment(server: LocalServer) -> Iterator[None]:
    """What a function's environment says: a token, and nothing else."""
    with token_alone(server):
        yield


@pytest.fixture
def make_cache(cache_name: str) -> Make:
    """Make caches on the test's own, which wait as long as it takes."""
    return functools.partial(Cache, cache_name, timeout=PATIENT, connect_timeout=PATIENT)


@pytest.fixture
def cache(make_cache: Make) -> Cache:
    """A cache whose values live for five minutes, to the millisecond."""
    return make_cache(jitter=0)


@pytest.fixture
def wall(clock: ManualClock) -> Wall:
    """The time of a cache that is made with it, and of the server."""
    return Wall(clock)


@pytest.fixture(params=["functions", "coroutines"])
def side(request: pytest.FixtureRequest) -> Side:
    """Plain functions, or coroutines."""
    return Side(coroutines=request.param == "coroutines")


@pytest.fixture
def calls() -> Calls:
    """What the loader was called with."""
    return Calls()


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch, server: LocalServer) -> Iterator[Faults]:
    """What goes wrong between the server and the caches that are made from here on."""
    clients = WarmClients(lambda: server.credentials, Configuration(timeout=PATIENT), PATIENT)
    faults = Faults(clients)
    monkeypatch.setattr("momento_lambda.caching.cache.client_source", lambda *_: faults)
    yield faults
    clients.close()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], list[tuple[str, str]]]:
    """Return the level and the message of all that was logged so far."""
    caplog.set_level(logging.DEBUG)
    return lambda: [(each.levelname, each.getMessage()) for each in caplog.records if each.name == "momento_lambda"]
