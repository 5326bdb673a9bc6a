"""Every procedure behind the same checks, in the same order.

A call that asks for a fault gets it first. Then comes who is asking (UNAUTHENTICATED), what they may do
(PERMISSION_DENIED), whether the cache exists (NOT_FOUND), what was asked (INVALID_ARGUMENT), and the work.
"""

import logging
from typing import Any, Final, TypeAlias, final

import grpc
from google.protobuf.message import DecodeError, Message

from momento_lambda.errors import InternalError, InvalidArgumentError, MomentoError, PermissionDeniedError
from momento_lambda.server import cache_service, control_service
from momento_lambda.server.control_service import unknown_cache
from momento_lambda.server.faults import FaultInjection
from momento_lambda.server.procedure import Procedure
from momento_lambda.server.refusals import refuse
from momento_lambda.server.store import Keyspace, Store
from momento_lambda.server.tokens import Access, TokenVerifier

PROCEDURES: Final = (*cache_service.PROCEDURES, *control_service.PROCEDURES)

_log: Final = logging.getLogger("momento_lambda.server")

_SHOWN_PATH: Final = 100

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Headers: TypeAlias = dict[str, str | bytes]
Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"


@final
class Handlers(grpc.GenericRpcHandler):
    """All that the server answers.

    Args:
        store: Where the caches are.
        verifier: Who may ask; None for anyone.
        faults: What injects faults; None for nothing.
    """

    def __init__(self, store: Store, *, verifier: TokenVerifier | None, faults: FaultInjection | None) -> None:
        self._store = store
        self._verifier = verifier
        self._faults = faults
        self._handlers = {procedure.rpc.path: self._handler(procedure) for procedure in PROCEDURES}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        """Return what answers a call."""
        path = handler_call_details.method
        return self._handlers.get(path) or _refuse_unknown(path)

    def _handler(self, procedure: Procedure) -> Handler:
        # Requests arrive as bytes and are read after the checks that come before arguments.
        async def answer(request: bytes, context: Context) -> bytes:
            reply: Message = await self._reply(procedure, request, context)
            return reply.SerializeToString()

        async def answer_each(request: bytes, context: Context) -> None:
            for reply in await self._reply(procedure, request, context):
                await context.write(reply.SerializeToString())

        if procedure.rpc.streams:
            return grpc.unary_stream_rpc_method_handler(answer_each)
        return grpc.unary_unary_rpc_method_handler(answer)

    async def _reply(self, procedure: Procedure, request: bytes, context: Context) -> Any:
        """Return what the procedure answers, or end the call."""
        try:
            return await self._work(procedure, request, context)
        except MomentoError as error:
            failure = error
        except Exception:  # noqa: BLE001  # the outermost rim: no bug ends the server or shows a caller what it holds
            _log.exception("%s failed", procedure.rpc.path)
            failure = InternalError("the server failed to answer: its log says why")
        return await refuse(context, failure)

    async def _work(self, procedure: Procedure, request: bytes, context: Context) -> Any:
        headers: Headers = dict(context.invocation_metadata() or ())
        if self._faults is not None:
            await self._faults.inject(procedure.fault_names, headers)
        if self._verifier is not None and procedure.access is not None:
            _authorize(self._verifier, headers, procedure.access)
        subject = await self._open(headers) if procedure.in_cache else self._store
        return await procedure.work(subject, _read(procedure, request))

    async def _open(self, headers: Headers) -> Keyspace:
        name = headers.get("cache")
        if not isinstance(name, str) or not name:
            raise InvalidArgumentError("the call names no cache: send its name in the `cache` header")
        items = await self._store.open(name)
        if items is None:
            raise unknown_cache(name)
        return items


def _authorize(verifier: TokenVerifier, headers: Headers, needed: Access) -> None:
    token = headers.get("authorization", "")
    grant = verifier.verify(token if isinstance(token, str) else "")
    if grant.access < needed:
        raise PermissionDeniedError(
            f"the token allows {grant.access.claim} and this call needs {needed.claim}: use a token that allows it"
        )


def _read(procedure: Procedure, request: bytes) -> Message:
    try:
        message: Message = procedure.rpc.request.FromString(request)
    except DecodeError:
        raise InvalidArgumentError(f"the request is not the message that {procedure.rpc.path} takes") from None
    return message


def _refuse_unknown(path: str) -> Handler:
    async def refuse_unknown(_request: bytes, context: Context) -> bytes:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"this server does not speak {path[:_SHOWN_PATH]!r}")

    return grpc.unary_unary_rpc_method_handler(refuse_unknown)
