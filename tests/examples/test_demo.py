import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.left_out import NO_RUNTIME_CLIENT

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"
PATIENCE = 120


@contextmanager
def demo(tmp_path: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the demonstration with an empty folder for temporary files; what is left in it was left behind."""
    # The wheels of the layer are in uv's cache since the project was set up: nothing is fetched here.
    environment = os.environ | {"TMPDIR": str(tmp_path), "UV_OFFLINE": "1"}
    with subprocess.Popen(  # noqa: S603  # our own program
        [sys.executable, str(DEMO), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(tmp_path: Path, *arguments: str) -> str:
    """Run the demonstration to its end and return what it printed."""
    with demo(tmp_path, *arguments) as process:
        output, errors = process.communicate(timeout=PATIENCE)
    assert (0, "") == (process.returncode, errors), output + errors
    return output


def processes_that_know(folder: Path) -> list[str]:
    """Return the command lines of the processes that were told of a folder by their environment."""
    known = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (process / "environ").read_bytes():
                known.append((process / "cmdline").read_text())
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue  # it ended meanwhile, or is another user's
    return known


def answers(output: str) -> list[str]:
    """Return what each invocation of a table answered."""
    return re.findall(r"^  (?:cold|warm\S*).*?(MISS|hit|\d of \d hit)", output, re.MULTILINE)


EXPECTED = ["MISS", "hit", "MISS", "hit", "2 of 3 hit", "3 of 3 hit", "MISS", "hit", "MISS", "hit"]


@pytest.mark.skipif(sys.platform != "linux", reason=NO_RUNTIME_CLIENT)
def test_demo_shows_a_function_from_cold_start_to_expiry_and_leaves_nothing(tmp_path: Path) -> None:
    """The demonstration builds the layer, runs the function from it, and cleans up; and does so twice in a row."""
    for _ in range(2):
        output = run(tmp_path)
        assert EXPECTED == answers(output), output
        assert "built and verified" in output
        assert "under awslambdaric" in output
        assert [] == list(tmp_path.iterdir())


def test_demo_without_the_runtime_client_calls_the_handler(tmp_path: Path) -> None:
    """Where the Lambda runtime client does not exist, the same table comes from this interpreter."""
    output = run(tmp_path, "--plain")
    assert EXPECTED == answers(output), output
    assert "exists for Linux alone" in output


@pytest.mark.skipif(sys.platform != "linux", reason=NO_RUNTIME_CLIENT)
def test_demo_stopped_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C ends the server, the function's process and the temporary folders, and is not a crash."""
    with demo(tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("  warm"):
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert (130, "\nstopped; nothing was left behind\n") == (process.returncode, errors)
    assert [] == list(tmp_path.iterdir())
    assert [] == processes_that_know(tmp_path)
