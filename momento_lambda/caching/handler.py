"""The handler of a Lambda function, given its cache, its deadline, and the end of what it started."""

import functools
import importlib
import inspect
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any

from momento_lambda.errors import ClientStateError
from momento_lambda.runtime.invocation import Invocation

_CACHE_PARAMETER = "cache"
_LOOP_MODULE = "momento_lambda.runtime.persistent_loop"


def wrap_handler(
    function: Callable[..., Any],
    cache: object,
    *,
    connect: Callable[[], None],
    measured: Callable[[], AbstractContextManager[None]],
) -> Callable[..., Any]:
    """Return what Lambda is to call in place of a handler.

    Event, context, return value and exceptions pass through untouched. A coroutine is run on one event loop for the
    life of the process, also where a plain function returns it, as other decorators make of a coroutine function.
    A handler with a keyword-only parameter named `cache` is passed the cache. What the invocation started is over
    before it returns.

    Args:
        function: The handler.
        cache: The cache to pass.
        connect: Called at once where the handler is a coroutine function, to connect for its loop.
        measured: Returns what each invocation runs inside of, with all that it started.

    Raises:
        ClientStateError: By what is returned, where it would run a coroutine in a thread that is running a loop.
    """
    parameter = inspect.signature(function).parameters.get(_CACHE_PARAMETER)
    injected = {_CACHE_PARAMETER: cache} if parameter is not None and parameter.kind is parameter.KEYWORD_ONLY else {}
    if inspect.iscoroutinefunction(inspect.unwrap(function)):
        # It will be needed, and is paid for while the function's module is loaded rather than in an invocation.
        importlib.import_module(_LOOP_MODULE)
        connect()

    @functools.wraps(function)
    def handler(*args: Any, **kwargs: Any) -> Any:
        with Invocation(_seconds_left(args)) as invocation, measured():
            try:
                returned = function(*args, **(injected | kwargs))
                return _run(returned, invocation) if inspect.iscoroutine(returned) else returned
            finally:
                invocation.join()

    return handler


def _seconds_left(arguments: tuple[Any, ...]) -> float | None:
    """Return what the context, Lambda's second argument, says; None where there is none, as in a test."""
    ask = getattr(arguments[1], "get_remaining_time_in_millis", None) if len(arguments) > 1 else None
    milliseconds = ask() if callable(ask) else None
    # A test's stand-in for a context may answer anything.
    return milliseconds / 1000 if isinstance(milliseconds, (int, float)) else None


def _run(coroutine: Coroutine[Any, Any, Any], invocation: Invocation) -> Any:
    # Only handlers that are coroutines pay for asyncio.
    from momento_lambda.runtime import persistent_loop  # noqa: PLC0415  # see above

    if persistent_loop.is_in_running_loop():
        coroutine.close()
        raise ClientStateError(
            "the handler is a coroutine with an event loop of its own, and this thread is running another: call it "
            "from a plain function, as Lambda does"
        )

    async def run() -> Any:
        invocation.join_this_loop()
        try:
            return await coroutine
        finally:
            await invocation.join_async()

    return persistent_loop.run(run())
