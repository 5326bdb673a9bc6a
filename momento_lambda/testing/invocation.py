"""What came of one event."""

import math
from dataclasses import dataclass
from typing import Any, Final

TIMED_OUT: Final = "Sandbox.Timedout"
EXITED: Final = "Runtime.ExitError"


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception as Lambda reports it."""

    type: str
    message: str
    stack: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.type}: {self.message}"


@dataclass(frozen=True, slots=True)
class Invocation:
    """The outcome of one event.

    Attributes:
        request_id: The id that the handler saw as ``context.aws_request_id``.
        payload: What the handler returned, decoded from JSON; None when it raised.
        error: What the handler raised; None when it returned.
        duration_ms: From handing the event out to having the whole response.
        cold: Whether this was the first event of its execution environment.
        init_duration_ms: From starting the process to its first request for an event, on the cold one.
        restore_duration_ms: From continuing the snapshot to that request, on the cold one of a SnapStart function.
        memory_size: What the function is configured with, in MB.
        max_memory_used: The most memory that its processes have held so far, in MB.
        log: What they wrote since the last event; on the cold one, since they were ready.
    """

    request_id: str
    payload: Any
    error: Failure | None
    duration_ms: float
    cold: bool
    init_duration_ms: float | None = None
    restore_duration_ms: float | None = None
    memory_size: int | None = None
    max_memory_used: int | None = None
    log: str = ""

    @property
    def billed_duration_ms(self) -> int:
        """What Lambda would charge for, in whole milliseconds: the invocation, and the init or restore before it."""
        return math.ceil(self.duration_ms + (self.init_duration_ms or 0) + (self.restore_duration_ms or 0))

    @property
    def start_line(self) -> str:
        """What Lambda writes to the log before the handler is called."""
        return f"START RequestId: {self.request_id} Version: $LATEST"

    @property
    def end_line(self) -> str:
        """What Lambda writes to the log when the handler is done."""
        return f"END RequestId: {self.request_id}"

    @property
    def report_line(self) -> str:
        """What Lambda writes to the log last: tabs between the fields, so that its parsers find them."""
        fields = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Billed Duration: {self.billed_duration_ms} ms",
        ]
        if self.memory_size is not None:
            fields.append(f"Memory Size: {self.memory_size} MB")
        if self.max_memory_used is not None:
            fields.append(f"Max Memory Used: {self.max_memory_used} MB")
        if self.init_duration_ms is not None:
            fields.append(f"Init Duration: {self.init_duration_ms:.2f} ms")
        if self.restore_duration_ms is not None:
            fields.append(f"Restore Duration: {self.restore_duration_ms:.2f} ms")
            fields.append(f"Billed Restore Duration: {math.ceil(self.restore_duration_ms)} ms")
        return "\t".join([*fields, *self._status()])

    def _status(self) -> tuple[str, ...]:
        # An exception of the handler is the function's own affair: to Lambda, that invocation went well.
        if self.error is not None and self.error.type == TIMED_OUT:
            return ("Status: timeout",)
        if self.error is not None and self.error.type == EXITED:
            return "Status: error", f"Error Type: {EXITED}"
        return ()
