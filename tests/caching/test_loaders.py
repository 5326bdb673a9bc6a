import asyncio
from typing import TYPE_CHECKING

import pytest

from momento_lambda import Cache, MomentoError, errors
from momento_lambda.errors import CacheNotFoundError, DeadlineExceededError, InvalidArgumentError, UnavailableError

if TYPE_CHECKING:
    from tests.caching.conftest import Faults, Make, Side

ERRORS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MomentoError)),
    key=lambda kind: kind.__name__,
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
