"""The second argument of a handler, without a Lambda around it."""

import time
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import final

from momento_lambda.testing.function_configuration import DEFAULT_REGION


@final
class LambdaContext:
    """What a handler gets as its context: the attributes and methods of the real one, with values made up.

    Args:
        timeout: Seconds that the invocation has, from now on.
        function_name: The name that the function goes by.
        memory_size: In MB.
        clock: Seconds, monotonic: what the time that is left is counted on.

    Example::

        answer = handler({"id": "42"}, LambdaContext(timeout=3))
    """

    def __init__(
        self,
        *,
        timeout: float = 30.0,
        function_name: str = "function",
        memory_size: int = 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self.function_name = function_name
        self.function_version = "$LATEST"
        self.invoked_function_arn = f"arn:aws:lambda:{DEFAULT_REGION}:123456789012:function:{function_name}"
        # Text, as in the real one, which reads it from the environment.
        self.memory_limit_in_mb = str(memory_size)
        self.log_group_name = f"/aws/lambda/{function_name}"
        self.log_stream_name = f"2026/01/01/[$LATEST]{uuid.uuid4().hex}"
        self.tenant_id: str | None = None
        self.client_context: object = None
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._clock = clock
        self._deadline = clock() + timeout

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation has left, and never less than 0."""
        return max(0, int((self._deadline - self._clock()) * 1000))

    def log(self, msg: object) -> None:
        """Write to the function's log."""
        print(msg, end="")  # noqa: T201  # the output of a function is its log

    def w3c(self) -> dict[str, str]:
        """Return the fields of a trace that the caller passed on: none."""
        return {}
