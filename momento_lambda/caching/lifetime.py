"""How long a loaded value lives, by the first of these that says so.

1. The loader: `Cacheable(value, ttl=...)`, or `NoStore(value)`.
2. The `ttl=` callable, asked of the value.
3. The call's or the decorator's `ttl=`.
4. The cache's `default_ttl`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, final

from momento_lambda.caching.outcomes import Cacheable, NoStore
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.ttl import MAX_TTL_MS, MIN_TTL_MS, Ttl, duration_milliseconds

TtlOfValue: TypeAlias = Callable[[Any], Ttl]
"""The TTL of a value. The argument is not tied to the function's return type, which no checker infers for a lambda."""


class Loaded(NamedTuple):
    """What a loader returned, and for how long.

    Attributes:
        value: The value, out of its wrapper.
        ttl_ms: How long it lives; None when it is not to be stored.
        problem: Why a TTL that was asked for does not hold, or None.
    """

    value: Any
    ttl_ms: int | None
    problem: str | None


@final
class Lifetime:
    """The TTL rules of one function or one call.

    Args:
        ttl: Of all its values, or a function of each value; None for the default.
        default_ttl: Where nothing else says.

    Raises:
        InvalidArgumentError: A TTL that is not above 0, or not a duration.
    """

    __slots__ = ("_of_value", "_ttl_ms")

    def __init__(self, ttl: Ttl | TtlOfValue | None, default_ttl: Ttl) -> None:
        self._of_value = ttl if callable(ttl) else None
        self._ttl_ms = _static_ttl_ms(default_ttl if ttl is None or callable(ttl) else ttl)

    def of(self, returned: Any) -> Loaded:
        """Return the value that a loader returned, and how long it lives."""
        if isinstance(returned, NoStore):
            return Loaded(returned.value, None, None)
        value, own = (returned.value, returned.ttl) if isinstance(returned, Cacheable) else (returned, None)
        try:
            ttl_ms = self._milliseconds(value, own)
        except Exception as error:  # noqa: BLE001  # the user's function may raise anything; the value is still good
            return Loaded(value, None, f"the TTL of a value could not be computed ({type(error).__name__})")
        if ttl_ms <= 0:
            return Loaded(value, None, None)
        problem = "the TTL of a value is over 1 day, the longest: it was cut" if ttl_ms > MAX_TTL_MS else None
        return Loaded(value, min(max(ttl_ms, MIN_TTL_MS), MAX_TTL_MS), problem)

    def _milliseconds(self, value: Any, own: Ttl | None) -> int:
        if own is not None:
            return duration_milliseconds(own)
        return self._ttl_ms if self._of_value is None else duration_milliseconds(self._of_value(value))


def _static_ttl_ms(ttl: Ttl) -> int:
    """Return a TTL that was written down.

    Raises:
        InvalidArgumentError: Not a duration, or not above 0.
    """
    ttl_ms = duration_milliseconds(ttl)
    if ttl_ms <= 0:
        raise InvalidArgumentError(f"TTL {ttl!r} is not above 0: leave the decorator out, or return NoStore(value)")
    return ttl_ms
