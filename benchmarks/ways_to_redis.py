"""Clients of Redis with one face, for the benchmark that sets them side by side."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Final, Protocol

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from momento_lambda.server.store_url import StoreUrl
from momento_lambda.server.valkey.connections import connections
from momento_lambda.server.valkey.router import Router
from momento_lambda.server.valkey.topology import Cluster, OnePrimary


class Way(Protocol):
    """A way to reach Redis.

    Args:
        addresses: Its nodes, as `host:port`, with commas between them.
        cluster: Whether it is a cluster.

    Attributes:
        packages: What has to be installed for it.
    """

    packages: ClassVar[Sequence[str]]

    def __init__(self, addresses: str, *, cluster: bool) -> None: ...

    async def open(self) -> None:
        """Connect."""
        ...

    async def get(self, key: bytes) -> None:
        """Read."""
        ...

    async def increment(self, key: bytes) -> None:
        """Write what is not the same twice."""
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


class SharedConnections:
    """What the server does: one connection of redis-py's to each node, shared by all calls."""

    packages: ClassVar[Sequence[str]] = ("redis",)

    def __init__(self, addresses: str, *, cluster: bool) -> None:
        self._url = StoreUrl.parse(f"valkey{'-cluster' if cluster else ''}://{addresses}")

    async def open(self) -> None:
        """Connect."""
        kind = Cluster if self._url.cluster else OnePrimary
        self._router = Router(kind(self._url.addresses), connections(self._url))
        await self._router.start()

    async def get(self, key: bytes) -> None:
        """Read."""
        await self._router.ask(self._router.slot(key), ("GET", key), read=True)

    async def increment(self, key: bytes) -> None:
        """Write what is not the same twice."""
        await self._router.ask(self._router.slot(key), ("INCR", key))

    async def close(self) -> None:
        """Disconnect."""
        await self._router.close()


class PooledConnections:
    """redis-py's own clients: a connection for each call in flight."""

    packages: ClassVar[Sequence[str]] = ("redis",)

    def __init__(self, addresses: str, *, cluster: bool) -> None:
        self._cluster = cluster
        host, _, port = addresses.partition(",")[0].partition(":")
        self._node: dict[str, Any] = {"host": host, "port": int(port), "max_connections": 1_000}

    async def open(self) -> None:
        """Connect."""
        self._client: Any = RedisCluster(**self._node) if self._cluster else Redis(**self._node)
        await self._client.initialize()

    async def get(self, key: bytes) -> None:
        """Read."""
        await self._client.get(key)

    async def increment(self, key: bytes) -> None:
        """Write what is not the same twice."""
        await self._client.incr(key)

    async def close(self) -> None:
        """Disconnect."""
        await self._client.aclose()


class Glide:
    """valkey-glide: a client in Rust, called from Python."""

    packages: ClassVar[Sequence[str]] = ("valkey-glide", "anyio", "cffi", "protobuf", "sniffio", "trio")

    def __init__(self, addresses: str, *, cluster: bool) -> None:
        import glide  # noqa: PLC0415  # not there in a quick run

        self._error = glide.GlideError

        nodes = [glide.NodeAddress(host, int(port)) for host, port in (one.split(":") for one in addresses.split(","))]
        settings: dict[str, Any] = {"addresses": nodes, "request_timeout": 10_000}
        glide.Logger.set_logger_config(glide.LogLevel.OFF)
        self._make: Callable[[], Awaitable[Any]] = (
            (lambda: glide.GlideClusterClient.create(glide.GlideClusterClientConfiguration(**settings)))
            if cluster
            else (lambda: glide.GlideClient.create(glide.GlideClientConfiguration(**settings)))
        )

    async def open(self) -> None:
        """Connect."""
        self._client = await self._make()

    async def get(self, key: bytes) -> None:
        """Read."""
        await self._client.get(key)

    async def increment(self, key: bytes) -> None:
        """Write what is not the same twice."""
        try:
            await self._client.incr(key)
        except self._error as error:
            raise OSError(str(error)) from error

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()


WAYS: Final[dict[str, type[Way]]] = {
    "redis-py, connections shared": SharedConnections,
    "redis-py, a connection a call": PooledConnections,
    "valkey-glide": Glide,
}
