"""Gateways as processes, and what a load balancer does in front of them."""

import asyncio
import itertools
import sys
from typing import Final, Self

import grpc.aio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from momento_lambda import Configuration, CredentialProvider, SimpleCacheClientAsync

TTL_SECONDS: Final = 3_600
# What goes wrong is to be counted, not mended by another attempt.
_CONFIGURATION: Final = Configuration(timeout=5.0, retries=0)


class Gateway:
    """A `momento-lambda serve` in a process of its own, and a client of it.

    Attributes:
        process: The process.
        client: The client.
        serving: Whether its health says that calls should come to it.
    """

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.client = SimpleCacheClientAsync(
            CredentialProvider.for_local(port=port), TTL_SECONDS, configuration=_CONFIGURATION
        )
        self.serving = False
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self._watch = asyncio.create_task(self._watch_health())

    @classmethod
    async def start(cls, store: str, *options: str) -> Self:
        """Start one over a store, and return it once it serves."""
        arguments = ("serve", "--port", "0", "--no-auth", "--store", store, "--log-level", "error", *options)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "momento_lambda.cli.main", *arguments), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        line = await process.stdout.readline()
        gateway = cls(process, int(line.rpartition(b":")[2]))
        while not gateway.serving:  # noqa: ASYNC110  # a flag of ours
            await asyncio.sleep(0.01)
        return gateway

    async def close(self) -> None:
        """End it, if it has not ended."""
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)
        await self._channel.close()
        await self.client.close()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def _watch_health(self) -> None:
        stub = HealthStub(self._channel)
        while True:
            try:
                async for reply in stub.Watch(HealthCheckRequest(service="")):
                    self.serving = reply.status == HealthCheckResponse.SERVING
            except grpc.aio.AioRpcError:
                self.serving = False
                await asyncio.sleep(0.05)


class Balancer:
    """Sends each call to the next gateway of those that are healthy."""

    def __init__(self) -> None:
        self.gateways: list[Gateway] = []
        self._turns = itertools.count()

    def next_client(self) -> SimpleCacheClientAsync:
        """Return a client of the gateway whose turn it is."""
        choice = [gateway for gateway in self.gateways if gateway.serving] or self.gateways
        return choice[next(self._turns) % len(choice)].client

    async def replace(self, old: Gateway, new: Gateway) -> None:
        """Send calls to another gateway from now on."""
        self.gateways[self.gateways.index(old)] = new
        await old.close()
