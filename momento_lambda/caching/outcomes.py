"""What a loader may say of the value it returns, and what a read says of the value it found."""

from typing import Generic, Literal, TypeAlias, TypeVar, final

from momento_lambda.errors import MomentoError
from momento_lambda.ttl import Ttl

T_co = TypeVar("T_co", covariant=True)

Source: TypeAlias = Literal["local", "cache", "stale", "negative", "loader"]


@final
class Cacheable(Generic[T_co]):
    """A loaded value, with a TTL of its own where one is given.

    Args:
        value: What the caller gets.
        ttl: How long this one lives; None for whatever would hold without this wrapper.
    """

    __slots__ = ("ttl", "value")

    def __init__(self, value: T_co, ttl: Ttl | None = None) -> None:
        self.value = value
        self.ttl = ttl

    def __repr__(self) -> str:
        return f"Cacheable(<{type(self.value).__name__}>, ttl={self.ttl!r})"


@final
class NoStore(Generic[T_co]):
    """A loaded value that is not to be stored.

    Args:
        value: What the caller gets.
    """

    __slots__ = ("value",)

    def __init__(self, value: T_co) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"NoStore(<{type(self.value).__name__}>)"


@final
class Result(Generic[T_co]):
    """A value, and how it was come by.

    Attributes:
        value: What the call returns.
        source: "local" for this process's own tier, "cache" for the remote one, "stale" for a value past its TTL,
            "negative" for a remembered absence, "loader" when the function itself was called.
        age: Seconds since the value was loaded, where that is known.
        ttl_left: Seconds until it is due; negative when it is over due; None where that is not known.
        cache_error: Why the cache could not be read or written, or None.
    """

    __slots__ = ("age", "cache_error", "source", "ttl_left", "value")

    def __init__(
        self,
        value: T_co,
        source: Source,
        age: float | None = None,
        ttl_left: float | None = None,
        cache_error: MomentoError | None = None,
    ) -> None:
        self.value = value
        self.source = source
        self.age = age
        self.ttl_left = ttl_left
        self.cache_error = cache_error

    def __repr__(self) -> str:
        return f"Result(<{type(self.value).__name__}>, source={self.source!r}, cache_error={self.cache_error!r})"
