"""What a read asks of whoever carries it out, and what it is told."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias, final

from momento_lambda.caching.trouble import Operation


class Ask:
    """Something to ask of the remote cache. Outcome: its answer, or the MomentoError that stood in the way.

    Attributes:
        operation: What fails where this fails.
        asked_at: When it was asked, in seconds on the clock of whoever did.
        seconds: How long the answer took.
    """

    __slots__ = ("asked_at", "seconds")

    operation: Operation = "write"
    asked_at: float
    seconds: float

    def put_to(self, client: Any, cache_name: str) -> Any:
        """Call a client; one kind of client answers, and of the other the answer is to be awaited."""
        raise NotImplementedError


class Get(Ask):
    """Read a key. Answer: Hit or Miss."""

    __slots__ = ("key",)

    operation = "read"

    def __init__(self, key: str) -> None:
        self.key = key

    def put_to(self, client: Any, cache_name: str) -> Any:
        """Call a client."""
        return client.get(cache_name, self.key)


@final
class GetMany(Ask):
    """Read keys. Answer: Hit or Miss for each."""

    __slots__ = ("keys",)

    operation = "read"

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys

    def put_to(self, client: Any, cache_name: str) -> Any:
        """Call a client."""
        return client.get_multi(cache_name, self.keys)


@final
class Store(Ask):
    """Write items, with TTLs in seconds. Answer: None."""

    __slots__ = ("items", "ttls")

    def __init__(self, items: Mapping[str, bytes], ttls: Mapping[str, float]) -> None:
        self.items = items
        self.ttls = ttls

    def put_to(self, client: Any, cache_name: str) -> Any:
        """Call a client."""
        if len(self.items) > 1:
            return client.set_multi(cache_name, self.items, ttls=self.ttls)
        ((key, value),) = self.items.items()
        return client.set(cache_name, key, value, self.ttls[key])


@final
class Claim(Ask):
    """Write an item where there is none. Answer: Stored or NotStored."""

    __slots__ = ("key", "ttl", "value")

    def __init__(self, key: str, value: bytes, ttl: float) -> None:
        self.key = key
        self.value = value
        self.ttl = ttl

    def put_to(self, client: Any, cache_name: str) -> Any:
        """Call a client."""
        return client.set_if_absent(cache_name, self.key, self.value, self.ttl)


@final
class Exchange(Ask):
    """Write an item in place of the one that is expected there, and of no other. Answer: Stored or NotStored."""

    __slots__ = ("expected", "key", "ttl", "value")

    def __init__(self, key: str, value: bytes, expected: bytes, ttl: float) -> None:
        self.key = key
        self.value = value
        self.expected = expected
        self.ttl = ttl

    def put_to(self, client: Any, cache_name: str) -> Any:
        """Call a client."""
        return client.set_if_equal(cache_name, self.key, self.value, self.expected, self.ttl)


@final
class Remove(Ask):
    """Delete a key. Answer: None."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key

    def put_to(self, client: Any, cache_name: str) -> Any:
        """Call a client."""
        return client.delete(cache_name, self.key)


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


Step: TypeAlias = Ask | Load | Pause | Once | Beside
Plan: TypeAlias = Generator[Step, Any, Any]
