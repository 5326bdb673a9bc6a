"""What calls answer: immutable values in closed unions, made for `match` and `assert_never`."""

# The classes are written by hand: a frozen slotted dataclass costs every cold start more than this whole module,
# and a named tuple equals any tuple that holds the same.

from datetime import datetime
from enum import Enum
from typing import NoReturn, TypeAlias, final

_set = object.__setattr__


class _Response:
    """An immutable value, equal to its own kind alone; what it holds is named as it is matched."""

    __slots__: tuple[str, ...] = ()
    __match_args__: tuple[str, ...] = ()

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), self._fields()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__name__}({shown})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name!r} cannot be deleted")

    def __reduce__(self) -> tuple[type["_Response"], tuple[object, ...]]:
        return type(self), self._fields()


@final
class Hit(_Response):
    """The cache held the item.

    Attributes:
        value_bytes: The value as it was stored.
    """

    __slots__ = ("value_bytes",)
    __match_args__ = ("value_bytes",)
    value_bytes: bytes

    def __init__(self, value_bytes: bytes) -> None:
        _set(self, "value_bytes", value_bytes)

    @property
    def value_string(self) -> str:
        """The value decoded as UTF-8.

        Raises:
            UnicodeDecodeError: The value is not text; take `value_bytes`.
        """
        return self.value_bytes.decode()

    def __repr__(self) -> str:
        # Responses end up in logs, and cached values must not.
        return f"Hit(<{len(self.value_bytes)} bytes>)"


@final
class Miss(_Response):
    """The cache did not hold the item, or held it past its time to live."""

    __slots__ = ()


@final
class Stored(_Response):
    """The condition held and the value was written."""

    __slots__ = ()


@final
class NotStored(_Response):
    """The condition did not hold; value and time to live are as they were."""

    __slots__ = ()


@final
class Created(_Response):
    """The cache was created."""

    __slots__ = ()


@final
class AlreadyExists(_Response):
    """A cache of that name was there before; it is unchanged."""

    __slots__ = ()


class TtlUpdate(Enum):
    """What became of a request to change an item's time to live."""

    SET = "set"
    NOT_SET = "not_set"
    MISSING = "missing"


@final
class CacheInfo(_Response):
    """One cache of a listing.

    Attributes:
        name: The name of the cache.
    """

    __slots__ = ("name",)
    __match_args__ = ("name",)
    name: str

    def __init__(self, name: str) -> None:
        _set(self, "name", name)


@final
class CachePage(_Response):
    """One page of a listing of caches.

    Attributes:
        caches: The caches on this page.
        next_token: What to pass for the next page; None on the last.
    """

    __slots__ = ("caches", "next_token")
    __match_args__ = ("caches", "next_token")
    caches: tuple[CacheInfo, ...]
    next_token: str | None

    def __init__(self, caches: tuple[CacheInfo, ...], next_token: str | None) -> None:
        _set(self, "caches", caches)
        _set(self, "next_token", next_token)


@final
class DisposableToken(_Response):
    """A token that was made for somebody else.

    Attributes:
        auth_token: The token, for a client to be made with.
        expires_at: When it ends: as asked, or with the token that it was made with, whichever is first.
    """

    __slots__ = ("auth_token", "expires_at")
    __match_args__ = ("auth_token", "expires_at")
    auth_token: str
    expires_at: datetime

    def __init__(self, auth_token: str, expires_at: datetime) -> None:
        _set(self, "auth_token", auth_token)
        _set(self, "expires_at", expires_at)

    def __repr__(self) -> str:
        return f"DisposableToken(<hidden>, expires_at={self.expires_at!r})"


@final
class NewSigningKey(_Response):
    """A signing key that was made. Whoever has it can make tokens that allow everything.

    Attributes:
        key_id: What it is called.
        key: The key as the text of a JSON Web Key, secret included.
        expires_at: When it ends, and every token that was signed with it.
    """

    __slots__ = ("expires_at", "key", "key_id")
    __match_args__ = ("key_id", "key", "expires_at")
    key_id: str
    key: str
    expires_at: datetime

    def __init__(self, key_id: str, key: str, expires_at: datetime) -> None:
        _set(self, "key_id", key_id)
        _set(self, "key", key)
        _set(self, "expires_at", expires_at)

    def __repr__(self) -> str:
        return f"NewSigningKey(key_id={self.key_id!r}, <hidden>, expires_at={self.expires_at!r})"


@final
class SigningKeyInfo(_Response):
    """One signing key of a listing.

    Attributes:
        key_id: What it is called.
        expires_at: When it ends; None for never.
    """

    __slots__ = ("expires_at", "key_id")
    __match_args__ = ("key_id", "expires_at")
    key_id: str
    expires_at: datetime | None

    def __init__(self, key_id: str, expires_at: datetime | None) -> None:
        _set(self, "key_id", key_id)
        _set(self, "expires_at", expires_at)


# Answers without content are all alike, so one of each is enough.
MISS = Miss()
STORED = Stored()
NOT_STORED = NotStored()
CREATED = Created()
ALREADY_EXISTS = AlreadyExists()

GetResponse: TypeAlias = Hit | Miss
SetIfResponse: TypeAlias = Stored | NotStored
CreateCacheResponse: TypeAlias = Created | AlreadyExists
