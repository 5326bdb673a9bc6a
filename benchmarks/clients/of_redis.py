"""redis-py, on a Redis that keeps nothing on disk."""

from collections.abc import Sequence
from typing import Any, final

import redis
import redis.asyncio

from benchmarks.clients.client import TTL_SECONDS, Place, Values

NAME = "redis-py"


@final
class Threads:
    """The client for threads."""

    def __init__(self, place: Place) -> None:
        self._client: Any = redis.Redis(port=place.port)

    def get(self, key: str) -> bytes | None:
        """Return a value."""
        value: bytes | None = self._client.get(key)
        return value

    def set(self, key: str, value: bytes) -> None:
        """Store a value."""
        self._client.set(key, value, ex=TTL_SECONDS)

    def get_multi(self, keys: Sequence[str]) -> Values:
        """Return values, in one call."""
        values: Values = self._client.mget(keys)
        return values


@final
class Coroutines:
    """The client for asyncio."""

    def __init__(self, place: Place) -> None:
        self._client: Any = redis.asyncio.Redis(port=place.port, max_connections=1_000)

    async def get(self, key: str) -> bytes | None:
        """Return a value."""
        value: bytes | None = await self._client.get(key)
        return value

    async def set(self, key: str, value: bytes) -> None:
        """Store a value."""
        await self._client.set(key, value, ex=TTL_SECONDS)

    async def get_multi(self, keys: Sequence[str]) -> Values:
        """Return values, in one call."""
        values: Values = await self._client.mget(keys)
        return values
