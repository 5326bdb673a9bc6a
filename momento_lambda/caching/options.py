"""The options of a cache, and what becomes of them for one function or one call."""

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, final

from momento_lambda.caching.envelope import Bare, Envelope, Packing
from momento_lambda.caching.lifetime import Lifetime, TtlOfValue
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.record import Record
from momento_lambda.caching.return_types import fingerprint, serializer_for
from momento_lambda.caching.serializers import Serializer
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.ttl import MIN_TTL_MS, Ttl, duration_milliseconds

EarlyRefresh: TypeAlias = float | Literal["auto"] | None
OnCacheError: TypeAlias = Literal["load", "raise"]

_DEFAULT_LEASE_SECONDS: Final = 5.0


class Inherit(Enum):
    """Stands for an option that was not given, where None means something."""

    INHERIT = "inherit"


INHERIT: Final = Inherit.INHERIT


@final
class Options(Record):
    """What holds for a whole cache where a function or a call does not say otherwise."""

    default_ttl: Ttl
    max_ttl: Ttl
    negative_ttl: Ttl | None
    jitter: float
    stale: Ttl
    early_refresh: EarlyRefresh
    lease: bool | Ttl
    serializer: Serializer
    compress_over: int | None
    raw: bool
    local_tier: bool
    on_cache_error: OnCacheError
    decode_loaded: bool
    chance: Callable[[], float]

    def policy(
        self,
        *,
        ttl: Ttl | TtlOfValue | None = None,
        negative_ttl: Ttl | Inherit | None = INHERIT,
        stale: Ttl | None = None,
        early_refresh: EarlyRefresh | Inherit = INHERIT,
        lease: bool | Ttl | None = None,
        local_ttl: Ttl | None = None,
        serializer: Serializer | None = None,
        store_if: Callable[[Any], bool] | None = None,
        raw: bool | None = None,
        returns: object = None,
    ) -> Policy:
        """Return the options of one function or one call.

        Args:
            ttl: How long values live, or a function of the value; None for the cache's default.
            negative_ttl: Of None and of absences; None for the same as any other value.
            stale: How long past its TTL a value may be served in need.
            early_refresh: How early a value is loaded anew before its time.
            lease: Whether, or for how long, one process loads while others wait for it.
            local_ttl: The longest time that this process's own tier serves a value.
            serializer: What turns values into bytes and back.
            store_if: Asked of each value, whether to store it.
            raw: Whether values are stored without a header.
            returns: The function's return annotation, or None.

        Raises:
            InvalidArgumentError: A value that no option may have.
        """
        chosen = self.raw if raw is None else raw
        beta, early_inline = _early(self.early_refresh if isinstance(early_refresh, Inherit) else early_refresh)
        return Policy(
            lifetime=Lifetime(
                ttl,
                self.default_ttl,
                negative_ttl=self.negative_ttl if isinstance(negative_ttl, Inherit) else negative_ttl,
                max_ttl=self.max_ttl,
                stale=0 if chosen else self.stale if stale is None else stale,
                jitter=self.jitter,
                store_if=store_if,
                chance=self.chance,
            ),
            packing=self._packing(serializer or self.serializer, raw=chosen, returns=returns),
            beta=None if chosen else beta,
            early_inline=early_inline,
            lease_seconds=_lease(self.lease if lease is None else lease),
            local=self.local_tier,
            local_ttl_ms=None if local_ttl is None else _above_zero("local_ttl", local_ttl),
            raise_errors=self.on_cache_error == "raise",
            decode_loaded=self.decode_loaded,
        )

    def _packing(self, serializer: Serializer, *, raw: bool, returns: object) -> Packing:
        fitting = serializer_for(serializer, returns)
        return Bare(fitting) if raw else Envelope(fitting, fingerprint(returns), self.compress_over)


def default_policy(options: Options) -> Policy:
    """Return what holds where no function and no call says otherwise.

    Raises:
        InvalidArgumentError: A value that no option may have.
    """
    if options.on_cache_error not in {"load", "raise"}:
        raise InvalidArgumentError(f"on_cache_error is {options.on_cache_error!r}: give 'load' or 'raise'")
    if options.compress_over is not None and not (
        isinstance(options.compress_over, int) and options.compress_over >= 0
    ):
        raise InvalidArgumentError(f"compress_over is {options.compress_over!r}: give bytes, or None for never")
    if not hasattr(options.serializer, "dumps"):
        raise InvalidArgumentError(
            f"serializer is of type {type(options.serializer).__name__}: give JSON, BYTES, TEXT, or an object with "
            "dumps and loads"
        )
    return options.policy()


def _early(early_refresh: EarlyRefresh) -> tuple[float | None, bool]:
    """Return beta, and whether it holds also where a refresh delays the caller."""
    if early_refresh is None:
        return None, False
    if early_refresh == "auto":
        return 1.0, False
    if isinstance(early_refresh, bool) or not isinstance(early_refresh, (int, float)) or not early_refresh > 0:
        raise InvalidArgumentError(f"early_refresh is {early_refresh!r}: give 'auto', a factor above 0, or None")
    return float(early_refresh), True


def _lease(lease: Ttl | bool) -> float | None:  # noqa: FBT001  # a duration, or whether the usual one
    if lease is False:
        return None
    if lease is True:
        return _DEFAULT_LEASE_SECONDS
    return max(_above_zero("lease", lease), MIN_TTL_MS) / 1000


def _above_zero(name: str, duration: Ttl) -> int:
    milliseconds = duration_milliseconds(duration)
    if milliseconds <= 0:
        raise InvalidArgumentError(f"{name} is {duration!r}: give a duration above 0")
    return milliseconds
