"""`momento-lambda run`, on functions that know nothing of this project."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from momento_lambda.testing import local_lambda_available
from tests.left_out import NO_RUNTIME_CLIENT

Run = Callable[..., Any]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason=NO_RUNTIME_CLIENT)

ECHO = "def handler(event, context): return event"

COUNTER = """
print("at import")
calls = 0

def handler(event, context):
    global calls
    calls += 1
    print("call", calls)
    return calls
"""

REPORT = r"REPORT RequestId: [0-9a-f-]{36}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 1024 MB\t.*"


@pytest.fixture
def run_function(command: Run, tmp_path: Path) -> Run:
    """Write a module with a handler, and run it."""

    def invoke(source: str, *arguments: str, stdin: bytes = b"") -> Any:
        (tmp_path / "app.py").write_text(textwrap.dedent(source), encoding="utf-8")
        return command("run", "app.handler", "--task-root", str(tmp_path), *arguments, stdin=stdin)

    return invoke


def shape(errors: str) -> list[str]:
    """Return the lines of a log, without what differs from run to run."""
    return [re.sub(REPORT, "REPORT", re.sub(r"^(START|END) RequestId.*", r"\1", line)) for line in errors.splitlines()]


def test_a_function_is_invoked_once(run_function: Run) -> None:
    """Its response is on standard output, its log on standard error, and the event an empty object."""
    code, output, errors = run_function("print('at import')\ndef handler(event, context): print('in'); return event")
    assert (0, "{}\n") == (code, output)
    assert ["at import", "START", "in", "END", "REPORT"] == shape(errors)
    assert re.search(r"\tMax Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\n$", errors)


def test_the_event_is_read_from_a_file(run_function: Run, tmp_path: Path) -> None:
    """Whatever JSON can say."""
    (tmp_path / "event.json").write_text('{"name": "Zoë", "n": [1, null]}', encoding="utf-8")
    code, output, _ = run_function(ECHO, "--event", str(tmp_path / "event.json"))
    assert (0, {"name": "Zoë", "n": [1, None]}) == (code, json.loads(output))


def test_the_event_is_read_from_standard_input(run_function: Run) -> None:
    """So that it can come from a pipe."""
    code, output, _ = run_function(ECHO, "--event", "-", stdin='"☃"'.encode())
    assert (0, "☃") == (code, json.loads(output))


def test_one_environment_serves_all_invocations(run_function: Run) -> None:
    """One line of output each; the init is the first one's alone."""
    code, output, errors = run_function(COUNTER, "--invocations", "3")
    assert (0, "1\n2\n3\n") == (code, output)
    rounds = [line for call in (1, 2, 3) for line in ("START", f"call {call}", "END", "REPORT")]
    assert ["at import", *rounds] == shape(errors)
    assert 1 == errors.count("Init Duration")


def test_frozen_between_invocations(run_function: Run) -> None:
    """Five minutes pass for the function, twice, and for nobody else."""
    source = "import time\ndef handler(event, context): return [time.time() / 60, time.monotonic() / 60]"
    code, output, _ = run_function(source, "--invocations", "3", "--freeze", "300s")
    assert 0 == code
    first, second, third = map(json.loads, output.splitlines())
    assert [5, 5] == [round(after - before) for before, after in zip(first, second, strict=True)]
    assert [10, 10] == [round(after - before) for before, after in zip(first, third, strict=True)]


def test_restored_from_a_snapshot(run_function: Run) -> None:
    """Its hooks run, and the report has the restore in the place of the init."""
    source = """
    from snapshot_restore_py import register_after_restore, register_before_snapshot
    register_before_snapshot(print, "before", flush=True)
    register_after_restore(print, "after", flush=True)
    def handler(event, context): print("event")
    """
    code, output, errors = run_function(source, "--snapstart")
    assert (0, "null\n") == (code, output)
    assert ["before", "START", "after", "event", "END", "REPORT"] == shape(errors)
    assert "Init" not in errors
    assert re.search(r"\tRestore Duration: \d+\.\d\d ms\tBilled Restore Duration: \d+ ms\n$", errors)


def test_a_restore_that_fails(run_function: Run) -> None:
    """It is one line with the reason; the next event gets a new environment."""
    source = """
    from snapshot_restore_py import register_after_restore

    @register_after_restore
    def connect(): raise ConnectionError("no link")

    def handler(event, context): pass
    """
    code, output, errors = run_function(source, "--snapstart", "--invocations", "2")
    assert (1, "") == (code, output)
    line = "did not come back from its snapshot: Runtime.AfterRestoreError: ConnectionError: no link"
    assert 2 == errors.count(f"momento-lambda: app.handler {line}\n")


