"""One procedure as the server offers it: what it needs, and the work that it does."""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from google.protobuf.message import Message

from momento_lambda.server.store import Keyspace, Store
from momento_lambda.server.tokens import Access
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
        access: What a token must allow, or None where no token is asked for.
        in_cache: Whether it works on the items of the cache that the call names, else on the store.
        work: What it does, given those and the request: the reply, or the replies in their order where they stream.
    """

    rpc: Rpc[Any, Any]
    access: Access | None
    in_cache: bool
    work: Callable[[Any, Any], Awaitable[Any]]

    @property
    def fault_names(self) -> frozenset[str]:
        """The names that fault headers call it by: its own in kebab case, and for SetIfNotExists also that of SetIf."""
        name = _WORD_START.sub("-", self.rpc.name).lower()
        return frozenset({name, "set-if"} if name == "set-if-not-exists" else {name})


def cache_procedure(rpc: Rpc[Request, Reply], access: Access, work: CacheWork[Request, Reply]) -> Procedure:
    """Return a procedure that works on the items of one cache."""
    return Procedure(rpc, access, in_cache=True, work=work)


def batch_procedure(rpc: Rpc[Request, Reply], access: Access, work: BatchWork[Request, Reply]) -> Procedure:
    """Return a procedure that works on the items of one cache and streams its replies."""
    return Procedure(rpc, access, in_cache=True, work=work)


def store_procedure(rpc: Rpc[Request, Reply], access: Access | None, work: StoreWork[Request, Reply]) -> Procedure:
    """Return a procedure that works on the store."""
    return Procedure(rpc, access, in_cache=False, work=work)
