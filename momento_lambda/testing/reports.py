"""What a function says over the Runtime API, and waiting for it to say it."""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from momento_lambda.testing.function_process import Exited
from momento_lambda.testing.invocation import Failure

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Polled:
    """The function is up, and asks for an event."""

    at: float


@dataclass(frozen=True, slots=True)
class HandedOut:
    """The function got the event that it asked for."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Responded:
    """The handler returned."""

    request_id: str
    body: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The handler raised."""

    request_id: str
    error: Failure
    seconds: float


@dataclass(frozen=True, slots=True)
class InitFailed:
    """The function's module could not be imported, holds no such handler, or a hook before the snapshot failed."""

    error: Failure


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """The function is ready to be snapshotted, and waits to be restored."""


@dataclass(frozen=True, slots=True)
class RestoreFailed:
    """A hook after the restore failed."""

    error: Failure


Report: TypeAlias = Polled | HandedOut | Responded | Failed | InitFailed | Checkpointed | RestoreFailed
Broken: TypeAlias = InitFailed | RestoreFailed | Exited


class Ledger:
    """All that one function process has said so far; whoever needs to know more waits for it.

    Ctrl-C may interrupt whoever waits, at any point, and others go on: there is no lock that could stay taken. A
    `threading.Condition` has one, since it is taken and given back in Python.

    Args:
        processes: How many processes ask for events.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._lock = threading.Lock()
        self._waiting: set[queue.SimpleQueue[None]] = set()
        self._asking = 0
        self._asked_at = 0.0
        self._checkpointed: Checkpointed | None = None
        self._awaited: set[str] = set()
        self._outcomes: dict[str, Responded | Failed] = {}
        self._broken: InitFailed | RestoreFailed | None = None
        self._exited: Exited | None = None

    def enter(self, report: Report | Exited) -> None:
        """Take note of a report, from any thread."""
        with self._lock:
            self._note(report)
            for news in self._waiting:
                news.put(None)

    def await_idle(self, seconds: float) -> Polled | Broken | None:
        """Wait until every process asks for an event, and tell since when; None after so many seconds."""
        return self._wait(self._idle, seconds)

    def await_checkpoint(self, seconds: float) -> Checkpointed | Broken | None:
        """Wait until the function can be snapshotted; None after so many seconds."""
        return self._wait(lambda: self._broken or self._checkpointed or self._exited, seconds)

    def await_outcome(self, request_id: str, seconds: float) -> Responded | Failed | Exited | None:
        """Wait for what comes of an event that was expected; None after so many seconds."""
        return self._wait(lambda: self._outcomes.get(request_id) or self._exited, seconds)

    def expect(self, request_id: str) -> None:
        """Keep what will come of an event, until it is dropped."""
        with self._lock:
            self._awaited.add(request_id)

    def drop(self, request_id: str) -> None:
        """Forget an event, and what came or will come of it."""
        with self._lock:
            self._awaited.discard(request_id)
            self._outcomes.pop(request_id, None)

    def _wait(self, answer: Callable[[], T], seconds: float) -> T:
        give_up = time.monotonic() + seconds
        news: queue.SimpleQueue[None] = queue.SimpleQueue()
        try:
            with self._lock:
                self._waiting.add(news)
            while True:
                with self._lock:
                    found = answer()
                left = give_up - time.monotonic()
                if found or left <= 0:
                    return found
                with suppress(queue.Empty):
                    news.get(timeout=left)
        finally:
            with self._lock:
                self._waiting.discard(news)

    def _idle(self) -> Polled | Broken | None:
        if self._broken or self._exited:
            # First the reason, which the function gives before it ends.
            return self._broken or self._exited
        return Polled(self._asked_at) if self._asking == self._processes else None

    def _note(self, report: Report | Exited) -> None:
        match report:
            case Polled(at):
                self._asking += 1
                self._asked_at = at
            case HandedOut():
                self._asking -= 1
            case Responded() | Failed():
                # Others may be left over from an invocation whose caller was interrupted.
                if report.request_id in self._awaited:
                    self._outcomes[report.request_id] = report
            case InitFailed() | RestoreFailed():
                self._broken = self._broken or report
            case Checkpointed():
                self._checkpointed = report
            case Exited():
                self._exited = report
