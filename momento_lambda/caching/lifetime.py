"""How long a loaded value lives, by the first of these that says so.

1. The loader: `Cacheable(value, ttl=...)`, or `NoStore(value)`.
2. The `ttl=` callable, asked of the value (in a batch, of id and value).
3. `negative_ttl`, where the value is None.
4. The call's or the decorator's `ttl=`.
5. The cache's `default_ttl`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, final

from momento_lambda.caching.outcomes import Cacheable, NoStore
from momento_lambda.chance import system_chance
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.ttl import MAX_TTL_MS, MIN_TTL_MS, Ttl, duration_milliseconds

TtlOfValue: TypeAlias = Callable[..., Ttl]
"""The TTL of a value. Its argument is not tied to the function's return type, which no checker infers for a lambda."""


class Loaded(NamedTuple):
    """What a loader returned, and for how long.

    Attributes:
        value: The value, out of its wrapper.
        ttl_ms: How long it lives; None when it is not to be stored.
        kept_ms: How long it may be served in need, at least as long as it lives.
        negative: Whether it is a None that lives by the TTL of absences.
        problem: Why what was asked for does not hold, or None.
    """

    value: Any
    ttl_ms: int | None = None
    kept_ms: int = 0
    negative: bool = False
    problem: str | None = None


@final
class Lifetime:
    """The TTL rules of one function or one call.

    Args:
        ttl: Of all its values, or a function of each value; None for the default.
        default_ttl: Where nothing else says.
        negative_ttl: Of None and of absences; None for the same as any other value.
        max_ttl: The longest; what is longer is cut, with a remark.
        stale: How long past its TTL a value may be served in need.
        jitter: By how much of itself a TTL is shortened at most, so that what was stored together is not gone
            together; never lengthened.
        store_if: Asked of each value, whether to store it; None for always.
        chance: A number in [0, 1).

    Raises:
        InvalidArgumentError: A TTL that is not above 0, or not a duration; a jitter outside 0 to 1.
    """

    __slots__ = ("_chance", "_jitter", "_max_ms", "_negative_ms", "_of_value", "_stale_ms", "_store_if", "_ttl_ms")

    def __init__(
        self,
        ttl: Ttl | TtlOfValue | None,
        default_ttl: Ttl,
        *,
        negative_ttl: Ttl | None = None,
        max_ttl: Ttl = "1d",
        stale: Ttl = 0,
        jitter: float = 0.0,
        store_if: Callable[[Any], bool] | None = None,
        chance: Callable[[], float] = system_chance,
    ) -> None:
        if not 0 <= jitter < 1:
            raise InvalidArgumentError(f"jitter is {jitter!r}: give 0 for none, or a part of 1")
        self._of_value = ttl if callable(ttl) else None
        self._ttl_ms = _static_ttl_ms(default_ttl if ttl is None or callable(ttl) else ttl)
        self._negative_ms = None if negative_ttl is None else _static_ttl_ms(negative_ttl)
        self._max_ms = min(_static_ttl_ms(max_ttl), MAX_TTL_MS)
        self._stale_ms = duration_milliseconds(stale)
        if self._stale_ms < 0:
            raise InvalidArgumentError(f"stale is {stale!r}: give 0 for none, or a duration")
        self._jitter = jitter
        self._store_if = store_if
        self._chance = chance

    def of(self, returned: Any, *id_: Any) -> Loaded:
        """Return the value that a loader returned, and how long it lives.

        Args:
            returned: What the loader returned.
            id_: In a batch, what it returned it for.
        """
        if isinstance(returned, NoStore):
            return Loaded(returned.value)
        value, own = (returned.value, returned.ttl) if isinstance(returned, Cacheable) else (returned, None)
        try:
            if self._store_if is not None and not self._store_if(value):
                return Loaded(value)
            ttl_ms, negative = self._milliseconds(value, own, id_)
        except Exception as error:  # noqa: BLE001  # the user's function may raise anything; the value is still good
            return Loaded(value, problem=f"the TTL of a value could not be computed ({type(error).__name__})")
        return self._within_limits(value, ttl_ms, negative=negative)

    def of_absence(self) -> Loaded:
        """Return how long it is remembered that a batch loader left an id out: not at all without a TTL for that."""
        if self._negative_ms is None:
            return Loaded(None)
        return self._within_limits(None, self._negative_ms, negative=True)

    def _milliseconds(self, value: Any, own: Ttl | None, id_: tuple[Any, ...]) -> tuple[int, bool]:
        if own is not None:
            return duration_milliseconds(own), False
        if self._of_value is not None:
            return duration_milliseconds(self._of_value(*id_, value)), False
        if value is None and self._negative_ms is not None:
            return self._negative_ms, True
        return self._ttl_ms, False

    def _within_limits(self, value: Any, ttl_ms: int, *, negative: bool) -> Loaded:
        if ttl_ms <= 0:
            return Loaded(value)
        problem = None
        if ttl_ms > self._max_ms:
            problem = f"the TTL of a value is over {self._max_ms // 1000} seconds, the longest: it was cut"
            ttl_ms = self._max_ms
        if self._jitter:
            ttl_ms = int(ttl_ms * (1 - self._jitter * self._chance()))
        ttl_ms = max(ttl_ms, MIN_TTL_MS)
        # An absence is over when its time is: what was created meanwhile must be seen.
        stale_ms = 0 if negative else self._stale_ms
        return Loaded(value, ttl_ms, max(min(ttl_ms + stale_ms, self._max_ms), ttl_ms), negative, problem)


def _static_ttl_ms(ttl: Ttl) -> int:
    """Return a TTL that was written down.

    Raises:
        InvalidArgumentError: Not a duration, or not above 0.
    """
    ttl_ms = duration_milliseconds(ttl)
    if ttl_ms <= 0:
        raise InvalidArgumentError(f"TTL {ttl!r} is not above 0: leave the decorator out, or return NoStore(value)")
    return ttl_ms
