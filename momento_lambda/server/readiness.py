"""Whether calls should come to this server: while its store can be reached, and until it is told to stop."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Final, NamedTuple, final

from momento_lambda.errors import MomentoError
from momento_lambda.server.store import Store

_log: Final = logging.getLogger("momento_lambda.server")

_PAUSE_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 1.0


class Health(NamedTuple):
    """How a server fares.

    Attributes:
        draining: Whether it is about to stop.
        store_trouble: What kept the store from answering when it was last asked; None where it did answer.
    """

    draining: bool
    store_trouble: str | None

    @property
    def ready(self) -> bool:
        """Whether calls should come to it."""
        return not self.draining and self.store_trouble is None


@final
class Readiness:
    """Asks the store again and again whether it is there, and says so to whoever wants to know.

    Args:
        store: What is asked.
        pause: The seconds between two questions.
        patience: The seconds that the store has to answer one.
    """

    def __init__(self, store: Store, *, pause: float = _PAUSE_SECONDS, patience: float = _PATIENCE_SECONDS) -> None:
        self._store = store
        self._pause = pause
        self._patience = patience
        self._trouble: str | None = None
        self._serving = False
        self._closed = False
        self._changed = asyncio.Condition()
        self._watch: asyncio.Task[None] | None = None

    @property
    def health(self) -> Health:
        """How the server fares."""
        return Health(draining=not self._serving, store_trouble=self._trouble)

    async def start(self) -> None:
        """Ask once, and from then on in the background."""
        self._serving, self._closed = True, False
        await self._ask()
        self._watch = asyncio.create_task(self._keep_asking())

    async def drain(self) -> None:
        """Say that no more calls should come. This is final."""
        self._serving = False
        await self._announce()

    async def close(self) -> None:
        """Ask no more, and end every `changes`."""
        self._closed = True
        await self.drain()
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watch

    async def changes(self) -> AsyncIterator[bool]:
        """Yield whether calls should come here, now and whenever that changes, until this is closed."""
        shown: bool | None = None
        while True:
            ready = self.health.ready
            if shown != ready:
                shown = ready
                yield ready
            elif self._closed:
                return
            else:
                async with self._changed:
                    await self._changed.wait()

    async def _keep_asking(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            await self._ask()

    async def _ask(self) -> None:
        before, self._trouble = self._trouble, await self._find_trouble()
        if (before is None) != (self._trouble is None):
            if self._trouble is None:
                _log.info("the store answers")
            else:
                _log.warning("the store does not answer, so no calls should come here: %s", self._trouble)
            await self._announce()

    async def _find_trouble(self) -> str | None:
        try:
            async with asyncio.timeout(self._patience):
                await self._store.ping()
        except TimeoutError:
            return f"no answer within {self._patience:g} s"
        except MomentoError as error:
            return error.message
        return None

    async def _announce(self) -> None:
        async with self._changed:
            self._changed.notify_all()
