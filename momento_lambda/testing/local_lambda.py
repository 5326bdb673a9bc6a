"""AWS Lambda in small: one execution environment on this machine, without Docker.

The function runs in a process of its own, on the runtime client that AWS runs it on, and sees only what it would
see on Lambda: its own folder, its layers, the standard library and the runtime's packages.
"""

import json
import os
import secrets
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from momento_lambda.testing.errors import (
    FunctionExitError,
    FunctionInitError,
    FunctionResponseError,
    FunctionTimeoutError,
    LocalLambdaError,
    LocalLambdaUnavailableError,
)
from momento_lambda.testing.function_process import Exited, FunctionProcess
from momento_lambda.testing.function_variables import DEFAULT_REGION, function_variables
from momento_lambda.testing.invocation import Invocation
from momento_lambda.testing.runtime_api import (
    Event,
    Failed,
    InitFailed,
    Polled,
    Report,
    Responded,
    RuntimeApi,
)
from momento_lambda.testing.runtime_packages import CLIENT, RuntimePackages, runtime_packages
from momento_lambda.testing.sandbox import Sandbox

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_LOG_TAIL_LINES = 30


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
        layers: Folders that layers were unpacked into; together they play ``/opt``.
        environment: The function's own environment variables. The caller's are not inherited.
        timeout: Seconds that an invocation may take.
        init_timeout: Seconds that coming up may take; Lambda gives 10.
        memory_size: In MB. The function is told so; nothing enforces it.
        function_name: The name that the function goes by.
        python: The interpreter to run it on, this one by default. It needs ``awslambdaric``.

    Raises:
        LocalLambdaUnavailableError: The interpreter has no Lambda runtime client (which exists for Linux alone).
        FunctionInitError: The function did not come up.

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
    ) -> None:
        self._handler = handler
        self._task_root = task_root
        self._layers = layers
        self._environment = dict(environment or {})
        self._timeout = timeout
        self._init_timeout = init_timeout
        self._memory_size = memory_size
        self._function_name = function_name
        self._python = python or Path(sys.executable)
        self._one_at_a_time = threading.Lock()
        self._closing = ExitStack()
        self._over = "it was not entered"
        self._process: FunctionProcess | None = None

    @property
    def log(self) -> str:
        """All that the function has written so far, to its output and its error output."""
        return self._process.log if self._process else ""

    def __enter__(self) -> "Self":
        if not self._over:
            raise LocalLambdaError("This execution environment is in use: leave it before entering it anew")
        packages = runtime_packages(self._python)
        if isinstance(packages, str):
            raise LocalLambdaUnavailableError(
                f"{self._python} cannot run a function: {packages}. Install {CLIENT} for it (on Linux: it has "
                "no wheel for other systems), or ask local_lambda_available() first"
            )
        # After a timeout, say, one that is over may be entered anew before it was left.
        self._closing.close()
        self._reports: SimpleQueue[Report | Exited] = SimpleQueue()
        with ExitStack() as opening:
            root = Path(opening.enter_context(tempfile.TemporaryDirectory(prefix="momento-lambda-")))
            sandbox = Sandbox(root, packages, task_root=self._task_root, layers=self._layers)
            self._api = opening.enter_context(RuntimeApi(self._reports.put))
            started = time.perf_counter()
            self._process = opening.enter_context(self._function_process(sandbox))
            self._init_duration_ms: float | None = (self._ready_at() - started) * 1000
            self._closing = opening.pop_all()
        self._over = ""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self._over = "it was closed"
        self._closing.close()

    def invoke(self, event: Any) -> Invocation:
        """Have the function handle an event, after those that other threads have it handle.

        Args:
            event: Anything that JSON can carry.

        Returns:
            What the handler returned, or raised.

        Raises:
            FunctionTimeoutError: It took longer than the function's timeout.
            FunctionExitError: The function's process ended.
            FunctionResponseError: It answered something other than JSON.
            LocalLambdaError: An earlier failure, or leaving the context, ended this environment.
        """
        body = json.dumps(event).encode()
        with self._one_at_a_time:
            if self._over:
                raise LocalLambdaError(
                    f"This execution environment takes no event: {self._over}. Enter a new LocalLambda"
                )
            init_duration_ms, self._init_duration_ms = self._init_duration_ms, None
            request_id = str(uuid.uuid4())
            self._api.offer(self._event(request_id, body))
            outcome = self._outcome(request_id)
        return Invocation(
            request_id=request_id,
            payload=self._payload(outcome.body) if isinstance(outcome, Responded) else None,
            error=outcome.error if isinstance(outcome, Failed) else None,
            duration_ms=outcome.seconds * 1000,
            cold=init_duration_ms is not None,
            init_duration_ms=init_duration_ms,
        )

    def _function_process(self, sandbox: Sandbox) -> FunctionProcess:
        variables = function_variables(
            sandbox,
            self._environment,
            os.environ,
            handler=self._handler,
            function_name=self._function_name,
            memory_size=self._memory_size,
            api_address=self._api.address,
        )
        return FunctionProcess(
            # -S: no package that is installed for the interpreter or its user shows through.
            # -B: the folders of a function are read-only on Lambda, where no bytecode is kept.
            [str(self._python.absolute()), "-S", "-B", "-m", CLIENT, self._handler],
            folder=sandbox.task_root,
            variables=variables,
            log_file=sandbox.log,
            report=self._reports.put,
        )

    def _event(self, request_id: str, body: bytes) -> Event:
        region = self._environment.get("AWS_REGION", DEFAULT_REGION)
        return Event(
            request_id=request_id,
            body=body,
            deadline_ms=int((time.time() + self._timeout) * 1000),
            function_arn=f"arn:aws:lambda:{region}:123456789012:function:{self._function_name}",
            trace_id=f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0",
        )

    def _ready_at(self) -> float:
        match self._next_report(time.monotonic() + self._init_timeout):
            case Polled(at):
                return at
            case InitFailed(error):
                raise FunctionInitError(self._with_log(f"{self._handler} did not come up: {error}"))
            case Exited() as exited:
                raise FunctionInitError(
                    self._with_log(f"{self._handler} ended with {exited} before it asked for an event")
                )
            case _:
                raise FunctionInitError(
                    self._with_log(f"{self._handler} did not come up within {self._init_timeout:g} s")
                )

    def _outcome(self, request_id: str) -> Responded | Failed:
        deadline = time.monotonic() + self._timeout
        while report := self._next_report(deadline):
            match report:
                # Others may be left over from an invocation whose caller was interrupted.
                case Responded() | Failed() if report.request_id == request_id:
                    return report
                case Exited():
                    self._over = f"its process ended with {report}"
                    raise FunctionExitError(self._with_log(f"{self._handler} ended with {report} on {request_id}"))
                case _:
                    continue
        self._over = f"an invocation outlived its timeout of {self._timeout:g} s"
        assert self._process is not None
        self._process.kill()
        raise FunctionTimeoutError(
            self._with_log(f"{self._handler} took longer than its timeout of {self._timeout:g} s")
        )

    def _next_report(self, deadline: float) -> Report | Exited | None:
        try:
            return self._reports.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            return None

    def _payload(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except ValueError as error:
            raise FunctionResponseError(
                f"{self._handler} answered {len(body)} bytes that are not JSON ({error}): return what JSON can "
                "carry, not bytes"
            ) from error

    def _with_log(self, message: str) -> str:
        lines = self.log.splitlines()
        tail = "\n".join(f"    {line}" for line in lines[-_LOG_TAIL_LINES:])
        return f"{message}. The end of its log:\n{tail}" if lines else f"{message}. Its log is empty"
