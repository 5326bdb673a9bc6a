"""What a function is configured with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT_REGION = "us-east-1"

RESERVED_VARIABLES = frozenset(
    {
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "PYTHONPATH",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)
"""The environment variables that a function is given and cannot choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfiguration:
    """A function and where it runs: what ``LocalLambda`` was told.

    Raises:
        ValueError: What Lambda does not have: a managed instance of a SnapStart function, or one without a process; a
            variable that it reserves.
    """

    handler: str
    task_root: Path
    layers: Sequence[Path]
    environment: Mapping[str, str]
    timeout: float
    init_timeout: float
    memory_size: int
    function_name: str
    python: Path
    snap_start: bool
    max_concurrency: int | None
    movable_clock: bool

    def __post_init__(self) -> None:
        if self.max_concurrency is not None and self.max_concurrency < 1:
            raise ValueError(f"max_concurrency is {self.max_concurrency}: at least one process has to take events")
        if self.max_concurrency is not None and self.snap_start:
            raise ValueError("managed instances have no SnapStart: give snap_start or max_concurrency, not both")
        if refused := sorted(RESERVED_VARIABLES & self.environment.keys()):
            raise ValueError(f"Lambda sets {', '.join(refused)} itself: leave it out of the function's environment")

    @property
    def processes(self) -> int:
        """How many processes take events."""
        return self.max_concurrency or 1

    @property
    def arn(self) -> str:
        """What the function is called by, in a region and an account."""
        region = self.environment.get("AWS_REGION", DEFAULT_REGION)
        return f"arn:aws:lambda:{region}:123456789012:function:{self.function_name}"
