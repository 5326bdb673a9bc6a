"""What is asked of each library, and what it did, in a few words."""

import asyncio
import contextlib
import inspect
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from benchmarks.libraries.library import Library
from momento_lambda.testing import FaultProxy

Behaviour: TypeAlias = Callable[[Library], Awaitable[str]]

_NOT_OFFERED: Final = "not offered"
_CALLS_OF_A_DEAD_BACKEND: Final = 5
_PATIENCE_SECONDS: Final = 5.0
_TIME_TO_JOIN_SECONDS: Final = 0.1


async def none(library: Library) -> str:
    """Ask twice for what is None."""
    loads: list[Any] = []
    function = library.cached(_of_one(library, loads, lambda _: None))
    for _ in range(2):
        await _value(function("key"))
    return "cached" if len(loads) == 1 else "loaded each time"


async def pairs(library: Library) -> str:
    """Ask for ("a b", "c"), then for ("a", "b c")."""
    function = library.cached(_of_two(library))
    return await _told_apart(function, ("a b", "c"), ("a", "b c"))


async def number_and_text(library: Library) -> str:
    """Ask for 1, then for "1"."""
    return await _told_apart(library.cached(_of_one(library, [], repr)), (1,), ("1",))


async def none_and_empty(library: Library) -> str:
    """Ask for None, then for ""."""
    return await _told_apart(library.cached(_of_one(library, [], repr)), (None,), ("",))


async def methods(library: Library) -> str:
    """Ask one object of a class, then another."""

    class Account:
        def __init__(self, owner: str) -> None:
            self.owner = owner

        if library.coroutines:

            @library.cached
            async def balance(self, currency: str) -> str:
                return f"{self.owner} in {currency}"

        else:

            @library.cached
            def balance(self, currency: str) -> str:
                return f"{self.owner} in {currency}"

    ours, theirs = Account("ours"), Account("theirs")
    await _value(ours.balance("EUR"))
    found = await _value(theirs.balance("EUR"))
    return "told apart" if found == "theirs in EUR" else "one gets the other's value"


async def order_of_a_batch(library: Library) -> str:
    """Ask for b, then for a, b and c."""
    loads: list[list[str]] = []
    function = library.batch(_of_many(library, loads, absent=""))
    if function is None:
        return _NOT_OFFERED
    await _value(function(["b"]))
    found = await _value(function(["a", "b", "c"]))
    order = "in the order asked" if list(found) == ["a", "b", "c"] else f"in the order {', '.join(found)}"
    return f"{order}, loads {' and '.join(loads[-1])}"


async def absence_in_a_batch(library: Library) -> str:
    """Ask twice for a and b, of which there is no b."""
    loads: list[list[str]] = []
    function = library.batch(_of_many(library, loads, absent="b"))
    if function is None:
        return _NOT_OFFERED
    for _ in range(2):
        found = await _value(function(["a", "b"]))
    answer = "left out" if "b" not in found else f"answered {found['b']!r}"
    return f"{answer}, {'remembered' if len(loads) == 1 else 'asked for each time'}"


async def cancelled_leader(library: Library) -> str:
    """Ask twice at once, and cancel the one who loads while the other waits."""
    loads: list[Any] = []
    loading, may_return = asyncio.Event(), asyncio.Event()

    async def load(key: str) -> str:
        loads.append(key)
        loading.set()
        await may_return.wait()
        return "value"

    function = library.shared(load)
    if function is None:
        return _NOT_OFFERED
    leader = asyncio.create_task(function("key"))
    await loading.wait()
    waiter = asyncio.create_task(function("key"))
    await asyncio.sleep(_TIME_TO_JOIN_SECONDS)
    leader.cancel()
    may_return.set()
    await asyncio.wait([leader, waiter], timeout=_PATIENCE_SECONDS)
    if waiter.cancelled():
        return "who waits is cancelled too"
    return "who waits gets the value" if waiter.done() and waiter.result() == "value" else "who waits gets nothing"


async def nobody_listens(library: Library) -> str:
    """Ask five times while nobody listens where the cache should be."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken and not listened at, so that nobody else comes to
        return await _without_backend(library, taken.getsockname()[1])


async def black_hole(library: Library) -> str:
    """Ask five times while whatever is sent to the cache vanishes."""
    with FaultProxy("127.0.0.1", 9) as proxy:
        proxy.black_hole()
        return await _without_backend(library, proxy.port)


BEHAVIOURS: Final[dict[str, Behaviour]] = {
    "a function that returns None": none,
    'f("a b", "c") and f("a", "b c")': pairs,
    'f(1) and f("1")': number_and_text,
    'f(None) and f("")': none_and_empty,
    "a method of two objects": methods,
    "a batch of a, b, c that knows b": order_of_a_batch,
    "a batch without one of its ids": absence_in_a_batch,
    "the caller who loads is cancelled": cancelled_leader,
    "nobody listens: five calls": nobody_listens,
    "a black hole: five calls": black_hole,
}


async def _without_backend(library: Library, port: int) -> str:
    loads: list[Any] = []
    function = library.at(port, _of_one(library, loads, repr))
    began = time.monotonic()
    try:
        for number in range(_CALLS_OF_A_DEAD_BACKEND):
            await _bounded(library, function, number)
    except TimeoutError:
        return f"no answer within {_PATIENCE_SECONDS:g} s"
    except Exception as error:  # noqa: BLE001  # whatever it raises is what was asked
        return f"raises {type(error).__name__}"
    answered = "answered" if len(loads) == _CALLS_OF_A_DEAD_BACKEND else f"answered with {len(loads)} loads"
    return f"{answered}, in {time.monotonic() - began:.1f} s"


async def _bounded(library: Library, function: Callable[..., Any], argument: Any) -> None:
    call = function(argument) if library.coroutines else asyncio.to_thread(function, argument)
    pending = asyncio.ensure_future(call)
    await asyncio.wait([pending], timeout=_PATIENCE_SECONDS)
    if not pending.done():
        pending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pending
        raise TimeoutError
    await pending


async def _told_apart(function: Callable[..., Any], one: tuple[Any, ...], other: tuple[Any, ...]) -> str:
    first, second = await _value(function(*one)), await _value(function(*other))
    return "told apart" if first != second else "one value for both"


async def _value(returned: Any) -> Any:
    return await returned if inspect.isawaitable(returned) else returned


def _of_one(library: Library, loads: list[Any], answer: Callable[[Any], Any]) -> Callable[..., Any]:
    def load(key: Any) -> Any:
        loads.append(key)
        return answer(key)

    async def load_later(key: Any) -> Any:
        return load(key)

    return load_later if library.coroutines else load


def _of_two(library: Library) -> Callable[..., Any]:
    def load(first: str, second: str) -> str:
        return f"{first!r}, {second!r}"

    async def load_later(first: str, second: str) -> str:
        return load(first, second)

    return load_later if library.coroutines else load


def _of_many(library: Library, loads: list[list[str]], absent: str) -> Callable[..., Any]:
    def load(ids: list[str]) -> dict[str, str]:
        loads.append(list(ids))
        return {id_: id_.upper() for id_ in ids if id_ != absent}

    async def load_later(ids: list[str]) -> dict[str, str]:
        return load(ids)

    return load_later if library.coroutines else load
