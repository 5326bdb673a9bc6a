"""What a store of caches does, whatever it keeps them in.

The methods are coroutines, so that a store may ask another machine. Each is atomic: no other call sees half of it.
One exception: a store that spreads the items of a cache over several machines is atomic in each part that is on one.
Times to live arrive checked, in whole milliseconds.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from momento_lambda.responses import TtlUpdate


class Condition(Enum):
    """What must be true of an item for a conditional write to happen."""

    PRESENT = "present"
    ABSENT = "absent"
    EQUAL = "equal"
    NOT_EQUAL = "not_equal"
    PRESENT_AND_NOT_EQUAL = "present_and_not_equal"
    ABSENT_OR_EQUAL = "absent_or_equal"

    def holds(self, value: bytes | None, compared: bytes) -> bool:
        """Whether an item of this value, None where there is none, meets the condition."""
        match self:
            case Condition.PRESENT:
                return value is not None
            case Condition.ABSENT:
                return value is None
            case Condition.EQUAL:
                return value == compared
            case Condition.NOT_EQUAL:
                return value != compared
            case Condition.PRESENT_AND_NOT_EQUAL:
                return value is not None and value != compared
            case Condition.ABSENT_OR_EQUAL:
                return value is None or value == compared


class TtlChange(Enum):
    """When a new time to live replaces the old one."""

    OVERWRITE = "overwrite"
    INCREASE = "increase"
    DECREASE = "decrease"


class ItemType(Enum):
    """What an item is."""

    SCALAR = "scalar"


class Item(NamedTuple):
    """An item to be stored."""

    key: bytes
    value: bytes
    ttl_ms: int


class CacheUsage(NamedTuple):
    """What a cache takes.

    Attributes:
        items: How many there are, expired ones that were not yet reclaimed included.
        bytes: The memory that they take, as an estimate.
    """

    items: int
    bytes: int


class Keyspace(Protocol):
    """The items of one cache.

    On other machines, any method may raise UnavailableError: it may succeed soon. Whether a write was done is then not
    known, unless the message says so.
    """

    async def get(self, key: bytes) -> bytes | None:
        """Return an item's value, or None where there is none."""
        ...

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values of many items, in the order asked."""
        ...

    async def set(self, item: Item) -> None:
        """Store an item, in place of what was there.

        Raises:
            LimitExceededError: The store is full.
        """
        ...

    async def set_many(self, items: Sequence[Item]) -> None:
        """Store many items, all or none; of several with one key, the last.

        Over several machines, a failure may leave the parts of some stored: whoever repeats it stores the rest.

        Raises:
            LimitExceededError: The store is full.
        """
        ...

    async def set_if(self, item: Item, condition: Condition, compared: bytes) -> bool:
        """Store an item if the condition holds of what is there, and return whether it did.

        Args:
            item: What to store.
            condition: What must be true.
            compared: The value that conditions of equality compare with; the others ignore it.

        Raises:
            LimitExceededError: The store is full.
        """
        ...

    async def delete(self, key: bytes) -> None:
        """Remove an item, if there is one."""
        ...

    async def exist(self, keys: Sequence[bytes]) -> list[bool]:
        """Return which of the keys have an item, in the order asked."""
        ...

    async def increment(self, key: bytes, amount: int, ttl_ms: int) -> int:
        """Add to an item kept as decimal text, none counting as 0; give it this time to live; return the sum.

        Raises:
            FailedPreconditionError: The item is not an integer of 64 bits, or the sum would not be one.
            LimitExceededError: The store is full.
        """
        ...

    async def update_ttl(self, key: bytes, ttl_ms: int, change: TtlChange) -> TtlUpdate:
        """Give an item another time to live, if the change applies to what it has left."""
        ...

    async def remaining_ttl_ms(self, key: bytes) -> int | None:
        """Return how long an item has left, at least 1 millisecond, or None where there is none."""
        ...

    async def type_of(self, key: bytes) -> ItemType | None:
        """Return what an item is, or None where there is none."""
        ...


class Store(Protocol):
    """Caches by name."""

    async def start(self) -> None:
        """Begin what the store does on its own. Called once, in the event loop that serves."""
        ...

    async def close(self) -> None:
        """End it, and let go of what the store holds open."""
        ...

    async def ping(self) -> None:
        """Return once the store has answered.

        Raises:
            UnavailableError: It cannot be reached.
        """
        ...

    def usage(self) -> Mapping[str, CacheUsage] | None:
        """Return what each cache takes, by name; None for a store that would have to ask another machine."""
        ...

    async def create_cache(self, name: str) -> bool:
        """Create an empty cache, and return False where it existed."""
        ...

    async def delete_cache(self, name: str) -> bool:
        """Delete a cache with its items, and return False where there was none."""
        ...

    async def flush_cache(self, name: str) -> bool:
        """Delete a cache's items, and return False where there is no such cache."""
        ...

    async def cache_names(self) -> list[str]:
        """Return the names of all caches, in the order of the alphabet."""
        ...

    async def open(self, name: str) -> Keyspace | None:
        """Return a cache's items for one call, or None where there is no such cache."""
        ...
