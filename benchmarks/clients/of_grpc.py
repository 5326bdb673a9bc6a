"""Bare gRPC stubs with this library's messages and channel options: what no client that uses gRPC can do without."""

import asyncio
from collections.abc import Sequence
from typing import Any, final

import grpc
import grpc.aio

from benchmarks.clients.client import CACHE, TIMEOUT_SECONDS, TTL_SECONDS, Place, Values
from benchmarks.clients.of_momento_lambda import configuration, credentials
from momento_lambda.client.options import data_options
from momento_lambda.wire import cache_pb2 as pb

NAME = "bare gRPC stub"


class _Stub:
    def __init__(self, place: Place, channel: Any) -> None:
        self._metadata = (("authorization", place.token), ("cache", CACHE))
        self._get = channel.unary_unary(
            "/cache_client.Scs/Get", pb.GetRequest.SerializeToString, pb.GetResponse.FromString
        )
        self._set = channel.unary_unary(
            "/cache_client.Scs/Set", pb.SetRequest.SerializeToString, pb.SetResponse.FromString
        )

    def _ask(self, call: Any, key: str) -> Any:
        return call(pb.GetRequest(cache_key=key.encode()), timeout=TIMEOUT_SECONDS, metadata=self._metadata)

    def _store(self, key: str, value: bytes) -> Any:
        request = pb.SetRequest(cache_key=key.encode(), cache_body=value, ttl_milliseconds=TTL_SECONDS * 1000)
        return self._set(request, timeout=TIMEOUT_SECONDS, metadata=self._metadata)


def _options(place: Place) -> list[tuple[str, int | str]]:
    return data_options(configuration(), credentials(place))


def _value(reply: pb.GetResponse) -> bytes | None:
    return reply.cache_body if reply.result == pb.HIT else None


@final
class Threads(_Stub):
    """The stub for threads."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, grpc.insecure_channel(f"127.0.0.1:{place.port}", _options(place)))

    def get(self, key: str) -> bytes | None:
        """Return a value."""
        return _value(self._ask(self._get, key))

    def set(self, key: str, value: bytes) -> None:
        """Store a value."""
        self._store(key, value)

    def get_multi(self, keys: Sequence[str]) -> Values:
        """Return values, by a call for each, all at once on the one channel."""
        calls = [self._ask(self._get.future, key) for key in keys]
        return [_value(call.result()) for call in calls]


@final
class Coroutines(_Stub):
    """The stub for asyncio."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, grpc.aio.insecure_channel(f"127.0.0.1:{place.port}", _options(place)))

    async def get(self, key: str) -> bytes | None:
        """Return a value."""
        return _value(await self._ask(self._get, key))

    async def set(self, key: str, value: bytes) -> None:
        """Store a value."""
        await self._store(key, value)

    async def get_multi(self, keys: Sequence[str]) -> Values:
        """Return values, by a call for each, all at once."""
        return await asyncio.gather(*map(self.get, keys))
