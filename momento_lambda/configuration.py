"""How a client behaves: timeouts, retries and the connection, as one immutable value."""

import os
from functools import partial
from typing import Final, NoReturn, final

from momento_lambda.errors import InvalidArgumentError

MAX_ITEM_BYTES: Final = 5_000_192
"""The largest item, key plus value: 4883 KiB."""

# Above the item limit, so that an item that is too large gets an answer that says so.
_DEFAULT_MESSAGE_BYTES = 5_243_000
_MIN_MESSAGE_BYTES = MAX_ITEM_BYTES + 64 * 1024
# gRPC keeps sizes, and times in milliseconds, in 32 bits with a sign; a day is the longest that makes sense.
_MAX_MESSAGE_BYTES = 2**31 - 1
_MIN_SECONDS = 0.001
_MAX_SECONDS = 86_400


def on_lambda() -> bool:
    """Whether the process's environment is a Lambda function's."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


@final
class Configuration:
    """Timeouts in seconds, retries, and the options of the connection. Immutable; `replace` makes a changed copy.

    Attributes:
        timeout: The whole time that one data-plane operation may take, every attempt and pause included.
        control_timeout: The same for an operation of the control plane.
        retries: How often an operation that is safe to repeat is tried again after a passing failure.
        keepalive_time: Seconds without traffic after which the connection is probed; None for never.
        keepalive_timeout: Seconds that a probe, or written data, may stay unacknowledged before the connection
            counts as dead.
        max_message_bytes: The largest request or reply; batches are cut to fit it.
    """

    __slots__ = (
        "control_timeout",
        "keepalive_time",
        "keepalive_timeout",
        "max_message_bytes",
        "retries",
        "timeout",
    )

    timeout: float
    control_timeout: float
    retries: int
    keepalive_time: float | None
    keepalive_timeout: float
    max_message_bytes: int

    def __init__(
        self,
        *,
        timeout: float = 15.0,
        control_timeout: float = 60.0,
        retries: int = 3,
        keepalive_time: float | None = 5.0,
        keepalive_timeout: float = 1.0,
        max_message_bytes: int = _DEFAULT_MESSAGE_BYTES,
    ) -> None:
        """Check and keep the values.

        Raises:
            InvalidArgumentError: A time that is not from a millisecond to a day, negative retries, or messages under
                the item limit.
        """
        _check_seconds("timeout", timeout)
        _check_seconds("control_timeout", control_timeout)
        if keepalive_time is not None:
            _check_seconds("keepalive_time", keepalive_time)
        _check_seconds("keepalive_timeout", keepalive_timeout)
        if not _is_whole(retries) or retries < 0:
            raise InvalidArgumentError(f"retries is {_shown(retries)}: give a whole number, 0 or more")
        if not _is_whole(max_message_bytes) or not _MIN_MESSAGE_BYTES <= max_message_bytes <= _MAX_MESSAGE_BYTES:
            raise InvalidArgumentError(
                f"max_message_bytes is {_shown(max_message_bytes)}: give from {_MIN_MESSAGE_BYTES}, "
                f"room for one item of the largest size, to {_MAX_MESSAGE_BYTES}"
            )
        keep = object.__setattr__
        keep(self, "timeout", timeout)
        keep(self, "control_timeout", control_timeout)
        keep(self, "retries", retries)
        keep(self, "keepalive_time", keepalive_time)
        keep(self, "keepalive_timeout", keepalive_timeout)
        keep(self, "max_message_bytes", max_message_bytes)

    @classmethod
    def detect(cls) -> "Configuration":
        """Return `for_lambda()` where the environment is a Lambda function's, else `for_laptop()`."""
        return cls.for_lambda() if on_lambda() else cls.for_laptop()

    @classmethod
    def for_laptop(cls) -> "Configuration":
        """Return patient timeouts for development, and a connection that is probed every 5 seconds."""
        return cls()

    @classmethod
    def for_lambda(cls) -> "Configuration":
        """Return short timeouts, and a connection made for an environment that is frozen between invocations.

        A probe every few seconds would find a thawed connection dead for no reason. Without any keepalive a
        connection that was dropped in silence is never found out: every call runs into its timeout. So probes are
        rare and their timeout is short, which also bounds how long written data may stay unacknowledged.
        """
        return cls(timeout=1.1, keepalive_time=600.0, keepalive_timeout=1.0)

    def replace(
        self,
        *,
        timeout: float | None = None,
        control_timeout: float | None = None,
        retries: int | None = None,
        max_message_bytes: int | None = None,
    ) -> "Configuration":
        """Return a copy with the given values changed; the connection's keepalive stays as it is.

        Raises:
            InvalidArgumentError: As on construction.
        """
        return Configuration(
            timeout=self.timeout if timeout is None else timeout,
            control_timeout=self.control_timeout if control_timeout is None else control_timeout,
            retries=self.retries if retries is None else retries,
            keepalive_time=self.keepalive_time,
            keepalive_timeout=self.keepalive_timeout,
            max_message_bytes=self.max_message_bytes if max_message_bytes is None else max_message_bytes,
        )

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Configuration):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"Configuration({shown})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"Configuration is immutable: {name!r} cannot be set; make a changed copy with replace()")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"Configuration is immutable: {name!r} cannot be deleted")

    def __reduce__(self) -> tuple["partial[Configuration]", tuple[()]]:
        return partial(Configuration, **{name: getattr(self, name) for name in self.__slots__}), ()


def _check_seconds(name: str, seconds: float) -> None:
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    # Written so that NaN is refused too.
    if not (number and _MIN_SECONDS <= seconds <= _MAX_SECONDS):
        raise InvalidArgumentError(f"{name} is {_shown(seconds)}: give seconds, from {_MIN_SECONDS} to {_MAX_SECONDS}")


def _is_whole(number: int) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def _shown(given: object) -> str:
    try:
        return repr(given)[:40]
    except ValueError:  # Python writes no integer of thousands of digits
        return "of thousands of digits"
