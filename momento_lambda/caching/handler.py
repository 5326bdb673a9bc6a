"""The handler of a Lambda function, given its cache."""

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

_CACHE_PARAMETER = "cache"


def wrap_handler(function: Callable[..., Any], cache: object) -> Callable[..., Any]:
    """Return what Lambda is to call in place of a handler.

    Event, context, return value and exceptions pass through untouched. A coroutine function becomes a plain one that
    runs it on one event loop for the life of the process. A handler with a keyword-only parameter named `cache` is
    passed the cache.
    """
    parameter = inspect.signature(function).parameters.get(_CACHE_PARAMETER)
    injected = {_CACHE_PARAMETER: cache} if parameter is not None and parameter.kind is parameter.KEYWORD_ONLY else {}
    if inspect.iscoroutinefunction(function):
        return _wrap_coroutine(function, injected)

    @functools.wraps(function)
    def handler(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **(injected | kwargs))

    return handler


def _wrap_coroutine(function: Callable[..., Coroutine[Any, Any, Any]], injected: dict[str, Any]) -> Callable[..., Any]:
    # Only handlers that are coroutines pay for asyncio here.
    from momento_lambda.runtime import persistent_loop  # noqa: PLC0415

    @functools.wraps(function)
    def handler(*args: Any, **kwargs: Any) -> Any:
        return persistent_loop.run(function(*args, **(injected | kwargs)))

    return handler
