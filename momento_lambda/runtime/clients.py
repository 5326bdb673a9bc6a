"""The clients of one execution environment: built once, warm from invocation to invocation."""

# grpc is what a cold start pays most for. It is imported when a client is built, never when this module is.

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias, final

from momento_lambda.configuration import Configuration
from momento_lambda.credentials import CredentialProvider
from momento_lambda.errors import ClientStateError, InvalidArgumentError, MomentoError
from momento_lambda.runtime.invocation import time_left

if TYPE_CHECKING:
    import asyncio

    from momento_lambda.client.async_client import SimpleCacheClientAsync
    from momento_lambda.client.sync_client import SimpleCacheClient

Client: TypeAlias = "SimpleCacheClient | SimpleCacheClientAsync"

# The clients of this module are told the TTL of every item that they store.
_UNUSED_TTL = 60
_LONGEST_CONNECT_SECONDS = 60


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

    Raises:
        InvalidArgumentError: A `connect_timeout` that is not above 0 and at most a minute.
    """

    def __init__(
        self,
        credentials: Callable[[], CredentialProvider],
        configuration: Configuration,
        connect_timeout: float,
    ) -> None:
        if not isinstance(connect_timeout, (int, float)) or not 0 < connect_timeout <= _LONGEST_CONNECT_SECONDS:
            raise InvalidArgumentError(
                f"connect_timeout is {connect_timeout!r}: give seconds, above 0, at most {_LONGEST_CONNECT_SECONDS}"
            )
        self._credentials = credentials
        self._configuration = configuration
        self._connect_timeout = connect_timeout
        self._lock = threading.Lock()
        self._for_threads: SimpleCacheClient | None = None
        self._for_loops: dict[asyncio.AbstractEventLoop, _LoopClient] = {}
        self._loops_lock = threading.Lock()

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
        known = self._for_loops.get(loop) or self._know(loop)
        return known.client or await self._build_for_loop(known)

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

            client = SimpleCacheClient(
                self._credentials(), _UNUSED_TTL, configuration=self._configuration, time_left=time_left
            )
            try:
                client.ping(self._connect_seconds())
            finally:
                # Last: until then the rest wait, rather than spend an operation's short timeout on the handshake.
                self._for_threads = client
            return client

    def _connect_seconds(self) -> float:
        left = time_left()
        return self._connect_timeout if left is None else min(left, self._connect_timeout)

    def _know(self, loop: "asyncio.AbstractEventLoop") -> "_LoopClient":
        with self._loops_lock:
            # A client holds on to its loop, so no weak reference would ever let the two go.
            for closed in [other for other in self._for_loops if other.is_closed()]:
                del self._for_loops[closed]
            return self._for_loops.setdefault(loop, _LoopClient())

    async def _build_for_loop(self, known: "_LoopClient") -> "SimpleCacheClientAsync":
        async with known.lock:
            if known.client is not None:
                return known.client
            from momento_lambda.client.async_client import (  # noqa: PLC0415  # see the module's head
                SimpleCacheClientAsync,
            )

            client = SimpleCacheClientAsync(
                self._credentials(), _UNUSED_TTL, configuration=self._configuration, time_left=time_left
            )
            try:
                await client.ping(self._connect_seconds())
            finally:
                # As above.
                known.client = client
            return client

    def _build_quietly(self) -> None:
        try:
            self.for_threads()
        except MomentoError:
            # Not lost: the first operation meets the same trouble, and reports it where somebody looks.
            return


@final
class _LoopClient:
    """The client of one event loop, and what its tasks wait on while the first of them builds it."""

    __slots__ = ("client", "lock")

    def __init__(self) -> None:
        import asyncio  # noqa: PLC0415  # a running loop has imported it

        self.client: SimpleCacheClientAsync | None = None
        self.lock = asyncio.Lock()


@final
class GivenClient:
    """A client that the user built, or a function that builds one on first need."""

    def __init__(self, client: "Client | Callable[[], Client]") -> None:
        self._client = client
        self._lock = threading.Lock()

    def for_threads(self) -> "SimpleCacheClient":
        """Return the given client.

        Raises:
            ClientStateError: It is another kind of object, or could not be built.
        """
        from momento_lambda.client.sync_client import SimpleCacheClient  # noqa: PLC0415  # see the module's head

        client: object = self._resolve()
        if not isinstance(client, SimpleCacheClient):
            raise ClientStateError(f"plain functions need a SimpleCacheClient: the cache was given {_shown(client)}")
        return client

    async def for_loop(self) -> "SimpleCacheClientAsync":
        """Return the given client.

        Raises:
            ClientStateError: As `for_threads`.
        """
        from momento_lambda.client.async_client import SimpleCacheClientAsync  # noqa: PLC0415  # see the module's head

        client: object = self._resolve()
        if not isinstance(client, SimpleCacheClientAsync):
            raise ClientStateError(f"coroutines need a SimpleCacheClientAsync: the cache was given {_shown(client)}")
        return client

    def _resolve(self) -> "Client":
        with self._lock:
            if callable(self._client):
                try:
                    self._client = self._client()
                except MomentoError:
                    raise
                except Exception as error:
                    # The user's function: a missing variable there is trouble with the cache, and loaders still work.
                    raise ClientStateError(f"the client could not be built ({type(error).__name__})") from error
            return self._client


def _shown(client: object) -> str:
    return f"an object of type {type(client).__name__}"


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