def test_several_environments_at_once(run_function: Run) -> None:
    """Each event has one of its own, with its own init."""
    source = "import os\ndef handler(event, context): return os.getpid()"
    code, output, errors = run_function(source, "--concurrency", "3", "--invocations", "5")
    pids = output.splitlines()
    assert (0, 5, 3) == (code, len(pids), len(set(pids)))
    assert pids[:2] == pids[3:]
    assert 3 == errors.count("Init Duration")


def test_as_many_invocations_as_at_once(run_function: Run) -> None:
    """Where nobody says how many, each has one."""
    assert (0, "{}\n{}\n") == run_function(ECHO, "--concurrency", "2")[:2]


def test_a_managed_instance_of_several_processes(run_function: Run, tmp_path: Path) -> None:
    """Two handlers that wait for each other can, and share an environment."""
    os.mkfifo(tmp_path / "pipe")
    source = """
    import os

    def handler(event, context):
        try:
            os.mkdir("first")
            mode = "r"
        except FileExistsError:
            mode = "w"
        # Opening one end of a pipe waits for the other.
        with open("pipe", mode):
            return os.getppid()
    """
    code, output, errors = run_function(source, "--concurrency", "2", "--managed-instance")
    assert 0 == code
    assert 1 == len(set(output.splitlines()))
    assert 2 == len(output.splitlines())
    assert 1 == errors.count("Init Duration")


def test_layers_and_variables(run_function: Run, tmp_path: Path) -> None:
    """A layer may be a zip or a folder, and variables are the function's own."""
    (tmp_path / "layer" / "python").mkdir(parents=True)
    (tmp_path / "layer" / "python" / "from_folder.py").write_text("ORIGIN = 'folder'")
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as layer:
        layer.writestr("python/from_zip.py", "ORIGIN = 'zip'")
    source = """
    import from_folder, from_zip, os
    def handler(event, context): return [from_folder.ORIGIN, from_zip.ORIGIN, os.environ["A"], os.environ["B"]]
    """
    layers = [option for name in ("layer", "layer.zip") for option in ("--layer", str(tmp_path / name))]
    code, output, _ = run_function(source, *layers, "--env", "A=1=2", "--env", "B=")
    assert (0, ["folder", "zip", "1=2", ""]) == (code, json.loads(output))


def test_memory_and_timeout_are_those_asked_for(run_function: Run) -> None:
    """The function is told both."""
    source = """
    def handler(event, context):
        return [context.memory_limit_in_mb, context.get_remaining_time_in_millis() > 59_000]
    """
    code, output, errors = run_function(source, "--memory", "512", "--timeout", "1m")
    assert (0, ["512", True]) == (code, json.loads(output))
    assert "\tMemory Size: 512 MB\t" in errors


def test_a_handler_that_raises(run_function: Run) -> None:
    """No response, type and message in one line at the end, exit code 1; the other events are handled all the same."""
    source = """
    calls = 0

    def handler(event, context):
        global calls
        calls += 1
        if calls == 2:
            raise ValueError("bad\\nsetting")
        return calls
    """
    code, output, errors = run_function(source, "--invocations", "3")
    assert (1, "1\n3\n") == (code, output)
    assert "\n[ERROR] ValueError: bad\nsetting\nTraceback (most recent call last):\n" in errors
    assert "\nmomento-lambda: ValueError: bad setting\n" in errors
    assert 3 == errors.count("REPORT")
    assert "\r" not in errors


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("os._exit(7)", "Status: error\tError Type: Runtime.ExitError", "Runtime.ExitError: .* exit status 7"),
        ("threading.Event().wait()", "Status: timeout", r"Sandbox.Timedout: .* timed out after 0.50 seconds"),
    ],
    ids=["crash", "timeout"],
)
def test_a_process_that_is_lost(run_function: Run, body: str, status: str, words: str) -> None:
    """Its log and its report are there, and the next event is a cold one."""
    source = f"import os, threading\ndef handler(event, context): print('last', flush=True); {body}"
    code, output, errors = run_function(source, "--timeout", "500ms", "--invocations", "2", "--freeze", "1m")
    assert (1, "") == (code, output)
    assert ["START", "last", "END", "REPORT"] == shape(errors)[:4]
    assert 2 == errors.count(status)
    assert 2 == errors.count("Init Duration")
    assert 2 == len(re.findall(rf"^momento-lambda: {words}$", errors, re.MULTILINE))


