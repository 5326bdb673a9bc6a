"""The client for asyncio."""

# What is said of caches themselves, of tokens and of signing keys is imported by the methods that say it: few
# processes make any, and each would pay for it when it starts.

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self, final

from momento_lambda.client import options
from momento_lambda.client.async_channel import AsyncChannel
from momento_lambda.client.headers import Headers
from momento_lambda.client.stopwatch import CLOCKS, Clocks, Stopwatch
from momento_lambda.configuration import Configuration
from momento_lambda.credentials import CredentialProvider
from momento_lambda.endpoint import Endpoint
from momento_lambda.errors import AlreadyExistsError
from momento_lambda.responses import (
    ALREADY_EXISTS,
    CREATED,
    CacheInfo,
    CachePage,
    CreateCacheResponse,
    DisposableToken,
    GetResponse,
    NewSigningKey,
    SetIfResponse,
    SigningKeyInfo,
    TtlUpdate,
)
from momento_lambda.ttl import Ttl, ttl_milliseconds
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs
from momento_lambda.wire.arguments import Bytes, Key, OtherKey
from momento_lambda.wire.rpc import Reply, Request, Rpc

if TYPE_CHECKING:
    from momento_lambda.permissions import Allow


@final
class SimpleCacheClientAsync:
    """A client of the cache protocol. It connects on first use, and anew after four minutes without a call.

    Keys and values are str (sent as UTF-8) or bytes, an item at most 4883 KiB, key plus value. A TTL is seconds, a
    timedelta or text such as "90s", from 1 second to 1 day; where a call gives none, the default holds.

    Every call raises, besides what it names itself:
        InvalidArgumentError: An argument that cannot be sent, before anything is.
        LimitExceededError: An item over the limit, before anything is sent.
        RateLimitExceededError: More calls or bytes in a short time than the service allows.
        CacheNotFoundError: The cache does not exist.
        AuthenticationError, PermissionDeniedError: The token is refused, or does not allow the call.
        DeadlineExceededError: No answer within the timeout, retries included.
        UnavailableError: No connection.
        ClientStateError: The client is closed, or belongs to another event loop.

    Args:
        auth_token: A token, or a CredentialProvider where endpoints or certificates are to be given.
        default_ttl: How long items live where a call does not say.
        configuration: Timeouts, retries and connection; None for what fits where the process runs.
        time_left: Asked at each call for the seconds that the caller has left, which no call exceeds; None as its
            answer where nobody says.
        refused: Called when the server does not accept the token.
        clocks: The monotonic clock and the wall clock, which say how long a connection was left alone. For tests.

    Raises:
        InvalidTokenError: The token is malformed, has expired, or names no endpoint.
        InvalidArgumentError: The default TTL is out of range.
    """

    def __init__(
        self,
        auth_token: str | CredentialProvider,
        default_ttl: Ttl,
        *,
        configuration: Configuration | None = None,
        time_left: Callable[[], float | None] = lambda: None,
        refused: Callable[[], None] = lambda: None,
        clocks: Clocks = CLOCKS,
    ) -> None:
        provider = (
            auth_token if isinstance(auth_token, CredentialProvider) else CredentialProvider.from_string(auth_token)
        )
        self._configuration = configuration or Configuration.detect()
        self._default_ttl_ms = ttl_milliseconds(default_ttl)
        self._credentials = provider
        self._headers = Headers(provider.auth_token)
        self._timeout = self._configuration.timeout
        self._time_left = time_left
        self._batch_bytes = self._configuration.max_message_bytes
        data_options = options.data_options(self._configuration, provider)
        control_options = options.control_options(self._configuration, provider)

        def channel(endpoint: Endpoint, settings: list[tuple[str, int | str]]) -> AsyncChannel:
            return AsyncChannel(
                endpoint.target,
                options.channel_credentials(endpoint, provider),
                settings,
                self._configuration.retries,
                idle=Stopwatch(clocks),
                refused=refused,
            )

        self._data = channel(provider.cache_endpoint, data_options)
        self._control = channel(provider.control_endpoint, control_options)
        self._tokens = channel(provider.token_endpoint, control_options)

    async def get(self, cache_name: str, key: Bytes) -> GetResponse:
        """Return the item as a Hit, or a Miss."""
        request = cache_rpcs.get_request(key)
        reply = await self._data.unary(cache_rpcs.GET, request, self._headers.for_cache(cache_name), self._allowed())
        return cache_rpcs.read_get(reply)

    async def set(self, cache_name: str, key: Bytes, value: Bytes, ttl: Ttl | None = None) -> None:
        """Store an item, in place of whatever the key held."""
        request = cache_rpcs.set_request(key, value, self._ttl_ms(ttl))
        reply = await self._data.unary(cache_rpcs.SET, request, self._headers.for_cache(cache_name), self._allowed())
        cache_rpcs.read_set(reply)

    async def delete(self, cache_name: str, key: Bytes) -> None:
        """Remove an item; it need not be there."""
        await self._call(cache_rpcs.DELETE, cache_rpcs.delete_request(key), cache_name)

    async def get_multi(self, cache_name: str, keys: Iterable[Bytes]) -> tuple[GetResponse, ...]:
        """Return a Hit or a Miss for each key, in the order asked; a key asked twice is answered twice.

        One round trip, or as few as the message limit allows; none for no keys.
        """
        answers: list[GetResponse] = []
        metadata = self._headers.for_cache(cache_name)
        deadline = time.monotonic() + self._allowed()
        for request in cache_rpcs.get_batch_requests(keys, self._batch_bytes):
            time_left = deadline - time.monotonic()
            if len(request.items) == 1:
                # A stream of one answer takes a quarter longer than the answer alone.
                reply = await self._data.unary(cache_rpcs.GET, request.items[0], metadata, time_left)
                answers.append(cache_rpcs.read_get(reply))
                continue
            replies = await self._data.stream(cache_rpcs.GET_BATCH, request, metadata, time_left)
            answers += cache_rpcs.read_get_batch(len(request.items), replies)
        return tuple(answers)

    async def set_multi(
        self,
        cache_name: str,
        items: Mapping[Key, Bytes],
        ttl: Ttl | None = None,
        *,
        ttls: Mapping[OtherKey, Ttl] | None = None,
    ) -> None:
        """Store many items, in place of whatever their keys held.

        One round trip, or as few as the message limit allows; none for no items.

        Args:
            cache_name: The cache.
            items: Values by key.
            ttl: How long they live; None for the client's default.
            ttls: The keys that live by a TTL of their own, and that TTL.
        """
        metadata = self._headers.for_cache(cache_name)
        deadline = time.monotonic() + self._allowed()
        for request in cache_rpcs.set_batch_requests(items, self._ttl_ms(ttl), ttls, self._batch_bytes):
            time_left = deadline - time.monotonic()
            replies = await self._data.stream(cache_rpcs.SET_BATCH, request, metadata, time_left)
            cache_rpcs.read_set_batch(len(request.items), replies)

    async def set_if_absent(self, cache_name: str, key: Bytes, value: Bytes, ttl: Ttl | None = None) -> SetIfResponse:
        """Store an item where there is none, atomically."""
        return await self._set_if(cache_name, cache_rpcs.set_if_absent_request(key, value, self._ttl_ms(ttl)))

    async def set_if_not_exists(
        self, cache_name: str, key: Bytes, value: Bytes, ttl: Ttl | None = None
    ) -> SetIfResponse:
        """Do what `set_if_absent` does, under its older name."""
        return await self.set_if_absent(cache_name, key, value, ttl)

    async def set_if_present(self, cache_name: str, key: Bytes, value: Bytes, ttl: Ttl | None = None) -> SetIfResponse:
        """Replace an item where there is one, atomically."""
        return await self._set_if(cache_name, cache_rpcs.set_if_present_request(key, value, self._ttl_ms(ttl)))

    async def set_if_equal(
        self, cache_name: str, key: Bytes, value: Bytes, equal: Bytes, ttl: Ttl | None = None
    ) -> SetIfResponse:
        """Replace an item where it is there and its value is `equal`, atomically."""
        return await self._set_if(cache_name, cache_rpcs.set_if_equal_request(key, value, equal, self._ttl_ms(ttl)))

    async def set_if_not_equal(
        self, cache_name: str, key: Bytes, value: Bytes, not_equal: Bytes, ttl: Ttl | None = None
    ) -> SetIfResponse:
        """Store an item where there is none, or its value is not `not_equal`, atomically."""
        request = cache_rpcs.set_if_not_equal_request(key, value, not_equal, self._ttl_ms(ttl))
        return await self._set_if(cache_name, request)

    async def set_if_present_and_not_equal(
        self, cache_name: str, key: Bytes, value: Bytes, not_equal: Bytes, ttl: Ttl | None = None
    ) -> SetIfResponse:
        """Replace an item where it is there and its value is not `not_equal`, atomically."""
        request = cache_rpcs.set_if_present_and_not_equal_request(key, value, not_equal, self._ttl_ms(ttl))
        return await self._set_if(cache_name, request)

    async def set_if_absent_or_equal(
        self, cache_name: str, key: Bytes, value: Bytes, equal: Bytes, ttl: Ttl | None = None
    ) -> SetIfResponse:
        """Store an item where there is none, or its value is `equal`, atomically."""
        request = cache_rpcs.set_if_absent_or_equal_request(key, value, equal, self._ttl_ms(ttl))
        return await self._set_if(cache_name, request)

    async def increment(self, cache_name: str, key: Bytes, amount: int = 1, ttl: Ttl | None = None) -> int:
        """Add to a number and return the sum; a missing item counts as 0. The item lives by this call's TTL.

        Raises:
            FailedPreconditionError: The value is not an integer, or the sum is not one of 64 bits.
        """
        request = cache_rpcs.increment_request(key, amount, self._ttl_ms(ttl))
        return (await self._call(cache_rpcs.INCREMENT, request, cache_name)).value

    async def keys_exist(self, cache_name: str, keys: Iterable[Bytes]) -> tuple[bool, ...]:
        """Return which keys hold an item, in the order asked."""
        answers: list[bool] = []
        metadata = self._headers.for_cache(cache_name)
        deadline = time.monotonic() + self._allowed()
        for request in cache_rpcs.keys_exist_requests(keys, self._batch_bytes):
            reply = await self._data.unary(cache_rpcs.KEYS_EXIST, request, metadata, deadline - time.monotonic())
            answers += cache_rpcs.read_keys_exist(len(request.cache_keys), reply)
        return tuple(answers)

    async def item_get_ttl(self, cache_name: str, key: Bytes) -> timedelta | None:
        """Return how long an item has left, or None where there is none."""
        reply = await self._call(cache_rpcs.ITEM_GET_TTL, cache_rpcs.item_get_ttl_request(key), cache_name)
        return cache_rpcs.read_item_get_ttl(reply)

    async def update_ttl(self, cache_name: str, key: Bytes, ttl: Ttl) -> TtlUpdate:
        """Make an item live this long from now."""
        return await self._update_ttl(cache_name, cache_rpcs.update_ttl_request(key, ttl))

    async def increase_ttl(self, cache_name: str, key: Bytes, ttl: Ttl) -> TtlUpdate:
        """Make an item live this long from now, if that is longer than it would."""
        return await self._update_ttl(cache_name, cache_rpcs.increase_ttl_request(key, ttl))

    async def decrease_ttl(self, cache_name: str, key: Bytes, ttl: Ttl) -> TtlUpdate:
        """Make an item live this long from now, if that is shorter than it would."""
        return await self._update_ttl(cache_name, cache_rpcs.decrease_ttl_request(key, ttl))

    async def create_cache(self, cache_name: str) -> CreateCacheResponse:
        """Create a cache, or answer that it exists."""
        from momento_lambda.wire import control_rpcs  # noqa: PLC0415  # see the module's head

        try:
            await self._call_control(control_rpcs.CREATE_CACHE, control_rpcs.create_cache_request(cache_name))
        except AlreadyExistsError:
            return ALREADY_EXISTS
        return CREATED

    async def delete_cache(self, cache_name: str) -> None:
        """Delete a cache and all that it holds."""
        from momento_lambda.wire import control_rpcs  # noqa: PLC0415  # see the module's head

        await self._call_control(control_rpcs.DELETE_CACHE, control_rpcs.delete_cache_request(cache_name))

    async def flush_cache(self, cache_name: str) -> None:
        """Remove every item of a cache, which stays."""
        from momento_lambda.wire import control_rpcs  # noqa: PLC0415  # see the module's head

        await self._call_control(control_rpcs.FLUSH_CACHE, control_rpcs.flush_cache_request(cache_name))

    async def list_caches(self, next_token: str | None = None) -> CachePage:
        """Return one page of caches: the first, or the one that `next_token` of the page before stands for."""
        from momento_lambda.wire import control_rpcs  # noqa: PLC0415  # see the module's head

        request = control_rpcs.list_caches_request(next_token)
        return control_rpcs.read_list_caches(await self._call_control(control_rpcs.LIST_CACHES, request))

    async def iter_caches(self) -> AsyncIterator[CacheInfo]:
        """Yield every cache, page by page."""
        page = await self.list_caches()
        while True:
            for cache in page.caches:
                yield cache
            if page.next_token is None:
                return
            page = await self.list_caches(page.next_token)

    async def create_token(self, allow: "Allow", expires: Ttl, *, token_id: str | None = None) -> DisposableToken:
        """Make a token for somebody else, which allows no more than this client's own and ends no later.

        Args:
            allow: What it allows, as texts such as "read:users-cache/profile:*" or as permissions; one or several.
            expires: How long it is accepted, in whole seconds: seconds, a timedelta or text such as "15m".
            token_id: Whom it is for, as the caller calls them.
        """
        from momento_lambda.wire import auth_rpcs  # noqa: PLC0415  # see the module's head

        request = auth_rpcs.disposable_token_request(self._credentials.auth_token, allow, expires, token_id)
        reply = await self._call_control(auth_rpcs.GENERATE_DISPOSABLE_TOKEN, request, self._tokens)
        return auth_rpcs.read_disposable_token(reply)

    async def create_signing_key(self, expires: Ttl) -> NewSigningKey:
        """Make a key to sign tokens with, beside those that there are.

        Args:
            expires: How long its tokens are accepted, in whole minutes: seconds, a timedelta or text such as "90d".
        """
        from momento_lambda.wire import auth_rpcs  # noqa: PLC0415  # see the module's head

        request = auth_rpcs.create_signing_key_request(expires)
        return auth_rpcs.read_created_signing_key(await self._call_control(auth_rpcs.CREATE_SIGNING_KEY, request))

    async def list_signing_keys(self) -> tuple[SigningKeyInfo, ...]:
        """Return the keys whose tokens are accepted."""
        from momento_lambda.wire import auth_rpcs  # noqa: PLC0415  # see the module's head

        keys: list[SigningKeyInfo] = []
        next_token = ""
        while True:
            request = auth_rpcs.list_signing_keys_request(next_token)
            page = await self._call_control(auth_rpcs.LIST_SIGNING_KEYS, request)
            keys += auth_rpcs.read_signing_keys(page)
            next_token = page.next_token
            if not next_token:
                return tuple(keys)

    async def revoke_signing_key(self, key_id: str) -> None:
        """Have no token accepted any more that was signed with a key; there need not be one of that id."""
        from momento_lambda.wire import auth_rpcs  # noqa: PLC0415  # see the module's head

        await self._call_control(auth_rpcs.REVOKE_SIGNING_KEY, auth_rpcs.revoke_signing_key_request(key_id))

    async def ping(self, timeout: float | None = None) -> None:
        """Make a round trip to the cache endpoint, connecting first where need be.

        Args:
            timeout: Seconds that it may take; None for the configuration's.
        """
        allowed = self._allowed() if timeout is None else self._clipped(timeout)
        await self._data.unary(cache_rpcs.PING, pb.PingRequest(), self._headers.control, allowed)

    async def disconnect(self) -> None:
        """Close the connections; the next call makes new ones. Calls under way are repeated on them where they may.

        For moments after which a connection is dead and does not know it, such as the restore of a snapshot.
        """
        await self._data.disconnect()
        await self._control.disconnect()
        await self._tokens.disconnect()

    async def close(self) -> None:
        """Close the connections. Calls under way end as cancelled; closing again does nothing."""
        await self._data.close()
        await self._control.close()
        await self._tokens.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _call(self, rpc: Rpc[Request, Reply], request: Request, cache_name: str) -> Reply:
        metadata = self._headers.for_cache(cache_name)
        deadline = time.monotonic() + self._allowed()
        if self._data.doubtful and not rpc.repeatable:
            # What must not be sent twice goes on a connection that is known to live.
            await self.ping()
        return await self._data.unary(rpc, request, metadata, deadline - time.monotonic())

    async def _call_control(
        self, rpc: Rpc[Request, Reply], request: Request, channel: AsyncChannel | None = None
    ) -> Reply:
        # The connections belong together: whoever may not use the one may not use the others.
        self._data.claim()
        allowed = self._clipped(self._configuration.control_timeout)
        return await (channel or self._control).unary(rpc, request, self._headers.control, allowed)

    async def _set_if(self, cache_name: str, request: pb.SetIfRequest) -> SetIfResponse:
        return cache_rpcs.read_set_if(await self._call(cache_rpcs.SET_IF, request, cache_name))

    async def _update_ttl(self, cache_name: str, request: pb.UpdateTtlRequest) -> TtlUpdate:
        return cache_rpcs.read_update_ttl(await self._call(cache_rpcs.UPDATE_TTL, request, cache_name))

    def _allowed(self) -> float:
        """Return the seconds that a call of the data plane may take."""
        return self._clipped(self._timeout)

    def _clipped(self, timeout: float) -> float:
        left = self._time_left()
        return timeout if left is None else min(left, timeout)

    def _ttl_ms(self, ttl: Ttl | None) -> int:
        return self._default_ttl_ms if ttl is None else ttl_milliseconds(ttl)
