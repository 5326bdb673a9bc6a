"""What a local Lambda can fail with.

    LocalLambdaError                 the root: the environment could not do what was asked
    ├── LocalLambdaUnavailableError    the interpreter has no Lambda runtime client
    ├── FunctionInitError              the function did not come up
    ├── FunctionExitError              its process ended while it should have served
    ├── FunctionTimeoutError           an invocation outlived its timeout (also a TimeoutError)
    └── FunctionResponseError          it answered something other than JSON

An exception raised by the handler is none of these: Lambda hands that to the caller as the outcome of the
invocation, and so does ``Invocation.error``.
"""


class LocalLambdaError(RuntimeError):
    """The execution environment could not do what was asked of it."""


class LocalLambdaUnavailableError(LocalLambdaError):
    """The interpreter has no Lambda runtime client to run a function with."""


class FunctionInitError(LocalLambdaError):
    """The function did not come up: its module failed, its process ended, or it took too long."""


class FunctionExitError(LocalLambdaError):
    """The function's process ended while it should have served an event."""


class FunctionTimeoutError(LocalLambdaError, TimeoutError):
    """The function took longer than its timeout, and was killed as Lambda would."""


class FunctionResponseError(LocalLambdaError):
    """The function answered something other than JSON."""
