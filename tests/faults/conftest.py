"""A Lambda function with a cache beside it, and a network between the cache and its server."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, final

import pytest

from momento_lambda import Breaker, Cache
from momento_lambda.runtime import persistent_loop
from momento_lambda.runtime.clients import close_shared_clients
from momento_lambda.server import LocalServer
from momento_lambda.testing import FaultProxy

CACHE: Final = "users-cache"
TIMEOUT_SECONDS: Final = 0.2
OPEN_SECONDS: Final = 10.0
"""How long the breaker stays open."""


@final
class BreakerClock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Go on."""
        self._now += seconds


class Outcome(NamedTuple):
    """What one invocation came to.

    Attributes:
        value: What the handler returned.
        loaded: What the loader was called with, in order.
        told: How often the cache told of each kind of event.
        errors: The codes of its errors, in order.
    """

    value: Any
    loaded: list[str]
    told: Counter[str]
    errors: list[str | None]


@final
class Function:
    """A handler that looks up users through a cache, as functions or as coroutines.

    Attributes:
        during_load: Called by the loader, for what happens to the network while it runs.
    """

    def __init__(self, *, coroutines: bool) -> None:
        self._clock = BreakerClock()
        self._loaded: list[str] = []
        self.during_load: Any = None
        self.cache = Cache(
            CACHE,
            timeout=TIMEOUT_SECONDS,
            connect_timeout=TIMEOUT_SECONDS,
            breaker=Breaker(failures=2, open_for=(OPEN_SECONDS, OPEN_SECONDS), clock=self._clock),
        )
        self._handler = self._of_coroutines() if coroutines else self._of_functions()

    def invoke(self, *ids: str) -> Outcome:
        """Invoke the handler with ids of users to look up, one after the other."""
        self._loaded = []
        with self.cache.observe() as seen:
            value = self._handler(ids, None)
        errors = [event.error for event in seen.events if event.kind == "error"]
        return Outcome(value, self._loaded, Counter(seen.kinds), errors)

    def recover(self, id_: str) -> Outcome:
        """Invoke the handler until the cache answers, with time for the breaker in between; return the last outcome."""
        for _ in range(100):
            outcome = self.invoke(id_)
            assert {"user": id_} == outcome.value[0]
            if not outcome.loaded:
                return outcome
            self.let_a_probe_through()
        raise AssertionError("the cache did not come back")

    def let_a_probe_through(self) -> None:
        """Let the time pass that the breaker stays open."""
        self._clock.advance(OPEN_SECONDS)

    def _load(self, id_: str) -> dict[str, str]:
        self._loaded.append(id_)
        if self.during_load is not None:
            self.during_load()
        return {"user": id_}

    def _of_functions(self) -> Any:
        user = self.cache.cached(key="user:{id_}")(self._load)

        def handle(event: tuple[str, ...], _: object) -> list[dict[str, str]]:
            return [user(id_) for id_ in event]

        return self.cache.handler(handle)

    def _of_coroutines(self) -> Any:
        @self.cache.cached(key="user:{id_}")
        async def user(id_: str) -> dict[str, str]:
            return self._load(id_)

        async def handle(event: tuple[str, ...], _: object) -> list[dict[str, str]]:
            return [await user(id_) for id_ in event]

        return self.cache.handler(handle)


@pytest.fixture
def server() -> Iterator[LocalServer]:
    """The cache's server."""
    with LocalServer(caches=[CACHE], grace=0) as running:
        yield running


@pytest.fixture
def proxy(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """The network in front of the server, where the environment says that the server is."""
    with FaultProxy(server.host, server.port) as running:
        monkeypatch.delenv("MOMENTO_AUTH_TOKEN", raising=False)
        monkeypatch.setenv("MOMENTO_API_KEY", server.create_token(format="v2"))
        monkeypatch.setenv("MOMENTO_ENDPOINT", running.address)
        yield running


@pytest.fixture(params=["functions", "coroutines"])
def function(request: pytest.FixtureRequest, proxy: FaultProxy) -> Iterator[Function]:
    """The function, in an environment that is cold."""
    assert proxy.connections_opened == 0
    yield Function(coroutines=request.param == "coroutines")
    persistent_loop.close()
    close_shared_clients()


@pytest.fixture
def warm(function: Function) -> Function:
    """The function in a warm environment, whose cache knows the user 1."""
    function.recover("1")
    return function
