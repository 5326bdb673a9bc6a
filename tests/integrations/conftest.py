"""A server, and time that stands still for it and for Powertools alike."""

import datetime as dt
import importlib
import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias, final

import pytest
from aws_lambda_powertools import Metrics, Tracer
from aws_lambda_powertools.utilities.idempotency import base as idempotency_base
from aws_lambda_powertools.utilities.idempotency.persistence import base as persistence_base
from aws_lambda_powertools.utilities.idempotency.persistence import datarecord

from momento_lambda import Cache, Configuration, Hit, SimpleCacheClient
from momento_lambda.caching.events import Observer
from momento_lambda.integrations.idempotency import MomentoPersistenceLayer
from momento_lambda.server import LocalServer, ManualClock
from tests.function_environment import token_alone

PATIENT: Final = 30.0
"""Seconds: nothing here is about slowness, so a busy machine gets all the time it needs."""

START: Final = 1_800_000_000.0

MakeCache: TypeAlias = Callable[[Observer], Cache]

_numbers = itertools.count(1)


@final
class Time:
    """The time of the server, of Powertools and of the persistence layer, which goes on when it is told to."""

    def __init__(self, server_clock: ManualClock) -> None:
        self._server_clock = server_clock
        self.seconds = START

    def __call__(self) -> float:
        """Return seconds since 1970."""
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Go on, everywhere."""
        self._server_clock.advance(seconds)
        self.seconds += seconds

    def advance_here(self, seconds: float) -> None:
        """Go on in the function alone, as where the server's clock is behind."""
        self.seconds += seconds

    def module(self) -> Any:
        """Return a stand-in for the module `datetime`, whose `datetime.now()` tells this time."""

        class Frozen(dt.datetime):
            @classmethod
            def now(cls, tz: dt.tzinfo | None = None) -> "Frozen":
                return cls.fromtimestamp(self.seconds, tz)

        return types.SimpleNamespace(**(vars(dt) | {"datetime": Frozen}))


@final
class Context:
    """The context of an invocation, as far as Powertools reads it."""

    function_name = "pay"
    memory_limit_in_mb = 128
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:pay"
    aws_request_id = "request-1"

    def __init__(self, milliseconds: int = 30_000) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        """Return what the invocation has left."""
        return self._milliseconds


@final
class Records:
    """The records of a cache, as they are stored."""

    def __init__(self, client: SimpleCacheClient, cache_name: str) -> None:
        self._client = client
        self.cache_name = cache_name

    def get(self, key: str) -> bytes | None:
        """Return the bytes of a record, or None."""
        answer = self._client.get(self.cache_name, key)
        return answer.value_bytes if isinstance(answer, Hit) else None

    def put(self, key: str, stored: bytes) -> None:
        """Put something in a record's place."""
        self._client.set(self.cache_name, key, stored, 3600)

    def lifetime(self, key: str) -> float | None:
        """Return the seconds that the server keeps a record for."""
        left = self._client.item_get_ttl(self.cache_name, key)
        return None if left is None else left.total_seconds()


@pytest.fixture(scope="session")
def server_clock() -> ManualClock:
    """The server's time."""
    return ManualClock()


@pytest.fixture(scope="session")
def server(server_clock: ManualClock) -> Iterator[LocalServer]:
    """The server of all these tests."""
    with LocalServer(clock=server_clock, grace=0) as running:
        yield running


@pytest.fixture(scope="session")
def patient() -> Configuration:
    """The configuration of clients that wait as long as it takes."""
    return Configuration(timeout=PATIENT)


@pytest.fixture
def client(server: LocalServer, patient: Configuration) -> Iterator[SimpleCacheClient]:
    """A client of a test's own."""
    with SimpleCacheClient(server.credentials, 60, configuration=patient) as ready:
        yield ready


@pytest.fixture
def cache_name(client: SimpleCacheClient) -> str:
    """A new cache on the server."""
    name = f"cache-{next(_numbers)}"
    client.create_cache(name)
    return name


@pytest.fixture
def records(client: SimpleCacheClient, cache_name: str) -> Records:
    """What the test's cache holds."""
    return Records(client, cache_name)


@pytest.fixture(autouse=True)
def environment(server: LocalServer) -> Iterator[None]:
    """What a function's environment says: a token, and nothing else."""
    with token_alone(server):
        yield


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch, server_clock: ManualClock) -> Time:
    """Time that stands still; Powertools asks `datetime` for it, in three modules."""
    time = Time(server_clock)
    for module in (idempotency_base, persistence_base, datarecord):
        monkeypatch.setattr(module, "dt", time.module())
    return time


@pytest.fixture
def layer(cache_name: str, client: SimpleCacheClient, time: Time) -> MomentoPersistenceLayer:
    """A persistence layer on the test's cache."""
    return MomentoPersistenceLayer(cache_name, client=client, now=time)


@pytest.fixture
def make_cache(cache_name: str, client: SimpleCacheClient) -> MakeCache:
    """Make caches on the test's own, with an observer."""
    return lambda observer: Cache(cache_name, client=client, observers=[observer])


@pytest.fixture
def context() -> Context:
    """The context of an invocation with half a minute left."""
    return Context()


@final
class Traces:
    """The subsegments that the X-Ray SDK would have sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send_entity(self, entity: Any) -> None:
        """Keep a subsegment instead of sending it."""
        self.sent.append(entity)

    def named(self, name: str) -> Any:
        """Return the one subsegment of a name."""
        (found,) = [each for each in self.sent if each.name == name]
        return found


@pytest.fixture
def traces() -> Traces:
    """What was traced."""
    return Traces()


@pytest.fixture(scope="session")
def recorder() -> Iterator[Any]:
    """The X-Ray SDK's one recorder, without its sampler, which would ask AWS for rules."""
    recorder = importlib.import_module("aws_xray_sdk.core").xray_recorder
    recorder.sampler = importlib.import_module("aws_xray_sdk.core.sampling.local.sampler").LocalSampler()
    yield recorder
    recorder.emitter._socket.close()  # noqa: SLF001  # nobody else does, and Python remarks on it


@pytest.fixture
def forget_tracers(recorder: Any) -> Iterator[None]:  # noqa: ARG001  # tracers use it
    """Forget what tracers were told: all share what the first was."""
    yield
    Tracer._reset_config()  # type: ignore[no-untyped-call]  # noqa: SLF001  # Powertools has no other way


@pytest.fixture
def tracer(
    monkeypatch: pytest.MonkeyPatch,
    recorder: Any,
    traces: Traces,
    forget_tracers: None,  # noqa: ARG001  # what it does is done afterwards
) -> Tracer:
    """A tracer in a sampled invocation on Lambda, on the X-Ray SDK as it is, but for the sending."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    lambda_context = importlib.import_module("aws_xray_sdk.core.lambda_launcher").LambdaContext()
    monkeypatch.setattr(recorder, "context", lambda_context)
    monkeypatch.setattr(recorder, "emitter", traces)
    # A tracer that was disabled leaves the SDK so.
    importlib.import_module("aws_xray_sdk").global_sdk_config.set_sdk_enabled(value=True)
    return Tracer(service="users", disabled=False, auto_patch=False)


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    """Metrics, which all objects of their class share."""
    metrics = Metrics(namespace="Shop", service="users")
    yield metrics
    metrics.clear_metrics()
