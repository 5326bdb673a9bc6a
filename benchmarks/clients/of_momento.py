"""The official SDK, as its documentation shows it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, final

from momento import CacheClient, CacheClientAsync, Configurations, CredentialProvider
from momento.config import Configuration
from momento.responses import CacheGet, CacheSet

from benchmarks.clients.client import CACHE, TIMEOUT_SECONDS, TTL_SECONDS, Place, Values
from momento_lambda.configuration import on_lambda

NAME = "official SDK"
_HOST = "127.0.0.1"


def _settings(place: Place) -> tuple[Configuration, CredentialProvider, timedelta]:
    configuration: Configuration = Configurations.Lambda.latest() if on_lambda() else Configurations.Laptop.latest()
    # A port other than 443 is what it takes for plaintext.
    credentials = CredentialProvider(place.token, _HOST, _HOST, _HOST, place.port)
    patient = configuration.with_client_timeout(timedelta(seconds=TIMEOUT_SECONDS))
    return patient, credentials, timedelta(seconds=TTL_SECONDS)


def _value(answer: Any) -> bytes | None:
    if isinstance(answer, CacheGet.Error):
        raise answer.inner_exception
    return answer.value_bytes if isinstance(answer, CacheGet.Hit) else None


def _check(answer: Any) -> None:
    if isinstance(answer, CacheSet.Error):
        raise answer.inner_exception


@final
class Threads:
    """The client for threads."""

    def __init__(self, place: Place) -> None:
        self._client = CacheClient(*_settings(place))

    def get(self, key: str) -> bytes | None:
        """Return a value."""
        return _value(self._client.get(CACHE, key))

    def set(self, key: str, value: bytes) -> None:
        """Store a value."""
        _check(self._client.set(CACHE, key, value))

    def get_multi(self, keys: Sequence[str]) -> Values:
        """Return values, by one call after the other: it offers no batch."""
        return [self.get(key) for key in keys]


@final
class Coroutines:
    """The client for asyncio."""

    def __init__(self, place: Place) -> None:
        self._client = CacheClientAsync(*_settings(place))

    async def get(self, key: str) -> bytes | None:
        """Return a value."""
        return _value(await self._client.get(CACHE, key))

    async def set(self, key: str, value: bytes) -> None:
        """Store a value."""
        _check(await self._client.set(CACHE, key, value))

    async def get_multi(self, keys: Sequence[str]) -> Values:
        """Return values, by a call for each, all at once."""
        return await asyncio.gather(*map(self.get, keys))
