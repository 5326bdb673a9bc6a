"""What a local Lambda can fail with.

    LocalLambdaError                 the root: the environment could not do what was asked
    ├── LocalLambdaUnavailableError    the interpreter has no Lambda runtime client
    ├── FunctionInitError              the function did not come up
    ├── FunctionRestoreError           it did not come back from its snapshot
    ├── FunctionGoneError              its process is gone, and the event that it had
    │   ├── FunctionExitError            it ended while it should have served
    │   └── FunctionTimeoutError         an invocation outlived its timeout (also a TimeoutError)
    └── FunctionResponseError          it answered something other than JSON

An exception raised by the handler is none of these: Lambda hands that to the caller as the outcome of the
invocation, and so does ``Invocation.error``.
"""

from momento_lambda.testing.invocation import Invocation

_LOG_TAIL_LINES = 30


class LocalLambdaError(RuntimeError):
    """The execution environment could not do what was asked of it.

    Attributes:
        message: What was wrong, without the log.

    Args:
        message: What was wrong.
        log: What the function has written, whose end is shown; None where it does not matter.
    """

    def __init__(self, message: str, *, log: str | None = None) -> None:
        super().__init__(message if log is None else f"{message}. {_tail(log)}")
        self.message = message


class LocalLambdaUnavailableError(LocalLambdaError):
    """The interpreter has no Lambda runtime client to run a function with."""


class FunctionInitError(LocalLambdaError):
    """The function did not come up: its module failed, its process ended, or it took too long."""


class FunctionRestoreError(LocalLambdaError):
    """The function did not come back from its snapshot: a hook failed, its process ended, or it took too long."""


class FunctionGoneError(LocalLambdaError):
    """The function's process is gone, and with it the event that it had.

    Attributes:
        invocation: What Lambda's caller gets to see of it, and what its log reports.
    """

    def __init__(self, message: str, *, log: str, invocation: Invocation) -> None:
        super().__init__(message, log=log)
        self.invocation = invocation


class FunctionExitError(FunctionGoneError):
    """The function's process ended while it should have served an event."""


class FunctionTimeoutError(FunctionGoneError, TimeoutError):
    """The function took longer than its timeout, and was killed as Lambda would."""


class FunctionResponseError(LocalLambdaError):
    """The function answered something other than JSON."""


def _tail(log: str) -> str:
    lines = log.splitlines()[-_LOG_TAIL_LINES:]
    return "The end of its log:\n" + "\n".join(f"    {line}" for line in lines) if lines else "Its log is empty"
