"""What a function is configured with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfiguration:
    """A function and where it runs: what ``LocalLambda`` was told.

    Raises:
        ValueError: What Lambda does not have: a managed instance of a SnapStart function, or one without a process.
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

    @property
    def processes(self) -> int:
        """How many processes take events."""
        return self.max_concurrency or 1

    @property
    def arn(self) -> str:
        """What the function is called by, in a region and an account."""
        region = self.environment.get("AWS_REGION", DEFAULT_REGION)
        return f"arn:aws:lambda:{region}:123456789012:function:{self.function_name}"