def test_a_function_that_does_not_come_up(run_function: Run) -> None:
    """What it wrote, the reason in one line, exit code 1."""
    code, output, errors = run_function("print('up to here')\nraise ValueError('bad setting')")
    assert (1, "") == (code, output)
    assert errors.startswith("up to here\n")
    assert errors.endswith("\nmomento-lambda: app.handler did not come up: ValueError: bad setting\n")


def test_an_answer_that_is_no_json(run_function: Run) -> None:
    """It is named, and the environment lives on."""
    code, output, errors = run_function("def handler(event, context): return b'\\xff'", "--invocations", "2")
    assert (1, "") == (code, output)
    assert 2 == errors.count("momento-lambda: app.handler answered 1 bytes that are not JSON")


def test_an_interpreter_without_the_runtime_client(run_function: Run, tmp_path: Path) -> None:
    """It is named, with the package."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    assert not local_lambda_available(bare)
    code, _, errors = run_function(ECHO, "--python", str(bare))
    assert 1 == code
    assert errors.startswith(f"momento-lambda: {bare} cannot run a function: package awslambdaric is not installed")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--event", "missing.json"), "the event in missing.json cannot be read: No such file"),
        (("--event", "-"), "the event in - is not JSON"),
        (("--env", "NAME"), "'NAME' is no variable: give NAME=VALUE"),
        (("--env", "_HANDLER=x.y"), "Lambda sets _HANDLER itself"),
        (("--layer", "missing.zip"), "'missing.zip' does not exist"),
        (("--timeout", "soon"), "'soon' is not a duration above 0"),
        (("--freeze", "0"), "'0' is not a duration above 0"),
        (("--invocations", "0"), "'--invocations'"),
        (("--concurrency", "0"), "'--concurrency'"),
        (("--memory", "1"), "'--memory'"),
        (("--snapstart", "--managed-instance"), "managed instances have no SnapStart"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage(failure: Run, arguments: tuple[str, ...], words: str) -> None:
    """One line on standard error that says what was wrong, exit code 2, and nothing is run."""
    code, line = failure("run", "app.handler", *arguments)
    assert 2 == code
    assert words in line


def test_a_handler_needs_a_module(failure: Run) -> None:
    """The form is said."""
    code, line = failure("run", "handler")
    assert (2, True) == (code, "'handler' is no handler: give module.function" in line)


def test_help(command: Run) -> None:
    """Every option is explained."""
    code, output, errors = command("run", "--help")
    assert (0, "") == (code, errors)
    for option in ("event", "invocations", "freeze", "snapstart", "concurrency", "layer", "env", "timeout", "memory"):
        assert f"\n  --{option} " in output


HELD = """
import os, threading

def handler(event, context):
    held = os.open("pipe", os.O_WRONLY)
    os.write(held, b".")
    threading.Event().wait()
"""


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        (signal.SIGINT, []),
        (signal.SIGINT, ["--concurrency", "2"]),
        (signal.SIGINT, ["--snapstart"]),
        (signal.SIGTERM, []),
        (signal.SIGTERM, ["--concurrency", "2"]),
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else " ".join(value),
)
def test_signals_leave_nothing_behind(tmp_path: Path, ending: signal.Signals, options: list[str]) -> None:
    """Exit code 130 on Ctrl-C, 143 on SIGTERM; the function's processes and the temporary folders are gone."""
    os.mkfifo(tmp_path / "pipe")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (tmp_path / "app.py").write_text(HELD)
    command = [sys.executable, "-m", "momento_lambda.cli.main", "run", "app.handler", *options, "--timeout", "1m"]
    running = subprocess.Popen(  # noqa: S603  # this interpreter, and this project's own module
        command,
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with running, (tmp_path / "pipe").open("rb") as reader:
        assert b"." == reader.read(1)
        assert [] != list(temporary.iterdir())
        running.send_signal(ending)
        output, errors = running.communicate(timeout=20)
        # Up to the end of the file: no function is left to write to it.
        assert b"" == reader.read().strip(b".")
    assert (128 + ending, b"", b"") == (running.returncode, output, errors)
    assert [] == list(temporary.iterdir())
