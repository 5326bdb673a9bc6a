"""Every procedure behind the same checks, in the same order.

A call that asks for a fault gets it first. Then comes who is asking (UNAUTHENTICATED), how much they asked before
(RESOURCE_EXHAUSTED), what they may do (PERMISSION_DENIED), whether the cache exists (NOT_FOUND), what was asked
(INVALID_ARGUMENT), and the work.
"""

import logging
from typing import Any, Final, TypeAlias, final

import grpc
from google.protobuf.message import DecodeError, Message

from momento_lambda.errors import FailedPreconditionError, InternalError, InvalidArgumentError, MomentoError
from momento_lambda.server import cache_service, control_service, token_service
from momento_lambda.server.accounts import Accounts
from momento_lambda.server.authority import Asker, Authority
from momento_lambda.server.control_service import unknown_cache
from momento_lambda.server.faults import FaultInjection
from momento_lambda.server.grant import Grant
from momento_lambda.server.limits import TokenItemTooLargeError
from momento_lambda.server.procedure import Audience, Procedure, Subject
from momento_lambda.server.refusals import refuse, status_of
from momento_lambda.server.store import Keyspace, Store
from momento_lambda.server.tokens import TokenVerifier
from momento_lambda.server.traffic import Call, Traffic
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire.auth_rpcs import GENERATE_DISPOSABLE_TOKEN
from momento_lambda.wire.packed import PACKED_REPLIES, pack

PROCEDURES: Final = (*cache_service.PROCEDURES, *control_service.PROCEDURES, *token_service.PROCEDURES)

_log: Final = logging.getLogger("momento_lambda.server")

_SHOWN_PATH: Final = 100
# Where no token is asked for.
_ANYONE: Final = Grant(permissions=None, expiry=float("inf"))

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Headers: TypeAlias = dict[str, str | bytes]
Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"


