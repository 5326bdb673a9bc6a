import asyncio
import contextvars
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from momento_lambda import Cache, ClientStateError
from momento_lambda.runtime import persistent_loop
from momento_lambda.runtime.invocation import time_left

if TYPE_CHECKING:
    from tests.caching.conftest import Faults, Make, Side

EVENT = {"id": "7"}
CONTEXT = object()


@pytest.fixture(autouse=True)
def close_loop() -> Iterator[None]:
    """Close the loop that handlers of a test ran on."""
    yield
    persistent_loop.close()


def test_everything_passes_through(cache: Cache, side: "Side") -> None:
    """Event, context and return value pass through, the same objects."""
    seen: list[object] = []
    answer = {"statusCode": 200}

    def handle(event: object, context: object) -> object:
        seen.extend((event, context))
        return answer

    assert answer is cache.handler(side.function(handle))(EVENT, CONTEXT)
    assert (True, True) == (seen[0] is EVENT, seen[1] is CONTEXT)


@pytest.mark.parametrize("error", [ValueError("v"), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_exceptions_pass_through(cache: Cache, side: "Side", error: BaseException) -> None:
    """What the handler raises is raised, the same object, and the next invocation goes on."""
    failing = [True]

    def handle(event: object, context: object) -> str:  # noqa: ARG001  # what a handler takes
        if failing.pop():
            raise error
        return "well"

    handler = cache.handler(side.function(handle))
    with pytest.raises(type(error)) as caught:
        handler(EVENT, CONTEXT)
    assert error is caught.value
    failing.append(False)
    assert "well" == handler(EVENT, CONTEXT)


def test_the_cache_is_injected_where_it_is_asked_for(cache: Cache, side: "Side") -> None:
    """A keyword-only parameter named `cache` is passed the cache; a caller may pass another."""

    def handle(event: object, context: object, *, cache: object) -> object:  # noqa: ARG001  # what a handler takes
        return cache

    handler = cache.handler(side.function(handle))
    untyped: Callable[..., object] = handler
    assert cache is untyped(EVENT, CONTEXT)
    assert "another" == handler(EVENT, CONTEXT, cache="another")


def test_the_cache_is_injected_nowhere_else(cache: Cache, side: "Side") -> None:
    """A parameter named `cache` that could be the event, or the rest of the keywords, is left alone."""

    def positional(event: object, cache: object = None) -> object:  # noqa: ARG001  # as above
        return cache

    def collecting(*args: object, **kwargs: object) -> object:
        return args, kwargs

    assert None is cache.handler(side.function(positional))(EVENT)
    assert ((EVENT, CONTEXT), {}) == cache.handler(side.function(collecting))(EVENT, CONTEXT)


def test_invocations_share_one_loop(cache: Cache) -> None:
    """A coroutine handler keeps its event loop and the connections on it from invocation to invocation."""
    loaded: list[str] = []

    @cache.cached
    async def user(name: str) -> str:
        loaded.append(name)
        return name

    @cache.handler
    async def handler(event: dict[str, str], context: object) -> tuple[object, str]:  # noqa: ARG001  # as above
        return asyncio.get_running_loop(), await user(event["id"])

    first, second = handler(EVENT, CONTEXT), handler(EVENT, CONTEXT)
    assert first[0] is second[0]
    assert ("7", "7", ["7"]) == (first[1], second[1], loaded)


async def test_a_handler_in_a_running_loop(cache: Cache) -> None:
    """A coroutine handler that is called where a loop is running says so, and begins nothing."""
    begun: list[object] = []

    @cache.handler
    async def handler(event: object, context: object) -> str:  # noqa: ARG001  # as above
        begun.append(event)
        return "well"

    with pytest.raises(ClientStateError, match="running another: call it from a plain function"):
        handler(EVENT, CONTEXT)
    assert [] == begun


def test_a_new_loop_goes_on(cache: Cache) -> None:
    """After the loop was closed, the next invocation opens another, and finds what was stored before."""

    @cache.cached
    async def user(name: str) -> str:
        return name

    @cache.handler
    async def handler(event: dict[str, str], context: object) -> str:  # noqa: ARG001  # as above
        return (await user.result(event["id"])).source

    sources = [handler(EVENT, CONTEXT)]
    persistent_loop.close()
    sources.append(handler(EVENT, CONTEXT))
    assert ["loader", "cache"] == sources


REQUEST: contextvars.ContextVar[str] = contextvars.ContextVar("REQUEST", default="none")


def test_each_invocation_has_its_context(cache: Cache, side: "Side") -> None:
    """A coroutine handler sees the context variables that decorators around it set, and leaves none to the next."""

    def traced(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def traced(event: Any, context: Any) -> Any:
            token = REQUEST.set(event)
            try:
                return function(event, context)
            finally:
                REQUEST.reset(token)

        return traced

    async def handle(event: object, context: object) -> str:  # noqa: ARG001  # as above
        seen = REQUEST.get()
        REQUEST.set("left behind")
        return seen

    handler = traced(cache.handler(handle))
    assert ["one", "two"] == [handler("one", CONTEXT), handler("two", CONTEXT)]
    assert "none" == cache.handler(handle)(EVENT, CONTEXT)
    assert not side.coroutines or inspect.iscoroutinefunction(handle)


def spoken(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate as others do: a plain function that takes whatever comes."""

    @functools.wraps(function)
    def speak(event: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        return function({**event, "spoken": True}, context, *args, **kwargs)

    return speak


@pytest.mark.parametrize("order", ["inside", "outside"])
def test_other_decorators_stack_in_any_order(cache: Cache, side: "Side", order: str) -> None:
    """Decorators of others stand above or below, on plain and on coroutine functions, injection included."""

    def handle(event: dict[str, Any], context: object, *, cache: object) -> object:  # noqa: ARG001  # as above
        return event, cache

    function: Any = side.function(handle)
    handler: Any = cache.handler(spoken(function)) if order == "inside" else spoken(cache.handler(function))
    assert ({"id": "7", "spoken": True}, cache) == handler(EVENT, CONTEXT)
    assert not inspect.iscoroutinefunction(handler)


def test_metadata_is_kept(cache: Cache, side: "Side") -> None:
    """The handler keeps its name, its documentation and what it wraps."""

    def handle(event: object, context: object) -> None:
        """Handle."""

    function = side.function(handle)
    handler: Any = cache.handler(function)
    assert ("handle", "Handle.", __name__, function) == (
        handler.__name__,
        handler.__doc__,
        handler.__module__,
        handler.__wrapped__,
    )


def test_a_handler_may_use_the_cache(cache: Cache, side: "Side") -> None:
    """A handler reads through the cache it is given, on its own side."""

    async def handle_later(event: dict[str, str], context: object, *, cache: Cache) -> Any:  # noqa: ARG001  # as above
        return await side.get_or_load(cache, event["id"], lambda: "loaded")

    def handle(event: dict[str, str], context: object, *, cache: Cache) -> Any:  # noqa: ARG001  # as above
        return cache.get_or_load(event["id"], lambda: "loaded")

    handler: Any = cache.handler(handle_later if side.coroutines else handle)
    assert ["loaded", "loaded"] == [handler(EVENT, CONTEXT) for _ in range(2)]


class Context:
    """What Lambda says of an invocation."""

    def __init__(self, milliseconds: Any) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> Any:
        """Return the time that is left."""
        return self._milliseconds


def reading(side: "Side", cache: Cache) -> Any:
    """Return a handler that reads through the cache."""
    if side.coroutines:

        async def handle_later(event: object, context: object) -> Any:  # noqa: ARG001  # as above
            return await side.get_or_load(cache, "key", lambda: 7)

        return cache.handler(handle_later)

    def handle(event: object, context: object) -> Any:  # noqa: ARG001  # as above
        return cache.get_or_load("key", lambda: 7)

    return cache.handler(handle)


def test_without_time_the_cache_is_not_asked(faults: "Faults", make_cache: "Make", side: "Side", log: Any) -> None:
    """Where an invocation has no more time than the reserve, the loader answers at once; that is said, and told."""
    cache = make_cache()
    handler = reading(side, cache)
    with cache.observe() as seen:
        assert 7 == handler(EVENT, Context(50))
    assert [] == faults.asked
    assert {"error", "miss", "load"} == set(seen.kinds)
    assert [True] == ["has no time left" in message for _, message in log()]
    # It says nothing of the server: the next invocation asks.
    assert 7 == handler(EVENT, Context(60_000))
    assert ["get", "set"] == faults.asked


def test_the_time_that_is_left_is_known(cache: Cache, side: "Side") -> None:
    """Inside a handler whoever calls the cache knows the time that the invocation has; outside nobody does."""
    seen: list[float | None] = []

    def handle(event: object, context: object) -> None:  # noqa: ARG001  # as above
        seen.append(time_left())

    handler: Any = cache.handler(side.function(handle))
    handler(EVENT, Context(1_000_000))
    handler(EVENT, Context(10))
    handler(EVENT, CONTEXT)
    handle(EVENT, CONTEXT)
    assert seen[0] is not None
    assert 900 < seen[0] <= 999.95
    assert [0.0, None, None] == seen[1:]


@pytest.mark.parametrize("milliseconds", [None, "soon", Mock()], ids=["none", "text", "mock"])
def test_a_context_that_knows_no_time(cache: Cache, side: "Side", milliseconds: Any) -> None:
    """A stand-in for a context, whose answer is no number, is one that says nothing."""
    assert 7 == reading(side, cache)(EVENT, Context(milliseconds))
    assert 7 == reading(side, cache)(EVENT, Mock())
