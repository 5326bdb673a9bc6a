"""A server for tests and development: started and stopped by a `with` block."""

import time
from collections.abc import Iterable
from datetime import timedelta
from types import TracebackType
from typing import final

from momento_lambda.credentials import CredentialProvider
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.loop_thread import LoopThread
from momento_lambda.permissions import Allow
from momento_lambda.server import clock as clocks
from momento_lambda.server import tokens
from momento_lambda.server.clock import Clock
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.server import CacheServer, ServerStateError
from momento_lambda.server.signing_key import SigningKey, SigningKeysInMemory, newest
from momento_lambda.server.store import Store
from momento_lambda.server.stores import MEMORY, open_store
from momento_lambda.server.tls import TlsIdentity
from momento_lambda.server.token_limits import UNLIMITED, TokenLimits
from momento_lambda.server.tokens import TokenFormat
from momento_lambda.wire.arguments import cache_name


@final
class LocalServer:
    """A whole cache server in this process, in memory unless told otherwise.

    In a `with` block it has a thread and an event loop of its own, so that synchronous and asynchronous callers may
    use it alike; in an `async with` block it serves from the running loop. In memory, each block starts with no items.

        with LocalServer(caches=["users-cache"]) as server:
            client = SimpleCacheClient(server.credentials, default_ttl=60)

    Args:
        host: The address to listen on.
        port: The port, or 0 for any that is free.
        authenticate: Whether calls need a token; without, the host must be a loopback address.
        signing_key: What tokens are signed with; None for a new key that lives as long as this object.
        tls_certificate: The PEM certificate to show; None for plaintext, on loopback alone unless `insecure`.
        tls_key: Its PEM private key.
        insecure: Whether others may reach it in plaintext.
        store: Where the caches are: "memory://", "valkey://host:port" or "valkey-cluster://host:port,...".
        clock: Whole nanoseconds, as `time.monotonic_ns` gives them: what the deadlines of items in memory are compared
            with, and what the limits of tokens go by.
        limits: How much may be asked with tokens that do not say it themselves.
        faults: Whether calls may ask, by their headers, to be failed or delayed.
        caches: The caches to begin with; those that a store has already are left as they are.
        max_store_bytes: The most memory that items in memory may take, or None for no ceiling.
        grace: The seconds that calls in flight have to finish when the block ends.

    Raises:
        InvalidArgumentError: An argument that cannot be; a server that others can reach without
            authentication or encryption.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        authenticate: bool = True,
        signing_key: SigningKey | None = None,
        tls_certificate: bytes | None = None,
        tls_key: bytes | None = None,
        insecure: bool = False,
        store: str = MEMORY,
        clock: Clock = clocks.monotonic,
        limits: TokenLimits = UNLIMITED,
        faults: bool = False,
        caches: Iterable[str] = (),
        max_store_bytes: int | None = None,
        grace: float = 1.0,
    ) -> None:
        self._host = host
        self._asked_port = port
        self._keys = SigningKeysInMemory(signing_key or SigningKey.generate()) if authenticate else None
        self._tls = _tls_identity(tls_certificate, tls_key)
        self._insecure = insecure
        self._store_url = store
        self._clock = clock
        self._limits = limits
        self._faults = faults
        self._caches = [cache_name(name) for name in caches]
        self._max_store_bytes = max_store_bytes
        self._grace = grace
        self._server: CacheServer | None = None
        self._thread: LoopThread | None = None
        # Made once in advance, so that what cannot be is said where it was asked for.
        self._new_server(self._new_store())

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._host

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._running().endpoint.port

    @property
    def address(self) -> str:
        """Both, as `host:port`."""
        return self._running().endpoint.target

    @property
    def credentials(self) -> CredentialProvider:
        """What a client needs to use it: a token of every kind of access, and where to send it.

        With TLS these trust the public authorities. For a certificate of your own, pass a token and the authority
        to `CredentialProvider.from_string`.
        """
        endpoint = self._running().endpoint
        token = self.create_token() if self._keys else ""
        return CredentialProvider(token, cache_endpoint=endpoint, control_endpoint=endpoint)

    def create_token(
        self,
        *,
        expires: timedelta | None = None,
        format: TokenFormat = "legacy",  # noqa: A002  # as in `create_token` of the tokens
        allow: Allow | None = None,
        limits: TokenLimits = UNLIMITED,
    ) -> str:
        """Return a new token for this server.

        Args:
            expires: How long it is accepted; None for ever.
            format: "legacy", "v1" or "v2".
            allow: What it allows, such as "read:users-cache"; None for everything.
            limits: How much may be asked with it.

        Raises:
            InvalidArgumentError: A permission cannot be read, or a limit is not a number above 0.
            ServerStateError: The server is not running, or asks for no token.
        """
        if self._keys is None:
            raise ServerStateError("this server asks for no token, so it makes none: use `credentials`")
        key = newest(self._keys, time.time())
        return tokens.create_token(
            key, endpoint=self.address, format=format, expires=expires, allow=allow, limits=limits
        )

    def __enter__(self) -> "LocalServer":
        self._check_stopped()
        thread = LoopThread("momento-lambda-server")
        try:
            thread.run(self._start())
        except BaseException:
            thread.close()
            raise
        self._thread = thread
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            try:
                thread.run(self._stop())
            finally:
                thread.close()

    async def __aenter__(self) -> "LocalServer":
        self._check_stopped()
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        store = self._new_store()
        server = self._new_server(store)
        await server.start()
        try:
            for name in self._caches:
                await store.create_cache(name)
        except BaseException:
            await server.stop(0)
            raise
        self._server = server

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.stop(self._grace)

    def _new_store(self) -> Store:
        if self._store_url == MEMORY:
            return MemoryStore(clock=self._clock, max_bytes=self._max_store_bytes)
        return open_store(self._store_url)

    def _new_server(self, store: Store) -> CacheServer:
        return CacheServer(
            store,
            host=self._host,
            port=self._asked_port,
            keys=self._keys,
            tls=self._tls,
            insecure=self._insecure,
            limits=self._limits,
            clock=self._clock,
            faults=self._faults,
        )

    def _running(self) -> CacheServer:
        if self._server is None:
            raise ServerStateError("the server is not running: use it inside its `with` block")
        return self._server

    def _check_stopped(self) -> None:
        if self._server is not None:
            raise ServerStateError("the server is running already: one `with` block at a time")


def _tls_identity(certificate: bytes | None, key: bytes | None) -> TlsIdentity | None:
    if certificate is not None and key is not None:
        return TlsIdentity(certificate, key)
    if certificate is not None or key is not None:
        raise InvalidArgumentError("TLS needs both: give tls_certificate and tls_key, or neither")
    return None
