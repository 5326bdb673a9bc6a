"""The handler of a Lambda function, given its cache."""

import functools
import importlib
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

_CACHE_PARAMETER = "cache"
_LOOP_MODULE = "momento_lambda.runtime.persistent_loop"


def wrap_handler(function: Callable[..., Any], cache: object) -> Callable[..., Any]:
    """Return what Lambda is to call in place of a handler.

    Event, context, return value and exceptions pass through untouched. A coroutine is run on one event loop for the
    life of the process, also where a plain function returns it, as other decorators make of a coroutine function.
    A handler with a keyword-only parameter named `cache` is passed the cache.
    """
    parameter = inspect.signature(function).parameters.get(_CACHE_PARAMETER)
    injected = {_CACHE_PARAMETER: cache} if parameter is not None and parameter.kind is parameter.KEYWORD_ONLY else {}
    if inspect.iscoroutinefunction(inspect.unwrap(function)):
        # It will be needed, and is paid for while the function's module is loaded rather than in an invocation.
        importlib.import_module(_LOOP_MODULE)

    @functools.wraps(function)
    def handler(*args: Any, **kwargs: Any) -> Any:
        returned = function(*args, **(injected | kwargs))
        return _run(returned) if inspect.iscoroutine(returned) else returned

    return handler


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    # Only handlers that are coroutines pay for asyncio.
    from momento_lambda.runtime import persistent_loop  # noqa: PLC0415  # see above

    return persistent_loop.run(coroutine)
