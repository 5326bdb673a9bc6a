"""One procedure as the server offers it: what it needs, and the work that it does."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from google.protobuf.message import Message

from momento_lambda.permissions import Right
from momento_lambda.server.authority import Asker
from momento_lambda.server.store import Keyspace, Store
from momento_lambda.wire.rpc import Rpc

Request = TypeVar("Request", bound=Message)
Reply = TypeVar("Reply", bound=Message)

CacheWork: TypeAlias = Callable[[Keyspace, Request], Awaitable[Reply]]
BatchWork: TypeAlias = Callable[[Keyspace, Request], Awaitable[Iterable[Reply]]]
StoreWork: TypeAlias = Callable[[Store, Request], Awaitable[Reply]]
TokenWork: TypeAlias = Callable[[Asker, Request], Awaitable[Reply]]

_WORD_START: Final = re.compile(r"(?<!^)(?=[A-Z])")


def _nothing(_request: object) -> tuple[()]:
    return ()


class Subject(Enum):
    """What a procedure works on."""

    ITEMS = "items of the cache that the call names"
    STORE = "caches themselves"
    TOKENS = "tokens and what they are signed with"


class Audience(Enum):
    """Who may ask."""

    ANYONE = "whoever can connect"
    BEARERS = "whoever has a token, as far as its permissions go"
    OWNERS = "whoever has a token that allows everything"


class Procedure(NamedTuple):
    """One procedure. Make one with a function below, which checks that the types fit.

    Attributes:
        rpc: Its path and messages.
        subject: What it works on.
        audience: Who may ask.
        work: What it does, given its subject and the request: the reply, or the replies in their order where they
            stream.
        rights: What it does to items.
        keys: The keys of the items that a request is about.
        sizes: The sizes, key plus value, of the items that a request writes.
    """

    rpc: Rpc[Any, Any]
    subject: Subject
    audience: Audience
    work: Callable[[Any, Any], Awaitable[Any]]
    rights: Right = Right(0)
    keys: Callable[[Any], Sequence[bytes]] = _nothing
    sizes: Callable[[Any], Iterable[int]] = _nothing

    @property
    def fault_names(self) -> frozenset[str]:
        """The names that fault headers call it by: its own in kebab case, and for SetIfNotExists also that of SetIf."""
        name = _WORD_START.sub("-", self.rpc.name).lower()
        return frozenset({name, "set-if"} if name == "set-if-not-exists" else {name})


def cache_procedure(
    rpc: Rpc[Request, Reply],
    rights: Right,
    work: CacheWork[Request, Reply],
    keys: Callable[[Request], Sequence[bytes]] | None = None,
    sizes: Callable[[Request], Iterable[int]] = _nothing,
) -> Procedure:
    """Return a procedure that works on items of one cache; without `keys`, on the one that is its `cache_key`."""
    return Procedure(rpc, Subject.ITEMS, Audience.BEARERS, work, rights, keys or _one_key, sizes)


def batch_procedure(
    rpc: Rpc[Request, Reply],
    rights: Right,
    work: BatchWork[Request, Reply],
    sizes: Callable[[Request], Iterable[int]] = _nothing,
) -> Procedure:
    """Return a procedure that works on `items` of one cache and streams its replies."""
    return Procedure(rpc, Subject.ITEMS, Audience.BEARERS, work, rights, _keys_of_items, sizes)


def store_procedure(
    rpc: Rpc[Request, Reply], work: StoreWork[Request, Reply], audience: Audience = Audience.OWNERS
) -> Procedure:
    """Return a procedure that works on the store."""
    return Procedure(rpc, Subject.STORE, audience, work)


def token_procedure(
    rpc: Rpc[Request, Reply], work: TokenWork[Request, Reply], audience: Audience = Audience.OWNERS
) -> Procedure:
    """Return a procedure that works on tokens and keys."""
    return Procedure(rpc, Subject.TOKENS, audience, work)


def _one_key(request: Any) -> Sequence[bytes]:
    return (request.cache_key,)


def _keys_of_items(request: Any) -> Sequence[bytes]:
    return [item.cache_key for item in request.items]
