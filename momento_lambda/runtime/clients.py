"""Where a client comes from: the process's warm ones, or one of the user's own."""

# grpc is what a cold start pays most for. It is imported when a client is used, never when this module is.

import threading
from typing import TYPE_CHECKING, Protocol, TypeAlias, final

from momento_lambda.configuration import Configuration, on_lambda
from momento_lambda.errors import ClientStateError, InvalidArgumentError, MomentoError
from momento_lambda.runtime.credential_source import CredentialSource, FindCredentials, environment_credentials
from momento_lambda.runtime.life_cycle import follow
from momento_lambda.runtime.warm_clients import DEFAULT_TTL, WarmClients
from momento_lambda.ttl import Ttl, ttl_milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from momento_lambda.client.async_client import SimpleCacheClientAsync
    from momento_lambda.client.sync_client import SimpleCacheClient

__all__ = [
    "Client",
    "ClientSource",
    "GivenClient",
    "WarmClients",
    "client_source",
    "close_shared_clients",
    "shared_clients",
    "warm_clients",
]

Client: TypeAlias = "SimpleCacheClient | SimpleCacheClientAsync"


class ClientSource(Protocol):
    """Where a cache takes its client from, each time it needs one."""

    def for_threads(self) -> "SimpleCacheClient":
        """Return the client for plain functions.

        Raises:
            MomentoError: There is none, and none can be built.
        """

    def start_for_loop(self) -> None:
        """Connect in the background, on this thread's persistent loop, for a handler that is a coroutine function."""

    async def for_loop(self) -> "SimpleCacheClientAsync":
        """Return the client for the running event loop.

        Raises:
            MomentoError: There is none, and none can be built.
        """


@final
class GivenClient:
    """A client that the user built, or a function that builds one on first need."""

    def __init__(self, client: "Client | Callable[[], Client]") -> None:
        self._client = client
        self._lock = threading.Lock()
        # What was found to be of the right kind, and need not be looked at again.
        self._for_threads: SimpleCacheClient | None = None

    def for_threads(self) -> "SimpleCacheClient":
        """Return the given client.

        Raises:
            ClientStateError: It is another kind of object, or could not be built.
        """
        return self._for_threads or self._checked_for_threads()

    def start_for_loop(self) -> None:
        """Do nothing: a given client connects when its owner has it do so."""

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

    def _checked_for_threads(self) -> "SimpleCacheClient":
        from momento_lambda.client.sync_client import SimpleCacheClient  # noqa: PLC0415  # see the module's head

        client: object = self._resolve()
        if not isinstance(client, SimpleCacheClient):
            raise ClientStateError(f"plain functions need a SimpleCacheClient: the cache was given {_shown(client)}")
        self._for_threads = client
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


_Key: TypeAlias = tuple[Configuration, float, FindCredentials, Ttl]

_shared: dict[_Key, WarmClients] = {}
_sources: dict[FindCredentials, CredentialSource] = {}
_shared_lock = threading.Lock()


def warm_clients(
    default_ttl: Ttl = DEFAULT_TTL,
    *,
    configuration: Configuration | None = None,
    connect_timeout: float = 1.5,
    credentials: FindCredentials | None = None,
) -> WarmClients:
    """Return the process's warm clients, which on Lambda start connecting at once, in the background.

    For functions that use a client without a `Cache`. Call this at the top of the module: it raises nothing that has
    to do with the server or the token. Ask for the client at each use.

    Example:
        clients = warm_clients(default_ttl="10m")

        def lambda_handler(event, context):
            return clients.for_threads().get("users-cache", event["id"])

    Args:
        default_ttl: How long items live where a call does not say.
        configuration: Timeouts, retries and connection; None for what fits where the process runs.
        connect_timeout: Seconds that the first connection may take.
        credentials: Returns a token or a CredentialProvider. It is called when a client is built, and again when the
            server refuses what it returned. None for what the environment says: MOMENTO_API_KEY, or the secret or
            parameter of AWS that MOMENTO_API_KEY_SECRET or MOMENTO_API_KEY_PARAMETER names.

    Raises:
        InvalidArgumentError: A TTL or a `connect_timeout` out of range.
    """
    ttl_milliseconds(default_ttl)
    clients = shared_clients(
        configuration or Configuration.detect(), connect_timeout, credentials, default_ttl=default_ttl
    )
    if on_lambda():
        clients.start()
    return clients


def client_source(
    client: "Client | Callable[[], Client] | None",
    timeout: float,
    connect_timeout: float,
    credentials: FindCredentials | None = None,
) -> ClientSource:
    """Return where one user of the cache takes its clients from: what it was given, or else the process's warm ones.

    Args:
        client: A client, or a function that builds one; None for the warm ones.
        timeout: Seconds that one operation of the warm ones may take.
        connect_timeout: Seconds that their first connection may take.
        credentials: Looks credentials up for them; None for what the environment says.

    Raises:
        InvalidArgumentError: A timeout out of range, or credentials that are no function.
    """
    if client is not None:
        return GivenClient(client)
    return warm_clients(
        configuration=Configuration.detect().replace(timeout=timeout),
        connect_timeout=connect_timeout,
        credentials=credentials,
    )


def shared_clients(
    configuration: Configuration,
    connect_timeout: float,
    credentials: FindCredentials | None = None,
    *,
    default_ttl: Ttl = DEFAULT_TTL,
) -> WarmClients:
    """Return the process's clients of one configuration; whoever is configured alike shares them.

    Args:
        configuration: Of every client.
        connect_timeout: Seconds that the first connection may take.
        credentials: Looks credentials up; None for what the environment says.
        default_ttl: How long items live where a call does not say.

    Raises:
        InvalidArgumentError: A `connect_timeout` out of range, or credentials that are no function.
    """
    find = credentials or environment_credentials
    if not callable(find):
        raise InvalidArgumentError(
            f"credentials is of type {type(find).__name__}: give a function that returns the token"
        )
    key = (configuration, connect_timeout, find, default_ttl)
    with _shared_lock:
        clients = _shared.get(key)
        if clients is None:
            source = _sources.setdefault(find, CredentialSource(find))
            clients = _shared[key] = WarmClients(source, configuration, connect_timeout, default_ttl=default_ttl)
            follow(clients)
        return clients


def close_shared_clients() -> None:
    """Close and forget the process's clients: for the end of a test, or of a program that will not exit."""
    with _shared_lock:
        closing = list(_shared.values())
        _shared.clear()
        _sources.clear()
    for clients in closing:
        clients.close()
