"""Idempotency for Powertools, its records in a cache.

Beside a function a cache fails open, since the loader can always answer. Idempotency fails closed: where the cache does
not answer, nobody knows whether the work was done, so every error of the cache is raised.
"""

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar, final

from momento_lambda.caching.keys import escape
from momento_lambda.caching.remote import CACHE_NAME_VARIABLE
from momento_lambda.errors import AuthenticationError, InvalidArgumentError, MomentoError
from momento_lambda.integrations.idempotency_record import pack, unpack
from momento_lambda.integrations.powertools import (
    BasePersistenceLayer,
    DataRecord,
    IdempotencyConfig,
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from momento_lambda.responses import Hit, Stored
from momento_lambda.runtime.clients import client_source
from momento_lambda.ttl import MAX_TTL_MS, MIN_TTL_MS
from momento_lambda.wire.arguments import cache_name as checked_cache_name

if TYPE_CHECKING:
    from momento_lambda.client.sync_client import SimpleCacheClient

Answer = TypeVar("Answer")

_SHORTEST_SECONDS: Final = MIN_TTL_MS // 1000
_LONGEST_SECONDS: Final = MAX_TTL_MS // 1000

# Who loses a race for an expired record finds the winner's at the next look, so more are needed only where records come
# and go at that very moment.
_LOOKS: Final = 3

_CLAIM_BYTES: Final = 16


@final
class MomentoPersistenceLayer(BasePersistenceLayer):
    """Idempotency records in a cache, for Powertools' `idempotent` and `idempotent_function`.

    Of invocations with one idempotency key that come at the same moment, exactly one claims it: records are claimed by
    conditional writes alone, also those that have expired. Every error of the cache is raised, which Powertools does as
    IdempotencyPersistenceLayerError, and the function's body does not run.

    Args:
        cache_name: The cache on the server; None for what MOMENTO_CACHE_NAME says.
        client: A client of your own, or a function that builds one; None for the process's warm one, with the
            environment's token.
        namespace: What keys begin with, so that records and cached values may share a cache.
        timeout: Seconds that one operation of the cache may take. More than a cache beside a function would get, since
            without an answer nothing can be done.
        connect_timeout: Seconds that the first connection may take.
        now: Seconds since 1970, for tests.

    Raises:
        InvalidArgumentError: No cache is named, or the name cannot be sent; a timeout out of range.
    """

    def __init__(
        self,
        cache_name: str | None = None,
        *,
        client: "SimpleCacheClient | Callable[[], SimpleCacheClient] | None" = None,
        namespace: str = "idempotency",
        timeout: float = 1.0,
        connect_timeout: float = 1.5,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Powertools leaves it without annotations
        self._cache_name = _named(cache_name)
        self._prefix = f"{escape(namespace)}:"
        self._clients = client_source(client, timeout, connect_timeout)
        self._now = now

    def configure(
        self, config: IdempotencyConfig, function_name: str | None = None, key_prefix: str | None = None
    ) -> None:
        """Take the settings of a function; Powertools calls this before each invocation.

        Raises:
            InvalidArgumentError: Records would have to live longer than a cache can keep them.
        """
        super().configure(config, function_name, key_prefix)
        if self.expires_after_seconds > _LONGEST_SECONDS:
            raise InvalidArgumentError(
                f"expires_after_seconds is {self.expires_after_seconds}: a cache keeps items for at most one day, "
                f"so give at most {_LONGEST_SECONDS}"
            )

    def _get_record(self, idempotency_key: str) -> DataRecord:
        stored = self._read(self._key(idempotency_key))
        if stored is None:
            raise IdempotencyItemNotFoundError
        return unpack(idempotency_key, stored)

    def _put_record(self, data_record: DataRecord) -> None:
        """Claim an idempotency key, or say who holds it."""
        key = self._key(data_record.idempotency_key)
        claim = pack(data_record, os.urandom(_CLAIM_BYTES).hex())
        found: bytes | None = None
        for _ in range(_LOOKS):
            if self._swap(key, found, claim, self._ttl(data_record)):
                return
            found = self._read(key)
            if found == claim:
                # Ours, from a write whose answer was lost.
                return
            if found is not None:
                self._refuse_held(data_record, unpack(data_record.idempotency_key, found))
        raise IdempotencyItemAlreadyExistsError("other invocations claim the idempotency key at the same moment")

    def _update_record(self, data_record: DataRecord) -> None:
        key, completed, ttl = self._key(data_record.idempotency_key), pack(data_record), self._ttl(data_record)
        self._ask(lambda client: client.set(self._cache_name, key, completed, ttl))

    def _delete_record(self, data_record: DataRecord) -> None:
        key = self._key(data_record.idempotency_key)
        self._ask(lambda client: client.delete(self._cache_name, key))

    def _read(self, key: str) -> bytes | None:
        answer = self._ask(lambda client: client.get(self._cache_name, key))
        return answer.value_bytes if isinstance(answer, Hit) else None

    def _swap(self, key: str, found: bytes | None, claim: bytes, ttl: int) -> bool:
        """Write a claim where the key still holds what was found, and return whether it did."""

        def swap(client: "SimpleCacheClient") -> bool:
            if found is None:
                return isinstance(client.set_if_absent(self._cache_name, key, claim, ttl), Stored)
            return isinstance(client.set_if_equal(self._cache_name, key, claim, found, ttl), Stored)

        try:
            return self._ask(swap)
        except MomentoError as error:
            if not error.retryable:
                raise
        # The first write may have arrived, its answer lost. Then this one is refused, and what is read next are the
        # bytes of this claim, which no other has: so the two together claim once.
        return self._ask(swap)

    def _ask(self, operation: "Callable[[SimpleCacheClient], Answer]") -> Answer:
        """Have the cache do something, and once more where it refused the token: the next client has the new one."""
        try:
            return operation(self._clients.for_threads())
        except AuthenticationError:
            return operation(self._clients.for_threads())

    def _refuse_held(self, new: DataRecord, old: DataRecord) -> None:
        """Raise unless a record may be taken over: it has expired, or the invocation that claimed it has."""
        timed_out = old.in_progress_expiry_timestamp
        match old.status:
            case "EXPIRED":
                return
            case "INPROGRESS" if timed_out is not None and timed_out < int(self._now() * 1000):
                return
        self._validate_payload(data_payload=new, stored_data_record=old)
        self._save_to_cache(data_record=old)
        raise IdempotencyItemAlreadyExistsError(old_data_record=old)

    def _key(self, idempotency_key: str) -> str:
        return self._prefix + idempotency_key

    def _ttl(self, record: DataRecord) -> int:
        assert record.expiry_timestamp is not None, "Powertools sets it on every record that is written"
        return min(max(record.expiry_timestamp - int(self._now()), _SHORTEST_SECONDS), _LONGEST_SECONDS)


def _named(cache_name: str | None) -> str:
    # Unlike a cache beside a function, which goes on without a name, this must not: nothing would be idempotent.
    name = os.environ.get(CACHE_NAME_VARIABLE) if cache_name is None else cache_name
    if not name:
        raise InvalidArgumentError(
            f"no cache is named: set {CACHE_NAME_VARIABLE}, or pass a name to MomentoPersistenceLayer()"
        )
    return checked_cache_name(name)
