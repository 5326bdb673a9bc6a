"""A server that listens: a store behind the protocol, on one address."""

import logging
import socket
from typing import Final, final

import grpc
import grpc.aio

from momento_lambda.endpoint import Endpoint, is_loopback
from momento_lambda.errors import InvalidArgumentError, MomentoError
from momento_lambda.server import clock as clocks
from momento_lambda.server.accounts import Accounts
from momento_lambda.server.authority import Authority
from momento_lambda.server.clock import Clock
from momento_lambda.server.faults import FaultInjection
from momento_lambda.server.grant import Grant
from momento_lambda.server.handlers import PROCEDURES, Handlers
from momento_lambda.server.limits import MAX_MESSAGE_BYTES
from momento_lambda.server.listener import Listener
from momento_lambda.server.readiness import Health, Readiness
from momento_lambda.server.signing_key import SigningKeys
from momento_lambda.server.status import Status, take_status
from momento_lambda.server.store import Store
from momento_lambda.server.tls import TlsIdentity
from momento_lambda.server.token_limits import UNLIMITED, TokenLimits
from momento_lambda.server.tokens import TokenVerifier
from momento_lambda.server.tool_handlers import tool_handlers
from momento_lambda.server.traffic import Traffic

_log: Final = logging.getLogger("momento_lambda.server")

_OPTIONS: Final = (
    # Official clients probe an idle connection every 5 seconds. Unless told that this is welcome, a gRPC server
    # sends them away after the third probe.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 1000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", -1),
    # Clients with equal settings share one connection, so that no number of streams is too many for it.
    ("grpc.max_concurrent_streams", 2**31 - 1),
)


class ServerStateError(MomentoError):
    """The server is not running, or is running already."""

    code = "SERVER_STATE"


class ListenError(MomentoError):
    """The server cannot listen where it was told to."""

    code = "LISTEN"


@final
class CacheServer:
    """A store behind the protocol, on one address.

    Args:
        store: Where the caches are; started and closed together with the server.
        host: The address to listen on.
        port: The port, or 0 for any that is free.
        keys: What tokens are signed with; None to answer anyone, on loopback alone.
        tls: What to show to clients; None for plaintext, on loopback alone unless `insecure`.
        insecure: Whether others may reach it in plaintext, where something before it encrypts.
        faults: Whether calls may ask to be failed or delayed.
        shares_port: Whether other servers listen there too, which the system spreads connections over.

    Attributes:
        traffic: What was counted of its calls.

    Raises:
        InvalidArgumentError: Not a host and port, not an endpoint, or an address that others can reach without
            authentication or encryption.
    """

    def __init__(
        self,
        store: Store,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        keys: SigningKeys | None,
        tls: TlsIdentity | None = None,
        insecure: bool = False,
        public_endpoint: str | None = None,
        limits: TokenLimits = UNLIMITED,
        clock: Clock = clocks.monotonic,
        faults: bool = False,
        shares_port: bool = False,
    ) -> None:
        limits.check()
        _check_safe(host, authenticates=keys is not None, encrypts=tls is not None or insecure)
        if port not in range(65_536):
            raise InvalidArgumentError(f"the port is {port!r}: give 0 to 65535, where 0 takes one that is free")
        if public_endpoint is not None:
            Endpoint.parse(public_endpoint)
        self._host = host
        self._port = port
        self._public_endpoint = public_endpoint
        self._tls = tls
        self._shares_port = shares_port
        self._store = store
        self._readiness = Readiness(store)
        self.traffic = Traffic(procedure.rpc for procedure in PROCEDURES)
        self._handlers = Handlers(
            store,
            verifier=TokenVerifier(keys) if keys is not None else None,
            authority=Authority(keys, self._endpoint_for) if keys is not None else None,
            accounts=Accounts(limits, clock=clock),
            faults=FaultInjection() if faults else None,
            traffic=self.traffic,
        )
        self._tool_handlers = tool_handlers(self._readiness, [procedure.rpc for procedure in PROCEDURES])
        self._listener: Listener | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Where the server listens, once it has started."""
        return Endpoint(self._host, self._port, tls=self._tls is not None)

    @property
    def health(self) -> Health:
        """How the server fares."""
        return self._readiness.health

    async def status(self) -> Status:
        """Return what the server says of itself."""
        return await take_status(self._store, self.health, self.traffic)

    async def start(self) -> None:
        """Listen, in the running event loop.

        Raises:
            ListenError: The address is taken or not this machine's, or the certificate and key are not right.
        """
        listener = Listener(self._make, self._bind)
        await self._store.start()
        try:
            await self._readiness.start()
            await listener.start()
        except BaseException:
            await self._close()
            raise
        self._listener = listener
        _log.info("listening on %s", self.endpoint.target)

    async def drain(self) -> None:
        """Say to whoever asks about health that no more calls should come. Those that come are answered."""
        await self._readiness.drain()
        _log.info("draining")

    async def stop(self, grace: float) -> None:
        """Take no more calls, and end.

        Args:
            grace: The seconds that calls in flight may take to finish; what is left then is cut off.
        """
        listener, self._listener = self._listener, None
        if listener is None:
            return
        # Ends the streams of those who watch its health, which would be waited for.
        await self._readiness.close()
        try:
            await listener.stop(grace)
        finally:
            await self._store.close()
        _log.info("stopped")

    def _endpoint_for(self, grant: Grant) -> str:
        """Return where clients go with a token that is made for whoever holds this."""
        return self._public_endpoint or grant.endpoint or self.endpoint.target

    async def _close(self) -> None:
        await self._readiness.close()
        await self._store.close()

    def _make(self) -> grpc.aio.Server:
        # Unless told otherwise, a second server on the same port would start without a word and take half of the calls.
        server = grpc.aio.server(options=(*_OPTIONS, ("grpc.so_reuseport", int(self._shares_port))))
        # The last answers for whatever nobody before it knows.
        server.add_generic_rpc_handlers((*self._tool_handlers, self._handlers))
        return server

    def _bind(self, server: grpc.aio.Server) -> None:
        target = self.endpoint.target
        try:
            if self._tls is None:
                self._port = server.add_insecure_port(target)
            else:
                pair = (self._tls.key, self._tls.certificate)
                self._port = server.add_secure_port(target, grpc.ssl_server_credentials([pair]))
        except RuntimeError as error:
            raise ListenError(f"cannot listen on {target}: {self._why_not()}") from error

    def _why_not(self) -> str:
        """Say what the transport does not: whether it is the address, or what was to be shown on it."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((self._host, self._port))
        except OSError as error:
            return f"{error.strerror}; choose another host or port"
        if self._tls is None:
            return "the transport refused it without a reason; choose another host or port"
        return "the TLS certificate and key are not PEM, or do not belong together"


def _check_safe(host: str, *, authenticates: bool, encrypts: bool) -> None:
    if is_loopback(host):
        return
    if not authenticates:
        raise InvalidArgumentError(
            f"a server without authentication listens on loopback alone, and {host!r} can be reached by others: "
            "listen on 127.0.0.1, or leave authentication on"
        )
    if not encrypts:
        raise InvalidArgumentError(
            f"a server without TLS listens on loopback alone, and tokens sent to {host!r} could be read on their way: "
            "give a certificate and its key (--tls-cert, --tls-key), or say --insecure where a proxy encrypts"
        )
