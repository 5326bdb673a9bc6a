"""What answers load balancers and command line tools: health and reflection."""

from collections.abc import Iterable, Sequence
from typing import Any, final

import grpc
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha.reflection_pb2_grpc import add_ServerReflectionServicer_to_server

from momento_lambda.server.health import HealthService
from momento_lambda.server.readiness import Readiness
from momento_lambda.server.reflection import reflection_service
from momento_lambda.wire.rpc import Rpc


def tool_handlers(readiness: Readiness, rpcs: Sequence[Rpc[Any, Any]]) -> Sequence[grpc.GenericRpcHandler]:
    """Return handlers of both services.

    Args:
        readiness: What health answers.
        rpcs: What both speak of.
    """
    offered = _Offered()
    add_HealthServicer_to_server(HealthService(readiness, {rpc.service for rpc in rpcs}), offered)
    add_ServerReflectionServicer_to_server(reflection_service(rpcs), offered)
    return offered.handlers


@final
class _Offered:
    """Takes what generated code would add to a server, but for the register of methods.

    A server of `grpc.aio` that has registered methods crashes with the whole process when an error ends its serving,
    which a request can bring about; one without ends in order, and another one can take its place.
    """

    def __init__(self) -> None:
        self.handlers: list[grpc.GenericRpcHandler] = []

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Take the handlers of a service."""
        self.handlers += handlers

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Leave them out of the register: they are found among the others."""
