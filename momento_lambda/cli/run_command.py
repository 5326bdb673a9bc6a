"""`momento-lambda run`: a function in a local Lambda, from its INIT to its REPORT lines."""

import json
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated, Any, Final

import typer

from momento_lambda.cli.durations import milliseconds
from momento_lambda.cli.token_source import STANDARD_INPUT
from momento_lambda.testing.errors import FunctionGoneError, LocalLambdaError
from momento_lambda.testing.interruption import interrupted_once
from momento_lambda.testing.invocation import Invocation
from momento_lambda.testing.local_lambda import LocalLambda

_FAILED: Final = 1


def run(
    handler: Annotated[str, typer.Argument(metavar="MODULE.FUNCTION", help="The handler, as Lambda is told it.")],
    *,
    event: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The JSON event, or - for standard input.", show_default="{}"),
    ] = None,
    task_root: Annotated[
        Path, typer.Option(metavar="DIR", help="The function's folder.", exists=True, file_okay=False)
    ] = Path(),
    layer: Annotated[
        list[Path] | None,
        typer.Option(metavar="ZIP_OR_DIR", help="A layer; a later one lies over an earlier one.", exists=True),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A variable of the function; none of yours is passed on."),
    ] = None,
    timeout: Annotated[str, typer.Option(metavar="DURATION", help="How long an invocation may take.")] = "3s",
    memory: Annotated[int, typer.Option(metavar="MB", min=128, max=10_240, help="Its memory size.")] = 1024,
    invocations: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="How many events.", show_default="one for each at once")
    ] = None,
    freeze: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Freeze it between events, for so long on its own clocks."),
    ] = None,
    snapstart: Annotated[bool, typer.Option("--snapstart", help="Restore it from a snapshot, with its hooks.")] = False,
    concurrency: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many events at once, in as many environments.")
    ] = 1,
    managed_instance: Annotated[
        bool, typer.Option("--managed-instance", help="In one environment instead, of as many processes.")
    ] = False,
    python: Annotated[
        Path | None,
        typer.Option(help="The interpreter, with awslambdaric.", show_default="this one", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Run a Python function as Lambda does, on this machine, on its own runtime client and without Docker.

    What a handler returns goes to standard output as a line of JSON; its log, with the REPORT lines, goes to standard
    error. Exits with 1 when an invocation failed.
    """
    if "." not in handler:
        raise typer.BadParameter(f"{handler!r} is no handler: give module.function")
    make = partial(
        LocalLambda,
        handler,
        task_root=task_root,
        layers=layer or (),
        environment=_variables(env or ()),
        timeout=milliseconds(timeout) / 1000,
        memory_size=memory,
        python=python,
        snap_start=snapstart,
        max_concurrency=concurrency if managed_instance else None,
        movable_clock=freeze is not None,
    )
    try:
        functions = [make() for _ in range(1 if managed_instance else concurrency)]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    run_of_events = _Run(functions, concurrency, None if freeze is None else milliseconds(freeze) / 1000)
    try:
        with interrupted_once():
            run_of_events.play(_event(event), invocations or concurrency)
    except LocalLambdaError as error:
        _complain(error.message)
        raise typer.Exit(_FAILED) from error
    if run_of_events.failures:
        raise typer.Exit(_FAILED)


def _variables(settings: Iterable[str]) -> dict[str, str]:
    variables = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{setting!r} is no variable: give NAME=VALUE")
        variables[name] = value
    return variables


def _event(file: Path | None) -> Any:
    if file is None:
        return {}
    try:
        return json.loads(sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"the event in {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise typer.BadParameter(f"the event in {file} is not JSON: {error}") from error


class _Run:
    """Events in rounds, so many at once, and what is printed of them.

    Attributes:
        failures: How many of them failed.

    Args:
        functions: The environments, not entered.
        at_once: How many events a round has, over all environments.
        pause: Seconds that the functions believe to be frozen between two rounds; None for no freeze.
    """

    def __init__(self, functions: Sequence[LocalLambda], at_once: int, pause: float | None) -> None:
        self.failures = 0
        self._functions = functions
        self._at_once = at_once
        self._pause = pause
        self._shown: dict[LocalLambda, int] = {}

    def play(self, event: object, events: int) -> None:
        """Have the functions handle an event so many times.

        Raises:
            LocalLambdaError: A function did not come up, or did not come to rest.
        """
        with ExitStack() as running:
            for begun in range(0, events, self._at_once):
                if begun and self._pause is not None:
                    self._freeze(self._pause)
                self._start(running)
                places = islice(cycle(self._functions), min(self._at_once, events - begun))
                under_way = [(function, _begin(event, function)) for function in places]
                for function, outcome in under_way:
                    self._show(function, outcome.get())

    def _start(self, running: ExitStack) -> None:
        for function in self._functions:
            # As Lambda does after a timeout or a crash: the next event gets a new environment.
            if not function.running:
                self._shown[function] = 0
                try:
                    running.enter_context(function)
                finally:
                    self._show_log(function)

    def _freeze(self, seconds: float) -> None:
        for function in self._functions:
            if function.running:
                with function.frozen(seconds):
                    pass

    def _show(self, function: LocalLambda, outcome: Invocation | Exception) -> None:
        if isinstance(outcome, FunctionGoneError):
            outcome = outcome.invocation
        if isinstance(outcome, LocalLambdaError):
            self._show_log(function)
            self._fail(outcome.message)
            return
        if isinstance(outcome, Exception):
            raise outcome
        typer.echo(outcome.start_line, err=True)
        self._show_log(function)
        typer.echo(f"{outcome.end_line}\n{outcome.report_line}", err=True)
        if outcome.error is not None:
            self._fail(str(outcome.error))
            return
        typer.echo(json.dumps(outcome.payload))

    def _show_log(self, function: LocalLambda) -> None:
        log = function.log
        new = log[self._shown[function] :]
        self._shown[function] = len(log)
        if new:
            # Within one message, the runtime client ends lines so; on a terminal they would overwrite each other.
            typer.echo(new.replace("\r", "\n").removesuffix("\n"), err=True)

    def _fail(self, message: str) -> None:
        self.failures += 1
        _complain(message)


def _begin(event: object, function: LocalLambda) -> SimpleQueue[Invocation | Exception]:
    """Invoke a function in the background, and return what its outcome comes from."""
    outcome: SimpleQueue[Invocation | Exception] = SimpleQueue()

    def invoke() -> None:
        try:
            outcome.put(function.invoke(event))
        except Exception as error:  # noqa: BLE001  # who waits raises it
            outcome.put(error)

    # A daemon: where Ctrl-C ends the waiting for it, its function ends, and so does it.
    threading.Thread(target=invoke, daemon=True).start()
    return outcome


def _complain(message: str) -> None:
    typer.echo(f"momento-lambda: {' '.join(message.split())}", err=True)
