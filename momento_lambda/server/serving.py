"""A server that runs until it is told to stop, which is what `momento-lambda serve` does."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from typing import Final

from momento_lambda.endpoint import Endpoint
from momento_lambda.server.admin_server import AdminAddress, AdminServer
from momento_lambda.server.server import CacheServer

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
GRACE_SECONDS: Final = 10.0


async def serve(
    server: CacheServer,
    ready: Callable[[Endpoint, str | None], None],
    *,
    admin: AdminAddress | None = None,
    drain_delay: float = 0.0,
    grace: float = GRACE_SECONDS,
    lifeline: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain and finish what is in flight. A second signal ends the process at once.

    Args:
        server: What to start and stop.
        ready: Called once calls are answered, with where, and with the address of the status page if there is one.
        admin: Where to serve the admin pages; None for nowhere.
        drain_delay: The seconds between saying that no more calls should come, and taking no more: what it takes
            those who send calls here to notice.
        grace: The seconds that calls in flight have to finish.
        lifeline: A file that ends when this should stop as after SIGTERM, since whoever would send that is gone.

    Raises:
        ListenError: The server, or its admin pages, cannot listen where they were told to.
    """
    stop = stop_on_signal()
    if lifeline is not None:
        _stop_at_end_of(lifeline)
    await server.start()
    try:
        async with _admin_pages(server, admin) as url:
            ready(server.endpoint, url)
            await stop.wait()
            await server.drain()
            await asyncio.sleep(drain_delay)
            await server.stop(grace)
    finally:
        # Where it could not even be asked to stop; otherwise it has.
        await server.stop(0)


@contextlib.asynccontextmanager
async def _admin_pages(server: CacheServer, address: AdminAddress | None) -> AsyncIterator[str | None]:
    """Serve them until the server has stopped, since they show how it does."""
    if address is None:
        yield None
        return
    pages = AdminServer(server, address)
    try:
        yield pages.url
    finally:
        await pages.stop()


def stop_on_signal() -> asyncio.Event:
    """Return what is set on SIGTERM or SIGINT. A second signal ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal() -> None:
        stop.set()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            # Removing leaves SIGINT to an exception that would only be raised in the middle of stopping.
            signal.signal(number, signal.SIG_DFL)

    for number in _SIGNALS:
        loop.add_signal_handler(number, on_signal)
    return stop


def _stop_at_end_of(file: int) -> None:
    loop = asyncio.get_running_loop()

    def on_end() -> None:
        loop.remove_reader(file)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(file, on_end)
