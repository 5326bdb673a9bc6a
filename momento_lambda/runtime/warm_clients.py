"""The clients of one execution environment: built once, warm from invocation to invocation."""

# grpc is what a cold start pays most for. It is imported when a client is built, never when this module is.

import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, final

from momento_lambda.client.stopwatch import CLOCKS, Clocks
from momento_lambda.configuration import Configuration
from momento_lambda.credentials import CredentialProvider
from momento_lambda.errors import DeadlineExceededError, InvalidArgumentError, MomentoError
from momento_lambda.runtime.credential_source import CredentialSource, FindCredentials
from momento_lambda.runtime.invocation import time_left
from momento_lambda.ttl import Ttl

if TYPE_CHECKING:
    import asyncio

    from momento_lambda.client.async_client import SimpleCacheClientAsync
    from momento_lambda.client.sync_client import SimpleCacheClient

DEFAULT_TTL: Final = "5m"

_LONGEST_CONNECT_SECONDS = 60

_Client = TypeVar("_Client")
_Lock = TypeVar("_Lock")


@final
class WarmClients:
    """One client for all threads, and one for each event loop, built on first need and kept.

    A client makes its connection anew by itself where that was left alone for long, or died in a freeze. Here it is
    made anew after a fork and after the restore of a snapshot, and there is another client once the server refuses
    the token. So ask for the client at each use, which costs nothing.

    Args:
        credentials: Looks the credentials up when a client is built, and again when the server refuses them.
        configuration: Of every client.
        connect_timeout: Seconds that the first connection of a client may take.
        default_ttl: How long items live where a call does not say.
        clocks: The monotonic clock and the wall clock, for tests.

    Raises:
        InvalidArgumentError: A `connect_timeout` that is not above 0 and at most a minute.
    """

    def __init__(
        self,
        credentials: FindCredentials | CredentialSource,
        configuration: Configuration,
        connect_timeout: float,
        *,
        default_ttl: Ttl = DEFAULT_TTL,
        clocks: Clocks = CLOCKS,
    ) -> None:
        if not isinstance(connect_timeout, (int, float)) or not 0 < connect_timeout <= _LONGEST_CONNECT_SECONDS:
            raise InvalidArgumentError(
                f"connect_timeout is {connect_timeout!r}: give seconds, above 0, at most {_LONGEST_CONNECT_SECONDS}"
            )
        self._credentials = (
            credentials if isinstance(credentials, CredentialSource) else CredentialSource(credentials, clocks)
        )
        self._configuration = configuration
        self._connect_timeout = connect_timeout
        self._default_ttl = default_ttl
        self._clocks = clocks
        self._coroutines = False
        self._starting: threading.Thread | None = None
        self._threads: _Seat[SimpleCacheClient, threading.Lock] = _Seat(threading.Lock())
        self._loops: dict[asyncio.AbstractEventLoop, _Seat[SimpleCacheClientAsync, asyncio.Lock]] = {}
        self._loops_lock = threading.Lock()

    def for_threads(self) -> "SimpleCacheClient":
        """Return the one client for threads; whoever comes first builds it, and the rest wait.

        Raises:
            MomentoError: No credentials, or no first connection within its time. The next call goes on from there.
        """
        return self._threads.client or self._build_for_threads()

    async def for_loop(self) -> "SimpleCacheClientAsync":
        """Return the one client for the running event loop.

        Raises:
            MomentoError: As `for_threads`.
        """
        import asyncio  # noqa: PLC0415  # a running loop has imported it

        loop = asyncio.get_running_loop()
        seat = self._loops.get(loop) or self._seat(loop)
        return seat.client or await self._build_for_loop(seat)

    def start(self) -> None:
        """Build the client for threads in the background, so that connecting overlaps whatever comes next."""
        if self._starting is None or not self._starting.is_alive():
            self._starting = threading.Thread(
                target=self._start_for_threads, name="momento-lambda-connect", daemon=True
            )
            self._starting.start()

    def start_for_loop(self) -> None:
        """Build the client for this thread's persistent loop instead, on which a handler that is a coroutine runs.

        What was or is being connected for threads is disconnected: should they want it, it connects again.
        """
        if self._coroutines:
            return
        self._coroutines = True
        if self._threads.client is not None:
            self._threads.client.disconnect()
        from momento_lambda.runtime import persistent_loop  # noqa: PLC0415  # only coroutines pay for asyncio

        persistent_loop.begin(self._build_quietly_for_loop())

    def close(self) -> None:
        """Close the client for threads, and let go of those for event loops, which ends their connections once unused.

        The next call builds another.
        """
        with self._threads.lock:
            client = self._threads.leave()
        if client is not None:
            client.close()
        with self._loops_lock:
            while self._loops:
                self._loops.popitem()[1].leave()

    def before_snapshot(self) -> None:
        """Close every connection and forget the token, so that no copy of this environment begins with them."""
        if self._starting is not None:
            # It would connect after this otherwise.
            self._starting.join()
        with self._threads.lock:
            client = self._threads.leave()
            if client is not None:
                client.disconnect()
        if self._coroutines:
            from momento_lambda.runtime import persistent_loop  # noqa: PLC0415  # only coroutines pay for asyncio

            persistent_loop.take_back()
        for loop, seat in list(self._loops.items()):
            # A loop that is running is a thread's own, and finds out by its first call that its connection is dead.
            if loop.is_running():
                seat.leave()
            elif not loop.is_closed():
                loop.run_until_complete(_disconnect(seat))
        self._credentials.forget()

    def after_restore(self) -> None:
        """Connect again; where that comes to nothing, the first operation meets the same trouble and reports it."""
        if self._coroutines:
            from momento_lambda.runtime import persistent_loop  # noqa: PLC0415  # only coroutines pay for asyncio

            persistent_loop.run(self._build_quietly_for_loop())
        else:
            self._build_quietly()

    def after_fork(self) -> None:
        """Be of use in a child process; the clients' connections stay the parent's by themselves."""
        self._credentials.after_fork()
        # Whoever held a lock when the process was forked does not exist in the child.
        self._loops_lock = threading.Lock()
        self._threads.lock = threading.Lock()

    def _build_for_threads(self) -> "SimpleCacheClient":
        seat = self._threads
        with self._turn(seat.lock):
            if seat.client is not None:
                return seat.client
            from momento_lambda.client.sync_client import SimpleCacheClient  # noqa: PLC0415  # see the module's head

            credentials = self._credentials.get()
            client = SimpleCacheClient(credentials, self._default_ttl, **self._settings(seat, credentials))
            try:
                client.ping(self._connect_timeout)
            finally:
                # Last: until then the rest wait, rather than spend an operation's short timeout on the handshake.
                seat.take(client, credentials)
            return client

    async def _build_for_loop(self, seat: "_Seat[SimpleCacheClientAsync, asyncio.Lock]") -> "SimpleCacheClientAsync":
        async with self._turn_of_task(seat.lock):
            if seat.client is not None:
                return seat.client
            import asyncio  # noqa: PLC0415  # a running loop has imported it

            from momento_lambda.client.async_client import (  # noqa: PLC0415  # see the module's head
                SimpleCacheClientAsync,
            )

            credentials = self._credentials.known
            if credentials is None:
                # They may have to be asked for over the network, by code that knows no event loop.
                credentials = await asyncio.to_thread(self._credentials.get)
            client = SimpleCacheClientAsync(credentials, self._default_ttl, **self._settings(seat, credentials))
            try:
                await client.ping(self._connect_timeout)
            finally:
                # As above.
                seat.take(client, credentials)
            return client

    def _start_for_threads(self) -> None:
        # Most of the time goes by here, and meanwhile it may turn out that nobody but coroutines will ask.
        import momento_lambda.client.sync_client  # noqa: F401, PLC0415  # see the module's head

        if not self._coroutines:
            self._build_quietly()
        if self._coroutines and self._threads.client is not None:
            self._threads.client.disconnect()

    def _build_quietly(self) -> None:
        try:
            self.for_threads()
        except MomentoError:
            # Not lost: the first operation meets the same trouble, and reports it where somebody looks.
            return

    async def _build_quietly_for_loop(self) -> None:
        try:
            await self.for_loop()
        except MomentoError:
            # As above.
            return

    def _settings(self, seat: "_Seat[Any, Any]", credentials: CredentialProvider) -> dict[str, Any]:
        return {
            "configuration": self._configuration,
            "time_left": time_left,
            "refused": partial(self._refused, seat, credentials),
            "clocks": self._clocks,
        }

    def _refused(self, seat: "_Seat[Any, Any]", credentials: CredentialProvider) -> None:
        """Have another client built with other credentials; whoever holds the old one may go on using it."""
        if self._credentials.refused(credentials) and seat.credentials is credentials:
            seat.leave()

    def _seat(self, loop: "asyncio.AbstractEventLoop") -> "_Seat[SimpleCacheClientAsync, asyncio.Lock]":
        import asyncio  # noqa: PLC0415  # a running loop has imported it

        with self._loops_lock:
            # A client holds on to its loop, so no weak reference would ever let the two go.
            for closed in [other for other in self._loops if other.is_closed()]:
                self._loops.pop(closed).leave()
            return self._loops.setdefault(loop, _Seat(asyncio.Lock()))

    @contextlib.contextmanager
    def _turn(self, lock: threading.Lock) -> Iterator[None]:
        if not lock.acquire(timeout=self._patience()):
            raise _still_connecting()
        try:
            yield
        finally:
            lock.release()

    @contextlib.asynccontextmanager
    async def _turn_of_task(self, lock: "asyncio.Lock") -> AsyncIterator[None]:
        import asyncio  # noqa: PLC0415  # a running loop has imported it

        try:
            async with asyncio.timeout(self._patience()):
                await lock.acquire()
        except TimeoutError:
            raise _still_connecting() from None
        try:
            yield
        finally:
            lock.release()

    def _patience(self) -> float:
        """Return the seconds that a caller may wait for another to connect."""
        left = time_left()
        return self._connect_timeout if left is None else min(left, self._connect_timeout)


@final
class _Seat(Generic[_Client, _Lock]):
    """The client of all threads or of one event loop, and what they wait on while the first of them builds it."""

    __slots__ = ("client", "credentials", "lock")

    def __init__(self, lock: _Lock) -> None:
        self.lock = lock
        self.client: _Client | None = None
        self.credentials: CredentialProvider | None = None

    def take(self, client: _Client, credentials: CredentialProvider) -> None:
        """Have the client that was built with these credentials."""
        self.client, self.credentials = client, credentials

    def leave(self) -> _Client | None:
        """Have none, and return the one there was."""
        client, self.client = self.client, None
        return client


async def _disconnect(seat: "_Seat[SimpleCacheClientAsync, asyncio.Lock]") -> None:
    # Whoever is connecting does so to the end, so that there is something to disconnect.
    async with seat.lock:
        client = seat.leave()
    if client is not None:
        await client.disconnect()


def _still_connecting() -> DeadlineExceededError:
    return DeadlineExceededError("the first connection to the cache takes longer than the caller may wait")
