"""This library."""

from collections.abc import Sequence
from typing import final

from benchmarks.clients.client import CACHE, TIMEOUT_SECONDS, TTL_SECONDS, Place, Values
from momento_lambda import Configuration, CredentialProvider, Hit, SimpleCacheClient, SimpleCacheClientAsync
from momento_lambda.endpoint import Endpoint
from momento_lambda.responses import GetResponse

NAME = "momento-lambda"


def credentials(place: Place) -> CredentialProvider:
    """Return what a client needs to use a server."""
    endpoint = Endpoint("127.0.0.1", place.port, tls=False)
    return CredentialProvider(place.token, cache_endpoint=endpoint, control_endpoint=endpoint)


def configuration() -> Configuration:
    """Return what fits where the process runs, with as much patience as every other client has here."""
    return Configuration.detect().replace(timeout=TIMEOUT_SECONDS)


def _value(answer: GetResponse) -> bytes | None:
    return answer.value_bytes if isinstance(answer, Hit) else None


@final
class Threads:
    """The client for threads."""

    def __init__(self, place: Place) -> None:
        self._client = SimpleCacheClient(credentials(place), TTL_SECONDS, configuration=configuration())

    def get(self, key: str) -> bytes | None:
        """Return a value."""
        return _value(self._client.get(CACHE, key))

    def set(self, key: str, value: bytes) -> None:
        """Store a value."""
        self._client.set(CACHE, key, value)

    def get_multi(self, keys: Sequence[str]) -> Values:
        """Return values, in one call."""
        return [_value(answer) for answer in self._client.get_multi(CACHE, keys)]


@final
class Coroutines:
    """The client for asyncio."""

    def __init__(self, place: Place) -> None:
        self._client = SimpleCacheClientAsync(credentials(place), TTL_SECONDS, configuration=configuration())

    async def get(self, key: str) -> bytes | None:
        """Return a value."""
        return _value(await self._client.get(CACHE, key))

    async def set(self, key: str, value: bytes) -> None:
        """Store a value."""
        await self._client.set(CACHE, key, value)

    async def get_multi(self, keys: Sequence[str]) -> Values:
        """Return values, in one call."""
        return [_value(answer) for answer in await self._client.get_multi(CACHE, keys)]
