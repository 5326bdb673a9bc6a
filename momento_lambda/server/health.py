"""The gRPC health protocol, by which load balancers and orchestrators ask whether to send calls here."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final, TypeAlias, final

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2 as pb

from momento_lambda.server.readiness import Readiness

SERVICE: Final[str] = pb.DESCRIPTOR.services_by_name["Health"].full_name

_WHOLE_SERVER: Final = ""

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


@final
class HealthService:
    """Answers for the whole server, and alike for each of its services.

    The servicer that comes with the messages keeps its watchers until they leave of their own accord, and a server
    that stops would wait for them in vain; here their streams end when the readiness is closed.

    Args:
        readiness: What it answers.
        services: The full names of the services.
    """

    def __init__(self, readiness: Readiness, services: Iterable[str]) -> None:
        self._readiness = readiness
        self._services = {_WHOLE_SERVER, *services}

    async def Check(self, request: pb.HealthCheckRequest, context: _Context) -> pb.HealthCheckResponse:  # noqa: N802  # the protocol's name
        """Answer for one moment."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, "this server has no such service")
        return _reply(ready=self._readiness.health.ready)

    async def List(self, _request: pb.HealthListRequest, _context: _Context) -> pb.HealthListResponse:  # noqa: N802  # the protocol's name
        """Answer for all of them, for one moment."""
        reply = _reply(ready=self._readiness.health.ready)
        return pb.HealthListResponse(statuses=dict.fromkeys(self._services, reply))

    async def Watch(  # noqa: N802  # the protocol's name
        self, request: pb.HealthCheckRequest, _context: _Context
    ) -> AsyncIterator[pb.HealthCheckResponse]:
        """Answer now and whenever it changes."""
        known = request.service in self._services
        if not known:
            yield pb.HealthCheckResponse(status=pb.HealthCheckResponse.SERVICE_UNKNOWN)
        async for ready in self._readiness.changes():
            if known:
                yield _reply(ready=ready)


def _reply(*, ready: bool) -> pb.HealthCheckResponse:
    return pb.HealthCheckResponse(
        status=pb.HealthCheckResponse.SERVING if ready else pb.HealthCheckResponse.NOT_SERVING
    )
