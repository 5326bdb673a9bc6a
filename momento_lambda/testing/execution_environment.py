"""One execution environment, from its INIT to its end: a process, and the Runtime API that it talks to."""

import json
import os
import secrets
import tempfile
import threading
import time
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from momento_lambda.testing import moving_clock
from momento_lambda.testing.errors import (
    FunctionExitError,
    FunctionInitError,
    FunctionResponseError,
    FunctionRestoreError,
    FunctionTimeoutError,
    LocalLambdaError,
)
from momento_lambda.testing.function_configuration import FunctionConfiguration
from momento_lambda.testing.function_process import Exited, FunctionProcess
from momento_lambda.testing.function_variables import function_variables
from momento_lambda.testing.invocation import EXITED, TIMED_OUT, Failure, Invocation
from momento_lambda.testing.moving_clock import MovingClock
from momento_lambda.testing.reports import (
    Checkpointed,
    Failed,
    InitFailed,
    Ledger,
    Polled,
    Responded,
    RestoreFailed,
)
from momento_lambda.testing.runtime_api import Event, RuntimeApi
from momento_lambda.testing.runtime_packages import CLIENT, RuntimePackages
from momento_lambda.testing.sandbox import Sandbox

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class _Start(NamedTuple):
    """How an environment came to serve its first event."""

    init_duration_ms: float | None = None
    restore_duration_ms: float | None = None


