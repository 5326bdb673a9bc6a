"""Both clients with one face, so that a test's body is written once: for the asynchronous one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, cast, final

from momento_lambda import CacheInfo, Configuration, CredentialProvider, SimpleCacheClient, SimpleCacheClientAsync

Connect: TypeAlias = Callable[..., SimpleCacheClientAsync]


@final
class AwaitableClient:
    """A synchronous client that is awaited: every call runs in a thread of its own. It equals others of its client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        return partial(asyncio.to_thread, getattr(self._client, name))

    async def iter_caches(self) -> AsyncIterator[CacheInfo]:
        """Yield every cache."""
        for cache in await asyncio.to_thread(lambda: list(self._client.iter_caches())):
            yield cache

    async def __aenter__(self) -> Self:
        self._client.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._client.__exit__, kind, error, traceback)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AwaitableClient) and self._client is other._client

    def __hash__(self) -> int:
        return hash(self._client)


def awaitable(client: SimpleCacheClient) -> SimpleCacheClientAsync:
    """Return a synchronous client with the face of the asynchronous one."""
    return cast("SimpleCacheClientAsync", AwaitableClient(client))


def awaitable_client(
    credentials: str | CredentialProvider, default_ttl: float, *, configuration: Configuration | None = None
) -> SimpleCacheClientAsync:
    """Make a synchronous client with the face of the asynchronous one."""
    return awaitable(SimpleCacheClient(credentials, default_ttl, configuration=configuration))


TWINS: Final[dict[str, Connect]] = {"sync": awaitable_client, "async": SimpleCacheClientAsync}
