"""What a read asks of whoever carries it out, and what it is told."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias, final


@final
class Get:
    """Read keys from the cache. Outcome: an answer per key, or the MomentoError that stood in the way."""

    __slots__ = ("keys",)

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys


@final
class Store:
    """Write items to the cache, with TTLs in seconds. Outcome: None, or the MomentoError that stood in the way."""

    __slots__ = ("items", "ttls")

    def __init__(self, items: Mapping[str, bytes], ttls: Mapping[str, float]) -> None:
        self.items = items
        self.ttls = ttls


@final
class Claim:
    """Write an item where there is none. Outcome: Stored or NotStored, or the MomentoError that stood in the way."""

    __slots__ = ("key", "ttl", "value")

    def __init__(self, key: str, value: bytes, ttl: float) -> None:
        self.key = key
        self.value = value
        self.ttl = ttl


@final
class Remove:
    """Delete a key. Outcome: None, or the MomentoError that stood in the way."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key


@final
class Load:
    """Call the loader. Outcome: what it returned, or `Raised` with the exception that it raised."""

    __slots__ = ("arguments",)

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments


@final
class Pause:
    """Wait for some seconds. Outcome: None."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


@final
class Once:
    """Carry out a plan unless one for the same key is under way in this process. Outcome: what either returned."""

    __slots__ = ("key", "plan")

    def __init__(self, key: str, plan: "Callable[[], Plan]") -> None:
        self.key = key
        self.plan = plan


@final
class Beside:
    """Carry out a plan beside the caller, joined before the handler returns.

    Outcome: True if it was started; False where it need not be, being under way, or cannot be over in time; None where
    no handler would join it.
    """

    __slots__ = ("key", "plan", "seconds")

    def __init__(self, key: str, plan: "Callable[[], Plan]", seconds: float) -> None:
        self.key = key
        self.plan = plan
        self.seconds = seconds


@final
class Raised:
    """An exception as an outcome: whoever asked raises it.

    A value rather than an exception, because a generator turns a StopIteration that passes through it into another.
    """

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


Step: TypeAlias = Get | Store | Claim | Remove | Load | Pause | Once | Beside
Plan: TypeAlias = Generator[Step, Any, Any]
