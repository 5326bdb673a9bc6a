"""What a token may allow: permissions, as values and as text.

    read:users-cache                every item of one cache
    write:users-cache/7             one item, by its key
    read-write:*/profile:*          in every cache, the items whose keys begin with `profile:`
    publish-subscribe:chat/room-*   topics are named in the same way

The words before the colon are `read`, `write`, `read-write`, `subscribe`, `publish` and `publish-subscribe`. A `*` at
the end stands for anything, and alone in the place of the cache for every cache. Any byte may be written as `%` and two
hexadecimal digits; a `%` or `*` that stands for itself must be, and a `/` in the name of a cache.

Permissions add up, and none takes anything away.
"""

import re
from collections.abc import Iterable
from enum import Flag, auto
from typing import NamedTuple, TypeAlias, final

from momento_lambda.errors import InvalidArgumentError

_EXAMPLE = "such as read:users-cache, write:users-cache/key or read-write:*/prefix*"
_WRITTEN = re.compile(rb"(?:[^%*]|%[0-9A-Fa-f]{2})*", re.DOTALL)
_ENCODED = re.compile(rb"%(..)", re.DOTALL)
_AS_IT_IS = frozenset(range(0x21, 0x7F)) - set(b"%*")
_SHOWN_CHARACTERS = 60


class Right(Flag):
    """What may be done: to items the first two, with topics the others."""

    READ = auto()
    WRITE = auto()
    SUBSCRIBE = auto()
    PUBLISH = auto()


_WORDS = {
    "read": Right.READ,
    "write": Right.WRITE,
    "read-write": Right.READ | Right.WRITE,
    "subscribe": Right.SUBSCRIBE,
    "publish": Right.PUBLISH,
    "publish-subscribe": Right.PUBLISH | Right.SUBSCRIBE,
}
_WORD_OF = {rights: word for word, rights in _WORDS.items()}


@final
class Permission(NamedTuple):
    """Rights over some items, or topics, of one cache or of every cache.

    Make one with `read`, `write` or `read_write`, where names come from a program, or with `parse`, where a person
    writes them.

    Attributes:
        rights: What may be done, either to items or with topics.
        cache: The name of the cache; None for every cache.
        name: A key or a topic, or what they begin with.
        prefix: Whether `name` is what they begin with.
    """

    rights: Right
    cache: str | None
    name: bytes
    prefix: bool

    @classmethod
    def read(cls, cache: str, *, key: str | bytes | None = None, prefix: str | bytes = b"") -> "Permission":
        """Allow reading one item of a cache, the items whose keys begin with a prefix, or all of them."""
        return _of_items(Right.READ, cache, key, prefix)

    @classmethod
    def write(cls, cache: str, *, key: str | bytes | None = None, prefix: str | bytes = b"") -> "Permission":
        """Allow setting and deleting, and nothing that tells what is there: neither conditions nor counting."""
        return _of_items(Right.WRITE, cache, key, prefix)

    @classmethod
    def read_write(cls, cache: str, *, key: str | bytes | None = None, prefix: str | bytes = b"") -> "Permission":
        """Allow everything that is done to items."""
        return _of_items(Right.READ | Right.WRITE, cache, key, prefix)

    @classmethod
    def parse(cls, text: str) -> "Permission":
        """Return what a text such as `read:users-cache/profile:*` says; see the module's head.

        Raises:
            InvalidArgumentError: It is not a permission.
        """
        word, colon, place = text.partition(":")
        rights = _WORDS.get(word)
        if rights is None or not colon:
            raise _unreadable(text, f"it does not begin with {', '.join(_WORDS)} and a colon")
        cache, slash, name = place.partition("/")
        prefix = name.endswith("*") or not slash
        try:
            decoded = None if cache == "*" else _decoded(cache).decode("ascii")
            permission = cls(rights, decoded, _decoded(name.removesuffix("*")), prefix)
        except ValueError:
            raise _unreadable(text, "it has a `%` or a `*` that stands for itself, or a cache that cannot be") from None
        if decoded == "":
            raise _unreadable(text, "it names no cache")
        return permission

    def concerns(self, right: Right, cache: str) -> bool:
        """Whether it allows this to be done to anything in a cache."""
        return right in self.rights and (self.cache is None or self.cache == cache)

    def matches(self, name: bytes) -> bool:
        """Whether it speaks of a key or topic."""
        return name.startswith(self.name) if self.prefix else name == self.name

    @property
    def everything(self) -> bool:
        """Whether it speaks of every key or topic."""
        return self.prefix and not self.name

    def includes(self, other: "Permission") -> bool:
        """Whether all that another speaks of is among what this one does, whatever their rights."""
        return (self.cache is None or self.cache == other.cache) and (
            self.matches(other.name) and (self.prefix or not other.prefix)
        )

    def __str__(self) -> str:
        """Return the text that `parse` reads."""
        cache = "*" if self.cache is None else _encoded(self.cache.encode(), b"/")
        name = "" if self.everything else f"/{_encoded(self.name)}{'*' if self.prefix else ''}"
        return f"{_WORD_OF[self.rights]}:{cache}{name}"


Allow: TypeAlias = str | Permission | Iterable[str | Permission]
"""One permission or several, each a value or a text."""


def permissions_of(allow: Allow) -> tuple[Permission, ...]:
    """Return what is to be allowed as values.

    Raises:
        InvalidArgumentError: One cannot be read, or there is none.
    """
    given = [allow] if isinstance(allow, (str, Permission)) else list(allow)
    if not given:
        raise InvalidArgumentError(f"no permission is given, and a token that allows nothing is of no use: {_EXAMPLE}")
    return tuple(one if isinstance(one, Permission) else Permission.parse(one) for one in given)


def _of_items(rights: Right, cache: str, key: str | bytes | None, prefix: str | bytes) -> Permission:
    if not cache or not cache.isascii():
        raise InvalidArgumentError("the permission names no cache: give its name, or parse `read:*` for every cache")
    if key is not None and prefix:
        raise InvalidArgumentError("the permission is for one key and for a prefix: give one of the two")
    name = prefix if key is None else key
    try:
        return Permission(rights, cache, name.encode() if isinstance(name, str) else name, prefix=key is None)
    except UnicodeEncodeError:
        # The original names the text itself, which is nobody's business in a log.
        raise InvalidArgumentError("the key holds lone surrogates, which UTF-8 cannot encode: give bytes") from None


def _decoded(text: str) -> bytes:
    written = text.encode()
    if not _WRITTEN.fullmatch(written):
        raise ValueError
    return _ENCODED.sub(lambda found: bytes.fromhex(found[1].decode()), written)


def _encoded(name: bytes, reserved: bytes = b"") -> str:
    return "".join(chr(byte) if byte in _AS_IT_IS and byte not in reserved else f"%{byte:02X}" for byte in name)


def _unreadable(text: str, reason: str) -> InvalidArgumentError:
    # What is this long may be something else, and a secret.
    shown = repr(text) if len(text) <= _SHOWN_CHARACTERS else f"a text of {len(text)} characters"
    return InvalidArgumentError(f"{shown} is not a permission, {_EXAMPLE}: {reason}")
