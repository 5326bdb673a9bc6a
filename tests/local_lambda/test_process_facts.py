"""What the kernel says of processes, those among them that are no more."""

import os
import signal
import subprocess
import sys

import pytest

from momento_lambda.testing.process_facts import group_stands_still, peak_memory_kib
from tests.left_out import NO_PROC

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason=NO_PROC)

WAITING = "print('up', flush=True); input()"


def start(script: str) -> subprocess.Popen[bytes]:
    """Start Python in a group of its own, and wait until it is up."""
    process = subprocess.Popen(  # noqa: S603  # this interpreter
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    assert b"up\n" == process.stdout.readline()
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group, and reap it."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_memory_of_a_process_and_of_one_that_is_gone() -> None:
    """A process has a peak; one that was reaped, and one that nobody has reaped yet, hold nothing."""
    process = start(WAITING)
    try:
        assert peak_memory_kib(process.pid) > 1000
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert 0 == peak_memory_kib(process.pid)
    process.communicate()
    assert 0 == peak_memory_kib(process.pid)


def test_a_child_counts_whichever_thread_started_it() -> None:
    """The kernel lists children by thread."""
    script = f"""
import subprocess, sys, threading
def start(): subprocess.Popen([sys.executable, "-c", "big = b'x' * (50 << 20); " + {WAITING!r}])
thread = threading.Thread(target=lambda: (start(), threading.Event().wait()), daemon=True)
thread.start()
threading.Event().wait()
"""
    process = start(script)
    try:
        assert peak_memory_kib(process.pid) > 50 * 1024
    finally:
        end(process)


def test_a_group_stands_still_when_all_of_it_is_stopped() -> None:
    """One that waits for input does not; one that is no more does."""
    process = start(WAITING)
    try:
        assert not group_stands_still(process.pid)
        os.killpg(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert group_stands_still(process.pid)
    finally:
        end(process)
    assert group_stands_still(process.pid)