@final
class Handlers(grpc.GenericRpcHandler):
    """All that the server answers.

    Args:
        store: Where the caches are.
        verifier: Who may ask; None for anyone.
        authority: Who makes tokens; None for nobody.
        accounts: What calls are charged to.
        faults: What injects faults; None for nothing.
        traffic: What counts the calls.
    """

    def __init__(
        self,
        store: Store,
        *,
        verifier: TokenVerifier | None,
        authority: Authority | None,
        accounts: Accounts,
        faults: FaultInjection | None,
        traffic: Traffic,
    ) -> None:
        self._store = store
        self._authority = authority
        self._accounts = accounts
        self._traffic = traffic
        self._verifier = verifier
        self._faults = faults
        self._handlers = {procedure.rpc.path: self._handler(procedure) for procedure in PROCEDURES}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        """Return what answers a call."""
        path = handler_call_details.method
        return self._handlers.get(path) or _refuse_unknown(path)

    def _handler(self, procedure: Procedure) -> Handler:
        traffic, counted = self._traffic, self._traffic.procedures[procedure.rpc.path]
        reads = procedure.rpc.reply is pb.GetResponse

        # Requests arrive as bytes and are read after the checks that come before arguments.
        async def answer(request: bytes, context: Context) -> bytes:
            with Call(traffic, counted, len(request)) as call:
                reply: Any = await self._reply(procedure, request, context, call)
                if reads:
                    traffic.reads_of(call.cache).count(reply)
                encoded: bytes = reply.SerializeToString()
                call.sent_bytes = len(encoded)
                return encoded

        async def answer_each(request: bytes, context: Context) -> None:
            with Call(traffic, counted, len(request)) as call:
                replies = await self._reply(procedure, request, context, call)
                if reads:
                    replies = traffic.reads_of(call.cache).counted(replies)
                if PACKED_REPLIES in (context.invocation_metadata() or ()):
                    replies = pack(replies)
                for message in replies:
                    encoded = message.SerializeToString()
                    call.sent_bytes += len(encoded)
                    await context.write(encoded)

        if procedure.rpc.streams:
            return grpc.unary_stream_rpc_method_handler(answer_each)
        return grpc.unary_unary_rpc_method_handler(answer)

    async def _reply(self, procedure: Procedure, request: bytes, context: Context, call: Call) -> Any:
        """Return what the procedure answers, or end the call."""
        try:
            return await self._work(procedure, request, context, call)
        except MomentoError as error:
            failure = error
        except Exception:  # noqa: BLE001  # the outermost rim: no bug ends the server or shows a caller what it holds
            _log.exception("%s failed", procedure.rpc.path)
            failure = InternalError("the server failed to answer: its log says why")
        call.status = status_of(failure).name
        return await refuse(context, failure)

    async def _work(self, procedure: Procedure, request: bytes, context: Context, call: Call) -> Any:
        headers: Headers = dict(context.invocation_metadata() or ())
        if self._faults is not None:
            await self._faults.inject(procedure.fault_names, headers)
        grant = self._admit(procedure, headers, request, call)
        match procedure.subject:
            case Subject.ITEMS:
                call.cache = _text(headers, "cache")
                return await self._work_on_items(procedure, call.cache, request, grant)
            case Subject.STORE:
                return await procedure.work(self._store, _read(procedure, request))
            case Subject.TOKENS:
                if self._authority is None:
                    raise FailedPreconditionError("this server asks for no token, so it makes none")
                return await procedure.work(Asker(grant, self._authority), _read(procedure, request))

    def _admit(self, procedure: Procedure, headers: Headers, request: bytes, call: Call) -> Grant:
        if procedure.audience is Audience.ANYONE:
            return _ANYONE
        grant = self._identify(procedure, headers, request)
        call.account = self._accounts.begin(grant.origin, grant.limits, len(request))
        if procedure.audience is Audience.OWNERS:
            grant.check_everything()
        return grant

    def _identify(self, procedure: Procedure, headers: Headers, request: bytes) -> Grant:
        if self._verifier is None:
            return _ANYONE
        token = _text(headers, "authorization")
        if not token and procedure.rpc is GENERATE_DISPOSABLE_TOKEN:
            token = _token_within(request)
        return self._verifier.verify(token)

    async def _work_on_items(self, procedure: Procedure, cache: str, request: bytes, grant: Grant) -> Any:
        if grant.covers(procedure.rights, cache):
            items = await self._open(cache)
            message = _read(procedure, request)
        else:
            # Only here does it matter to what may be done which items are meant.
            message = _read(procedure, request)
            grant.check_keys(procedure.rights, cache, procedure.keys(message))
            items = await self._open(cache)
        self._check_sizes(procedure, message, grant)
        return await procedure.work(items, message)

    def _check_sizes(self, procedure: Procedure, message: Message, grant: Grant) -> None:
        limit = self._accounts.limits_of(grant.limits).item_bytes
        if limit is not None and any(size > limit for size in procedure.sizes(message)):
            raise TokenItemTooLargeError(limit)

    async def _open(self, cache: str) -> Keyspace:
        if not cache:
            raise InvalidArgumentError("the call names no cache: send its name in the `cache` header")
        items = await self._store.open(cache)
        if items is None:
            raise unknown_cache(cache)
        return items


def _text(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    return value if isinstance(value, str) else ""


def _token_within(request: bytes) -> str:
    """Return the token in a message: the protocol has a place for it there, and some clients use no other."""
    try:
        return GENERATE_DISPOSABLE_TOKEN.request.FromString(request).auth_token
    except DecodeError:
        return ""


def _read(procedure: Procedure, request: bytes) -> Any:
    try:
        message: Message = procedure.rpc.request.FromString(request)
    except DecodeError:
        raise InvalidArgumentError(f"the request is not the message that {procedure.rpc.path} takes") from None
    return message


def _refuse_unknown(path: str) -> Handler:
    async def refuse_unknown(_request: bytes, context: Context) -> bytes:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"this server does not speak {path[:_SHOWN_PATH]!r}")

    return grpc.unary_unary_rpc_method_handler(refuse_unknown)
