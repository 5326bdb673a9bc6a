import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from momento_lambda.errors import DeadlineExceededError
from tests.caching.conftest import PATIENT
from tests.caching.gate import Gate

if TYPE_CHECKING:
    from tests.caching.conftest import Calls, Faults, Make, Side


async def test_whoever_comes_after_the_landing_looks_again(
    faults: "Faults", make_cache: "Make", side: "Side", calls: "Calls"
) -> None:
    """A caller that missed before another's load landed, and came too late to share it, hits instead of loading."""
    cache = make_cache()
    other: list[str] = []

    def load_meanwhile(name: str) -> None:
        # The answer to the first is on its way when another loads the very key.
        if name == "get" and not other:
            other.append(name)
            cache.get_or_load("key", calls.loader("theirs"))

    faults.after = load_meanwhile
    assert "theirs" == await side.get_or_load(cache, "key", calls.loader("own"))
    assert 1 == len(calls)


async def test_a_cache_that_fails_when_looked_at_again(
    faults: "Faults", make_cache: "Make", side: "Side", calls: "Calls"
) -> None:
    """Where the second look fails, the loader answers, once, and nothing is stored."""
    cache = make_cache()
    other: list[str] = []

    def load_meanwhile(name: str) -> None:
        if name == "get" and not other:
            other.append(name)
            cache.get_or_load("key", calls.loader("theirs"))
            faults.on_read = DeadlineExceededError("chosen")

    faults.after = load_meanwhile
    assert "own" == await side.get_or_load(cache, "key", calls.loader("own"))
    assert 2 == len(calls)
    assert ["get", "get", "set", "get"] == faults.asked


async def test_a_later_read_does_not_share_what_was_invalidated(make_cache: "Make", faults: "Faults") -> None:
    """Whoever reads after an invalidation gets a load that began after it, also while an older one is under way."""
    cache, gate = make_cache(), Gate(faults, 2)
    release = asyncio.Event()
    source = ["old", "new"]

    @cache.cached(key="value")
    async def value() -> str:
        found = source[0]
        if found == "old":
            await release.wait()
        return found

    older = asyncio.create_task(value())
    sharing = asyncio.create_task(value())
    await gate.wait_in_loop()
    source.pop(0)
    await cache.aio.invalidate("value")
    assert "new" == await value()
    release.set()
    assert ["old", "old"] == [await older, await sharing]
    assert "new" == await value()


def test_a_later_thread_does_not_share_what_was_invalidated(make_cache: "Make") -> None:
    """For threads it is the same; what the older load returned is not stored."""
    cache = make_cache()
    leading, release = threading.Event(), threading.Event()
    source = ["old", "new"]

    @cache.cached(key="value")
    def value() -> str:
        found = source[0]
        if found == "old":
            leading.set()
            assert release.wait(PATIENT)
        return found

    with ThreadPoolExecutor(1) as pool:
        older = pool.submit(value)
        assert leading.wait(PATIENT)
        source.pop(0)
        cache.invalidate("value")
        assert "new" == value()
        release.set()
        assert "old" == older.result()
    assert ("new", "cache") == (value.result().value, value.result().source)


async def test_a_refresh_does_not_share_an_older_load(make_cache: "Make", faults: "Faults") -> None:
    """A refresh is a load of its own while an older one is under way, of which nothing is stored then."""
    gate, release = Gate(faults, 1), asyncio.Event()
    source = ["old"]

    @make_cache().cached
    async def value() -> str:
        found = source[0]
        if found == "old":
            await release.wait()
        return found

    older = asyncio.create_task(value())
    await gate.wait_in_loop()
    source[0] = "new"
    assert "new" == await value.refresh()
    release.set()
    assert "old" == await older
    assert "new" == await value()
