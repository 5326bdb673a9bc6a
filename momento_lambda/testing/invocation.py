"""What came of one event."""

from dataclasses import dataclass
from typing import Any


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
    """

    request_id: str
    payload: Any
    error: Failure | None
    duration_ms: float
    cold: bool
    init_duration_ms: float | None = None
