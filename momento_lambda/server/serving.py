"""A server that runs until it is told to stop, which is what `momento-lambda serve` does."""

import asyncio
import signal
from collections.abc import Callable
from typing import Final

from momento_lambda.credentials import Endpoint
from momento_lambda.server.server import CacheServer

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
GRACE_SECONDS: Final = 10.0


async def serve(
    server: CacheServer,
    ready: Callable[[Endpoint], None],
    *,
    drain_delay: float = 0.0,
    grace: float = GRACE_SECONDS,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain and finish what is in flight. A second signal ends the process at once.

    Args:
        server: What to start and stop.
        ready: Called once calls are answered, with where.
        drain_delay: The seconds between saying that no more calls should come, and taking no more: what it takes
            those who send calls here to notice.
        grace: The seconds that calls in flight have to finish.

    Raises:
        ListenError: The server cannot listen where it was told to.
    """
    stop = _stop_on_signal()
    await server.start()
    try:
        ready(server.endpoint)
        await stop.wait()
        await server.drain()
        await asyncio.sleep(drain_delay)
    finally:
        await server.stop(grace)


def _stop_on_signal() -> asyncio.Event:
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
