"""Callers who miss together."""

import asyncio
import threading
from typing import TYPE_CHECKING

from tests.caching.conftest import PATIENT

if TYPE_CHECKING:
    from tests.caching.conftest import Faults


class Gate:
    """Opens when as many callers as should have asked the cache, so that those who missed are there together."""

    def __init__(self, faults: "Faults", callers: int) -> None:
        self._callers = callers
        self._lock = threading.Lock()
        self._answered = 0
        self._open = threading.Event()
        self._open_in_loop = asyncio.Event()
        faults.after = self._note

    def _note(self, name: str) -> None:
        with self._lock:
            self._answered += name == "get"
            if self._answered == self._callers:
                self._open.set()
                self._open_in_loop.set()

    def wait(self) -> None:
        """Wait in a thread."""
        assert self._open.wait(PATIENT)

    async def wait_in_loop(self) -> None:
        """Wait in a task; those that asked are waiting for the load by then, since nothing lies between the two."""
        await self._open_in_loop.wait()