class ExecutionEnvironment:
    """One environment: a context manager that is up while it is open.

    A SnapStart function is stopped when it has come up, and restored by the first thaw.

    Attributes:
        over: Why it takes no more events; empty while it does.

    Args:
        function: What runs in it.
        packages: The runtime's own packages.
    """

    def __init__(self, function: FunctionConfiguration, packages: RuntimePackages) -> None:
        self.over = "it did not come up"
        self._function = function
        self._packages = packages
        self._ledger = Ledger(function.processes)
        self._lock = threading.Lock()
        self._frozen = False
        self._restored = not function.snap_start
        self._start: _Start | None = None
        self._clock: MovingClock | None = None
        self._closing = ExitStack()
        self._process: FunctionProcess | None = None

    @property
    def log(self) -> str:
        """All that the function has written so far."""
        return self._process.log if self._process else ""

    def __enter__(self) -> "Self":
        with ExitStack() as opening:
            root = Path(opening.enter_context(tempfile.TemporaryDirectory(prefix="momento-lambda-")))
            sandbox = Sandbox(root, self._packages, task_root=self._function.task_root, layers=self._function.layers)
            if self._function.movable_clock:
                self._clock = MovingClock(str(sandbox.clock))
            self._api = opening.enter_context(RuntimeApi(self._ledger.enter))
            started = time.perf_counter()
            self._process = opening.enter_context(self._function_process(sandbox))
            self._come_up(started)
            self._closing = opening.pop_all()
        self.over = ""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self.over = "it was closed"
        self._closing.close()

    def freeze(self) -> None:
        """Stop every process, as soon as all of them wait for an event; do nothing where they stand still already.

        Raises:
            LocalLambdaError: They did not come to wait within the function's timeout.
        """
        with self._lock:
            if self._frozen:
                return
            if self._ledger.await_idle(self._function.timeout) is None:
                raise LocalLambdaError(
                    f"{self._function.handler} cannot be frozen: it is still at work after "
                    f"{self._function.timeout:g} s",
                    log=self.log,
                )
            self._running.freeze()
            self._frozen = True

    def thaw(self, milliseconds: int = 0, *, monotonic: bool = True) -> None:
        """Let the processes go on, with their clocks moved on, and restore what is a snapshot.

        Raises:
            FunctionRestoreError: The function did not come back from its snapshot.
            LocalLambdaError: The function was started without a clock that moves.
        """
        with self._lock:
            if milliseconds:
                self._let_pass(milliseconds, monotonic=monotonic)
            if not self._frozen:
                return
            self._frozen = False
            if self._restored:
                self._running.thaw()
            else:
                self._restore()

    def invoke(self, body: bytes) -> Invocation:
        """Have the function handle an event, given as JSON.

        Raises:
            FunctionTimeoutError: It took longer than the function's timeout.
            FunctionExitError: The function's process ended.
            FunctionResponseError: It answered something other than JSON.
        """
        request_id = str(uuid.uuid4())
        start = self._take_start()
        offered = time.perf_counter()
        try:
            self._ledger.expect(request_id)
            self._api.offer(self._event(request_id, body))
            outcome = self._ledger.await_outcome(request_id, self._function.timeout)
        finally:
            self._ledger.drop(request_id)
        match outcome:
            case Responded():
                return self._invocation(request_id, start, outcome.seconds, payload=self._payload(outcome.body))
            case Failed():
                return self._invocation(request_id, start, outcome.seconds, error=outcome.error)
            case Exited():
                raise self._exited(request_id, start, outcome, time.perf_counter() - offered)
            case None:
                raise self._timed_out(request_id, start)

    @property
    def _running(self) -> FunctionProcess:
        assert self._process is not None, "an environment is entered before it is used"
        return self._process

    def _function_process(self, sandbox: Sandbox) -> FunctionProcess:
        variables = function_variables(sandbox, self._function, os.environ, api_address=self._api.address)
        client = [moving_clock.__file__, self._clock.file, CLIENT] if self._clock else ["-m", CLIENT]
        return FunctionProcess(
            # -S: no package that is installed for the interpreter or its user shows through.
            # -B: the folders of a function are read-only on Lambda, where no bytecode is kept.
            [str(self._function.python.absolute()), "-S", "-B", *client, self._function.handler],
            folder=sandbox.task_root,
            variables=variables,
            log_file=sandbox.log,
            report=self._ledger.enter,
        )

    def _come_up(self, started: float) -> None:
        seconds = self._function.init_timeout
        if self._function.snap_start:
            up: object = self._ledger.await_checkpoint(seconds)
            if not isinstance(up, Checkpointed):
                raise FunctionInitError(self._why_not("come up", up), log=self.log)
            self._running.freeze()
            self._frozen = True
            return
        up = self._ledger.await_idle(seconds)
        if not isinstance(up, Polled):
            raise FunctionInitError(self._why_not("come up", up), log=self.log)
        self._begin(_Start(init_duration_ms=(up.at - started) * 1000))

    def _restore(self) -> None:
        self._restored = True
        started = time.perf_counter()
        self._running.thaw()
        self._api.restore()
        up = self._ledger.await_idle(self._function.init_timeout)
        if not isinstance(up, Polled):
            self.over = "it did not come back from its snapshot"
            raise FunctionRestoreError(self._why_not("come back from its snapshot", up), log=self.log)
        self._begin(_Start(restore_duration_ms=(up.at - started) * 1000))

    def _begin(self, start: _Start) -> None:
        self._start = start
        # Should the process end before it is asked again, this is what is known.
        self._running.measure_memory()
        # What was written up to here belongs to no event.
        self._running.new_log()

    def _why_not(self, what: str, answer: object) -> str:
        match answer:
            case InitFailed(error) | RestoreFailed(error):
                return f"{self._function.handler} did not {what}: {error}"
            case Exited():
                return f"{self._function.handler} ended with {answer} before it asked for an event"
            case _:
                return f"{self._function.handler} did not {what} within {self._function.init_timeout:g} s"

    def _let_pass(self, milliseconds: int, *, monotonic: bool) -> None:
        if self._clock is None:
            raise LocalLambdaError(
                f"the clock of {self._function.handler} does not move: give movable_clock=True to its LocalLambda"
            )
        self._clock.advance(milliseconds, monotonic=monotonic)

    def _take_start(self) -> _Start | None:
        with self._lock:
            start, self._start = self._start, None
        return start

    def _event(self, request_id: str, body: bytes) -> Event:
        # On the clock of the function, which is the one that it looks at to know how long it has.
        now = time.time() + (self._clock.wall_ahead if self._clock else 0)
        return Event(
            request_id=request_id,
            body=body,
            deadline_ms=int((now + self._function.timeout) * 1000),
            function_arn=self._function.arn,
            trace_id=f"Root=1-{int(now):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0",
        )

    def _invocation(
        self,
        request_id: str,
        start: _Start | None,
        seconds: float,
        *,
        payload: Any = None,
        error: Failure | None = None,
    ) -> Invocation:
        durations = start or _Start()
        return Invocation(
            request_id=request_id,
            payload=payload,
            error=error,
            duration_ms=seconds * 1000,
            cold=start is not None,
            init_duration_ms=durations.init_duration_ms,
            restore_duration_ms=durations.restore_duration_ms,
            memory_size=self._function.memory_size,
            max_memory_used=self._running.measure_memory(),
            log=self._running.new_log(),
        )

    def _payload(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except ValueError as error:
            raise FunctionResponseError(
                f"{self._function.handler} answered {len(body)} bytes that are not JSON ({error}): return what JSON "
                "can carry, not bytes"
            ) from error

    def _exited(self, request_id: str, start: _Start | None, exited: Exited, seconds: float) -> FunctionExitError:
        self.over = f"its process ended with {exited}"
        error = Failure(EXITED, f"RequestId: {request_id} Error: Runtime exited with error: {exited}")
        return FunctionExitError(
            f"{self._function.handler} ended with {exited} on {request_id}",
            log=self.log,
            invocation=self._invocation(request_id, start, seconds, error=error),
        )

    def _timed_out(self, request_id: str, start: _Start | None) -> FunctionTimeoutError:
        seconds = self._function.timeout
        self.over = f"an invocation outlived its timeout of {seconds:g} s"
        error = Failure(TIMED_OUT, f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds")
        invocation = self._invocation(request_id, start, seconds, error=error)
        self._running.kill()
        return FunctionTimeoutError(
            f"{self._function.handler} took longer than its timeout of {seconds:g} s",
            log=self.log,
            invocation=invocation,
        )
