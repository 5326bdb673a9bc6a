"""The clients of one execution environment: built once, warm from invocation to invocation."""

# grpc is what a cold start pays most for. It is imported when a client is built, never when this module is.

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias, final

from momento_lambda.configuration import Configuration
from momento_lambda.credentials import CredentialProvider
from momento_lambda.errors import ClientStateError, MomentoError

if TYPE_CHECKING:
    import asyncio

    from momento_lambda.client.async_client import SimpleCacheClientAsync
    from momento_lambda.client.sync_client import SimpleCacheClient

Client: TypeAlias = "SimpleCacheClient | SimpleCacheClientAsync"

# The clients of this module are told the TTL of every item that they store.
_UNUSED_TTL = 60


class ClientSource(Protocol):
    """Where a cache takes its client from, each time it needs one."""

    def for_threads(self) -> "SimpleCacheClient":
        """Return the client for plain functions.

        Raises:
            MomentoError: There is none, and none can be built.
        """

    async def for_loop(self) -> "SimpleCacheClientAsync":
        """Return the client for the running event loop.

        Raises:
            MomentoError: There is none, and none can be built.
        """


@final
class WarmClients:
    """One client for all threads, and one for each event loop, built on first need.

    Args:
        credentials: Called when a client is built.
        configuration: Of every client.
        connect_timeout: Seconds that the first connection of a client may take.
    """

    def __init__(
        self,
        credentials: Callable[[], CredentialProvider],
        configuration: Configuration,
        connect_timeout: float,
    ) -> None:
        self._credentials = credentials
        self._configuration = configuration
        self._connect_timeout = connect_timeout
        self._lock = threading.Lock()
        self._for_threads: SimpleCacheClient | None = None
        self._for_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, SimpleCacheClientAsync] = (
            weakref.WeakKeyDictionary()
        )

    def for_threads(self) -> "SimpleCacheClient":
        """Return the one client for threads; whoever comes first builds it, and the rest wait.

        Raises:
            MomentoError: No credentials, or no first connection within its time. The next call goes on from there.
        """
        return self._for_threads or self._build_for_threads()

    async def for_loop(self) -> "SimpleCacheClientAsync":
        """Return the one client for the running event loop.

        Raises:
            MomentoError: As `for_threads`.
        """
        import asyncio  # noqa: PLC0415  # a running loop has imported it

        loop = asyncio.get_running_loop()
        return self._for_loops.get(loop) or await self._build_for_loop(loop)

    def start(self) -> None:
        """Build the client for threads in the background, so that connecting overlaps whatever comes next."""
        threading.Thread(target=self._build_quietly, name="momento-lambda-connect", daemon=True).start()

    def close(self) -> None:
        """Close the client for threads, if there is one; the next call builds another."""
        with self._lock:
            client, self._for_threads = self._for_threads, None
        if client is not None:
            client.close()

    def _build_for_threads(self) -> "SimpleCacheClient":
        with self._lock:
            if self._for_threads is not None:
                return self._for_threads
            from momento_lambda.client.sync_client import SimpleCacheClient  # noqa: PLC0415  # see the module's head

            client = SimpleCacheClient(self._credentials(), _UNUSED_TTL, configuration=self._configuration)
            self._for_threads = client
            client.ping(self._connect_timeout)
            return client

    async def _build_for_loop(self, loop: "asyncio.AbstractEventLoop") -> "SimpleCacheClientAsync":
        from momento_lambda.client.async_client import SimpleCacheClientAsync  # noqa: PLC0415  # see the module's head

        client = SimpleCacheClientAsync(self._credentials(), _UNUSED_TTL, configuration=self._configuration)
        self._for_loops[loop] = client
        await client.ping(self._connect_timeout)
        return client

    def _build_quietly(self) -> None:
        try:
            self.for_threads()
        except MomentoError:
            # Not lost: the first operation meets the same trouble, and reports it where somebody looks.
            return


@final
class GivenClient:
    """A client that the user built, or a function that builds one on first need."""

    def __init__(self, client: "Client | Callable[[], Client]") -> None:
        self._client = client
        self._lock = threading.Lock()

    def for_threads(self) -> "SimpleCacheClient":
        """Return the given client.

        Raises:
            ClientStateError: It is one for event loops.
        """
        from momento_lambda.client.sync_client import SimpleCacheClient  # noqa: PLC0415  # see the module's head

        client = self._resolve()
        if not isinstance(client, SimpleCacheClient):
            raise ClientStateError("the cache was given a client for asyncio: plain functions need a SimpleCacheClient")
        return client

    async def for_loop(self) -> "SimpleCacheClientAsync":
        """Return the given client.

        Raises:
            ClientStateError: It is one for threads.
        """
        from momento_lambda.client.async_client import SimpleCacheClientAsync  # noqa: PLC0415  # see the module's head

        client = self._resolve()
        if not isinstance(client, SimpleCacheClientAsync):
            raise ClientStateError("the cache was given a client for threads: coroutines need a SimpleCacheClientAsync")
        return client

    def _resolve(self) -> "Client":
        with self._lock:
            if callable(self._client):
                self._client = self._client()
            return self._client


_shared: dict[tuple[Configuration, float], WarmClients] = {}
_shared_lock = threading.Lock()


def shared_clients(configuration: Configuration, connect_timeout: float) -> WarmClients:
    """Return the process's clients of one configuration, with the environment's credentials.

    Every cache that is configured alike shares them.
    """
    with _shared_lock:
        key = (configuration, connect_timeout)
        clients = _shared.get(key)
        if clients is None:
            clients = _shared[key] = WarmClients(CredentialProvider.from_environment, configuration, connect_timeout)
        return clients


def close_shared_clients() -> None:
    """Close and forget the process's clients: for the end of a test, or of a program that will not exit."""
    with _shared_lock:
        closing = list(_shared.values())
        _shared.clear()
    for clients in closing:
        clients.close()
