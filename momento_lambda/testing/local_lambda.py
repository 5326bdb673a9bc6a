"""AWS Lambda in small: one execution environment on this machine, without Docker.

The function runs in a process of its own, on the runtime client that AWS runs it on, and sees only what it would
see on Lambda: its own folder, its layers, the standard library and the runtime's packages.
"""

import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.testing.errors import LocalLambdaError, LocalLambdaUnavailableError
from momento_lambda.testing.execution_environment import ExecutionEnvironment
from momento_lambda.testing.function_configuration import FunctionConfiguration
from momento_lambda.testing.invocation import Invocation
from momento_lambda.testing.runtime_packages import CLIENT, RuntimePackages, runtime_packages
from momento_lambda.ttl import Ttl, duration_milliseconds

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


def local_lambda_available(python: Path | None = None) -> bool:
    """Say whether functions can run here: whether an interpreter has the Lambda runtime client."""
    return isinstance(runtime_packages(python or Path(sys.executable)), RuntimePackages)


class LocalLambda:
    """One execution environment: from entering the context to leaving it, one process serves all events.

    Entering it starts the function and returns when that is ready for its first event. Entering it again, once
    left, makes a new environment: the next event is a cold one.

    Args:
        handler: ``module.function``, as in a function's configuration.
        task_root: The function's folder, which plays ``/var/task``.
        layers: Zip archives of layers, or folders that they were unpacked into; together they play ``/opt``.
        environment: The function's own environment variables. The caller's are not inherited.
        timeout: Seconds that an invocation may take.
        init_timeout: Seconds that coming up may take, and a restore: Lambda gives 10 to each.
        memory_size: In MB. The function is told so; nothing enforces it.
        function_name: The name that the function goes by.
        python: The interpreter to run it on, this one by default. It needs ``awslambdaric``.
        snap_start: Snapshot the function when it has come up, and restore it for its first event, with its hooks. The
            snapshot is the stopped process itself, so it is restored once.
        max_concurrency: Be a managed instance, where so many processes serve events at once; None for an environment
            on demand, with one process, and one event at a time.
        movable_clock: Let ``thaw`` and ``frozen`` move what the function's ``time`` module tells.

    Raises:
        LocalLambdaUnavailableError: The interpreter has no Lambda runtime client (which exists for Linux alone).
        FunctionInitError: The function did not come up.
        ValueError: Options that exclude each other, or a variable that Lambda reserves.

    Example::

        with LocalLambda("app.handler", task_root=Path("src"), layers=[Path("build/layer")]) as function:
            cold = function.invoke({"id": "42"})
            warm = function.invoke({"id": "42"})
            print(cold.init_duration_ms, cold.duration_ms, warm.duration_ms, warm.payload)
    """

    def __init__(
        self,
        handler: str,
        *,
        task_root: Path,
        layers: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
        timeout: float = 30.0,
        init_timeout: float = 10.0,
        memory_size: int = 1024,
        function_name: str = "function",
        python: Path | None = None,
        snap_start: bool = False,
        max_concurrency: int | None = None,
        movable_clock: bool = False,
    ) -> None:
        self._function = FunctionConfiguration(
            handler=handler,
            task_root=task_root,
            layers=layers,
            environment=dict(environment or {}),
            timeout=timeout,
            init_timeout=init_timeout,
            memory_size=memory_size,
            function_name=function_name,
            python=python or Path(sys.executable),
            snap_start=snap_start,
            max_concurrency=max_concurrency,
            movable_clock=movable_clock,
        )
        processes = self._function.processes
        # A lock where it can be: Ctrl-C cannot come between its being taken and its block, as it can with a semaphore.
        self._free = threading.Lock() if processes == 1 else threading.Semaphore(processes)
        self._freezing = threading.Lock()
        self._closing = ExitStack()
        self._environment: ExecutionEnvironment | None = None

    @property
    def log(self) -> str:
        """All that the function has written so far, to its output and its error output."""
        return self._environment.log if self._environment else ""

    @property
    def running(self) -> bool:
        """Whether it takes events: it was entered and not left, and has not timed out or crashed since."""
        return self._environment is not None and not self._environment.over

    def __enter__(self) -> "Self":
        if self.running:
            raise LocalLambdaError("This execution environment is in use: leave it before entering it anew")
        packages = runtime_packages(self._function.python)
        if isinstance(packages, str):
            raise LocalLambdaUnavailableError(
                f"{self._function.python} cannot run a function: {packages}. Install {CLIENT} for it (on Linux: it "
                "has no wheel for other systems), or ask local_lambda_available() first"
            )
        # After a timeout, say, one that is over may be entered anew before it was left.
        self._closing.close()
        # Known before it is up: what it writes until then says why it is not.
        self._environment = ExecutionEnvironment(self._function, packages)
        self._closing.enter_context(self._environment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self._closing.close()

    def invoke(self, event: Any) -> Invocation:
        """Have the function handle an event, as soon as a process is free for it, thawed if it was frozen.

        Args:
            event: Anything that JSON can carry.

        Returns:
            What the handler returned, or raised.

        Raises:
            FunctionTimeoutError: It took longer than the function's timeout.
            FunctionExitError: The function's process ended.
            FunctionRestoreError: It did not come back from its snapshot.
            FunctionResponseError: It answered something other than JSON.
            LocalLambdaError: An earlier failure, or leaving the context, ended this environment.
        """
        body = json.dumps(event).encode()
        with self._free:
            environment = self._serving("takes no event")
            environment.thaw()
            return environment.invoke(body)

    def freeze(self) -> None:
        """Stop the function as Lambda does between two events, once it is done with those that it has.

        Its processes stand still, threads and all, until they are thawed.

        Raises:
            LocalLambdaError: It was still at work after its timeout, or this environment is over.
        """
        with self._alone():
            self._serving("cannot be frozen").freeze()

    def thaw(self, after: Ttl = 0, *, monotonic: bool = True) -> None:
        """Let a frozen function go on; the next event would do so too.

        Args:
            after: How long it shall believe that it was frozen, beyond the time that passed: seconds, a timedelta, or
                text such as "5m". It takes a movable clock.
            monotonic: Whether its monotonic clock went on meanwhile, as in a frozen process, or stood still, as in a
                machine that was paused.

        Raises:
            FunctionRestoreError: It did not come back from its snapshot.
            LocalLambdaError: It has no movable clock, or this environment is over.
            InvalidArgumentError: ``after`` is no duration, or one that goes back.
        """
        milliseconds = duration_milliseconds(after)
        if milliseconds < 0:
            raise InvalidArgumentError(f"a function cannot be frozen for {after!r}: time goes on, or stands still")
        self._serving("cannot be thawed").thaw(milliseconds, monotonic=monotonic)

    @contextmanager
    def frozen(self, duration: Ttl = 0, *, monotonic: bool = True) -> Iterator[None]:
        """Freeze the function for the length of a block, and thaw it after that; arguments as of ``thaw``.

        Example::

            with function.frozen("5m"):
                server.restart()
            function.invoke({})
        """
        self.freeze()
        try:
            yield
        finally:
            self.thaw(duration, monotonic=monotonic)

    def _serving(self, what_not: str) -> ExecutionEnvironment:
        over = self._environment.over if self._environment else "it was not entered"
        if self._environment is None or over:
            raise LocalLambdaError(f"This execution environment {what_not}: {over}. Enter a new LocalLambda")
        return self._environment

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Take the place of every event, so that none is at work."""
        # Two that take them one by one would wait for each other.
        with self._freezing, ExitStack() as taken:
            for _ in range(self._function.processes):
                taken.enter_context(self._free)
            yield
