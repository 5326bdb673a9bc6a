"""One procedure as the server offers it: what it needs, and the work that it does."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from google.protobuf.message import Message

from momento_lambda.permissions import Right
from momento_lambda.server.store import Keyspace, Store
from momento_lambda.wire.rpc import Rpc

Request = TypeVar("Request", bound=Message)
Reply = TypeVar("Reply", bound=Message)

CacheWork: TypeAlias = Callable[[Keyspace, Request], Awaitable[Reply]]
BatchWork: TypeAlias = Callable[[Keyspace, Request], Awaitable[Iterable[Reply]]]
StoreWork: TypeAlias = Callable[[Store, Request], Awaitable[Reply]]

_WORD_START: Final = re.compile(r"(?<!^)(?=[A-Z])")


class Procedure(NamedTuple):
    """One procedure. Make one with a function below, which checks that the types fit.

    Attributes:
        rpc: Its path and messages.
        rights: What it does to items of the cache that the call names; None where it works on the store.
        keys: The keys that a request is about.
        open_to_all: Whether it asks for no token. Else, where it works on the store, it asks for one that allows
            everything.
        work: What it does, given the items or the store and the request: the reply, or the replies in their order
            where they stream.
    """

    rpc: Rpc[Any, Any]
    rights: Right | None
    keys: Callable[[Any], Sequence[bytes]]
    open_to_all: bool
    work: Callable[[Any, Any], Awaitable[Any]]

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
) -> Procedure:
    """Return a procedure that works on items of one cache; without `keys`, on the one that is its `cache_key`."""
    return Procedure(rpc, rights, keys or _one_key, open_to_all=False, work=work)


def batch_procedure(rpc: Rpc[Request, Reply], rights: Right, work: BatchWork[Request, Reply]) -> Procedure:
    """Return a procedure that works on `items` of one cache and streams its replies."""
    return Procedure(rpc, rights, _keys_of_items, open_to_all=False, work=work)


def store_procedure(
    rpc: Rpc[Request, Reply], work: StoreWork[Request, Reply], *, open_to_all: bool = False
) -> Procedure:
    """Return a procedure that works on the store."""
    return Procedure(rpc, None, _no_keys, open_to_all=open_to_all, work=work)


def _one_key(request: Any) -> Sequence[bytes]:
    return (request.cache_key,)


def _keys_of_items(request: Any) -> Sequence[bytes]:
    return [item.cache_key for item in request.items]


def _no_keys(_request: Message) -> Sequence[bytes]:
    return ()
