"""Functions that do not come up, do not come back, or are left behind."""

import os
import select
import signal
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from momento_lambda.testing import (
    FunctionExitError,
    FunctionInitError,
    FunctionTimeoutError,
    LocalLambda,
    LocalLambdaError,
    LocalLambdaUnavailableError,
    local_lambda_available,
)

Make = Callable[..., LocalLambda]

PID = "import os\ndef handler(event, context): return os.getpid()"
STUCK = "import threading\ndef handler(event, context): print('waiting'); threading.Event().wait()"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that all temporary files go to."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def is_alive(pid: int) -> bool:
    """Say whether a process exists, be it as one that nobody has reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("import no_such_module", r"Runtime\.ImportModuleError: .*No module named 'no_such_module'"),
        ("def other(event, context): pass", r"Runtime\.HandlerNotFound: Handler 'handler' missing on module 'app'"),
        ("def handler(", r"Runtime\.UserCodeSyntaxError: "),
        ("raise ValueError('bad setting')", r"ValueError: bad setting"),
        ("import os; os._exit(3)", r"app\.handler ended with exit status 3 before it asked for an event"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", r"ended with signal 11 \(Segmentation fault\)"),
    ],
)
def test_a_function_that_does_not_come_up_says_why(function: Make, temporary: Path, source: str, named: str) -> None:
    """The error names the cause, and nothing is left of the attempt."""
    with (
        pytest.raises(FunctionInitError, match=named),
        function(source),
    ):
        pytest.fail("it came up")
    assert [] == list(temporary.iterdir())


def test_the_log_of_a_function_that_does_not_come_up_is_in_the_error(function: Make) -> None:
    """What it wrote is at hand in the message, and still in its log."""
    broken = function("print('up to here')\nraise ValueError('bad setting')")
    with pytest.raises(FunctionInitError, match=r"(?s)The end of its log:\n    up to here\n.*ValueError"), broken:
        pytest.fail("it came up")
    assert broken.log.startswith("up to here\n")


def test_coming_up_has_a_time_limit(function: Make, temporary: Path) -> None:
    """A module that never finishes its import is given up."""
    with (
        pytest.raises(FunctionInitError, match=r"app\.handler did not come up within 0\.5 s"),
        function("import threading; threading.Event().wait()", init_timeout=0.5),
    ):
        pytest.fail("it came up")
    assert [] == list(temporary.iterdir())


def test_a_process_that_ends_is_an_error_with_its_log(function: Make) -> None:
    """The exit status and what the function wrote last are in the message; later events are refused."""
    source = "import os\ndef handler(event, context): print('last words', flush=True); os._exit(7)"
    with function(source) as dying:
        with pytest.raises(FunctionExitError, match=r"(?s)ended with exit status 7 on .*last words"):
            dying.invoke({})
        with pytest.raises(LocalLambdaError, match=r"takes no event: its process ended with exit status 7"):
            dying.invoke({})


def test_a_process_that_ends_between_two_events_is_noticed(function: Make) -> None:
    """The next event finds out, without waiting for its timeout."""
    with function(PID) as function_alone:
        os.kill(function_alone.invoke({}).payload, signal.SIGKILL)
        with pytest.raises(FunctionExitError, match=r"ended with signal 9"):
            function_alone.invoke({})


def test_an_invocation_that_outlives_its_timeout_is_killed(function: Make) -> None:
    """The error comes at the timeout, names it and holds the log; later events are refused."""
    with function(STUCK, timeout=0.5) as stuck:
        started = time.monotonic()
        with pytest.raises(FunctionTimeoutError, match=r"(?s)took longer than its timeout of 0\.5 s.*waiting"):
            stuck.invoke({})
        assert 0.5 <= time.monotonic() - started < 5
        with pytest.raises(LocalLambdaError, match="outlived its timeout"):
            stuck.invoke({})


def test_a_left_environment_takes_no_event(function: Make) -> None:
    """The error says that it is over and what to do."""
    with function(PID) as left:
        pass
    with pytest.raises(LocalLambdaError, match=r"it was closed\. Enter a new LocalLambda"):
        left.invoke({})


def test_an_environment_that_was_not_entered_has_nothing(function: Make) -> None:
    """No log yet, and no event is taken."""
    unused = function(PID)
    assert "" == unused.log
    with pytest.raises(LocalLambdaError, match="it was not entered"):
        unused.invoke({})


def test_an_environment_in_use_cannot_be_entered(function: Make) -> None:
    """It would lose sight of its first process."""
    with function(PID) as used, pytest.raises(LocalLambdaError, match="is in use"), used:
        pytest.fail("it was entered twice")


def test_leaving_takes_the_process_and_the_folders_along(function: Make, temporary: Path) -> None:
    """The process is ended and reaped, and every temporary folder is gone."""
    with function(PID) as tidy:
        pid = tidy.invoke({}).payload
        assert is_alive(pid)
        assert [] != list(temporary.iterdir())
    assert not is_alive(pid)
    assert [] == list(temporary.iterdir())


def test_leaving_in_a_hurry_is_no_different(function: Make, temporary: Path) -> None:
    """Ctrl-C while the function works ends it and clears up."""
    source = """
    import os, signal, threading

    def handler(event, context):
        print(os.getpid())
        os.kill(os.getppid(), signal.SIGINT)
        threading.Event().wait()
    """
    interrupted = function(source)
    with pytest.raises(KeyboardInterrupt), interrupted:
        interrupted.invoke({})
    assert not is_alive(int(interrupted.log))
    assert [] == list(temporary.iterdir())


def test_an_interrupted_invocation_does_not_answer_the_next(function: Make) -> None:
    """The outcome of an event whose caller gave up is dropped."""
    source = """
    import os, signal

    def handler(event, context):
        if event == "interrupt":
            os.kill(os.getppid(), signal.SIGINT)
        return event
    """
    with function(source) as interrupted:
        with pytest.raises(KeyboardInterrupt):
            interrupted.invoke("interrupt")
        assert "next" == interrupted.invoke("next").payload


def test_a_terminal_cannot_interrupt_the_function(function: Make) -> None:
    """Its process has a session of its own, which the Ctrl-C of ours does not reach."""
    with function("import os\ndef handler(event, context): return os.getsid(0) == os.getpid()") as apart:
        assert apart.invoke({}).payload is True


def test_children_of_the_function_end_with_it(function: Make, tmp_path: Path) -> None:
    """A process that the handler started and forgot does not outlive the environment."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    source = """
    import os, subprocess, sys

    def handler(event, context):
        with open(event, "w") as pipe:
            subprocess.Popen([sys.executable, "-c", "print('up', flush=True); input()"],
                             stdin=os.pipe()[0], stdout=pipe)
    """
    try:
        with function(source) as parent:
            parent.invoke(str(pipe))
            assert_readable(reader)
            assert b"up\n" == os.read(reader, 100)
        # The end of the file: nobody is left to write to it.
        assert_readable(reader)
        assert b"" == os.read(reader, 100)
    finally:
        os.close(reader)


def assert_readable(descriptor: int) -> None:
    """Wait until there is something to read, or the end."""
    assert [descriptor] == select.select([descriptor], [], [], 10)[0]


def test_an_interpreter_without_the_runtime_client_is_named(tmp_path: Path) -> None:
    """The error says which package is missing where, and how to ask beforehand."""
    venv.create(tmp_path / "bare", with_pip=False)
    bare = tmp_path / "bare" / "bin" / "python"
    assert not local_lambda_available(bare)
    with (
        pytest.raises(LocalLambdaUnavailableError, match=r"bare.*package awslambdaric is not installed"),
        LocalLambda("app.handler", task_root=tmp_path, python=bare),
    ):
        pytest.fail("it was entered")
