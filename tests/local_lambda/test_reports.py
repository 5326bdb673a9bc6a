"""What an invocation cost, and the lines that say so in Lambda's log."""

import re
from collections.abc import Callable

import pytest

from momento_lambda.testing import Failure, FunctionExitError, FunctionTimeoutError, Invocation, LocalLambda

Make = Callable[..., LocalLambda]

ID = "52fdfc07-2182-454f-963f-5f0f9a621d72"


def test_the_lines_are_those_of_lambda() -> None:
    """START, END and REPORT, with tabs between the fields of the last."""
    invocation = Invocation(ID, None, None, 1.234, cold=False, memory_size=1024, max_memory_used=58)
    assert f"START RequestId: {ID} Version: $LATEST" == invocation.start_line
    assert f"END RequestId: {ID}" == invocation.end_line
    fields = "Duration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 1024 MB\tMax Memory Used: 58 MB"
    assert f"REPORT RequestId: {ID}\t{fields}" == invocation.report_line


@pytest.mark.parametrize(
    ("durations", "billed", "added"),
    [
        ((2.0, None, None), 2, ""),
        ((2.01, None, None), 3, ""),
        ((2.5, 93.224, None), 96, "\tInit Duration: 93.22 ms"),
        ((2.5, None, 10.25), 13, "\tRestore Duration: 10.25 ms\tBilled Restore Duration: 11 ms"),
    ],
    ids=["whole", "rounded up", "with init", "with restore"],
)
def test_the_billed_duration_is_rounded_up(
    durations: tuple[float, float | None, float | None], billed: int, added: str
) -> None:
    """Lambda charges whole milliseconds, and those of the init or the restore with them."""
    duration, init, restore = durations
    invocation = Invocation(ID, None, None, duration, cold=True, init_duration_ms=init, restore_duration_ms=restore)
    assert billed == invocation.billed_duration_ms
    assert invocation.report_line.endswith(f"\tBilled Duration: {billed} ms{added}")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Failure("ValueError", "of the handler"), ""),
        (Failure("Sandbox.Timedout", "after 3.00 seconds"), "\tStatus: timeout"),
        (Failure("Runtime.ExitError", "exit status 1"), "\tStatus: error\tError Type: Runtime.ExitError"),
    ],
    ids=lambda value: getattr(value, "type", ""),
)
def test_the_status_is_that_of_the_runtime(error: Failure, status: str) -> None:
    """An exception of the handler is none of Lambda's business; a timeout and a process that ended are."""
    invocation = Invocation(ID, None, error, 1.0, cold=False)
    assert f"REPORT RequestId: {ID}\tDuration: 1.00 ms\tBilled Duration: 1 ms{status}" == invocation.report_line


def test_a_real_invocation_has_it_all(function: Make) -> None:
    """Every field is there, the init on the cold one alone."""
    with function("def handler(event, context): pass", memory_size=256) as f:
        cold, warm = f.invoke({}), f.invoke({})
    fields = (
        rf"REPORT RequestId: {cold.request_id}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms"
    )
    assert re.fullmatch(fields, cold.report_line)
    assert "Init" not in warm.report_line
    assert cold.billed_duration_ms > warm.billed_duration_ms >= 1


def test_the_memory_used_is_the_peak(function: Make) -> None:
    """What was given back again counts for ever; what was never touched does not count."""
    source = """
    def handler(event, context):
        bytearray(event)[::4096] = b"x" * (event // 4096)
    """
    with function(source) as f:
        used = [f.invoke(megabytes << 20).max_memory_used or 0 for megabytes in (0, 100, 0)]
    assert 5 < used[0] < 60
    # A little less than was taken, where the interpreter's start had its own peak.
    assert 95 < used[1] - used[0] < 120
    assert used[1] == used[2]


def test_the_memory_of_children_counts(function: Make) -> None:
    """A program that the handler started used it for the function."""
    source = """
    import subprocess, sys

    def handler(event, context):
        child = subprocess.Popen(
            [sys.executable, "-c", "big = bytearray(b'x' * (50 << 20)); print('up', flush=True); input()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) if event else None
        return child and child.stdout.readline().decode()
    """
    with function(source) as f:
        without, with_child = f.invoke(0), f.invoke(1)
    assert "up\n" == with_child.payload
    assert (with_child.max_memory_used or 0) - (without.max_memory_used or 0) >= 50


def test_an_invocation_has_its_part_of_the_log(function: Make) -> None:
    """What was written at import is the init's, and each event has its own lines."""
    source = "print('at import')\ndef handler(event, context): print('event', event)"
    with function(source) as f:
        assert ["event 1\n", "event ☃\n"] == [f.invoke(event).log for event in (1, "☃")]
        assert "at import\nevent 1\nevent ☃\n" == f.log


def test_an_invocation_that_timed_out_has_a_report(function: Make) -> None:
    """What Lambda tells the caller, and its log, come with the error."""
    source = "import threading\ndef handler(event, context): print('waiting', flush=True); threading.Event().wait()"
    with function(source, timeout=0.5) as f, pytest.raises(FunctionTimeoutError) as raised:
        f.invoke({})
    lost = raised.value.invocation
    assert lost.error == Failure(
        "Sandbox.Timedout", f"RequestId: {lost.request_id} Error: Task timed out after 0.50 seconds"
    )
    assert (500.0, "waiting\n", True) == (lost.duration_ms, lost.log, lost.cold)
    assert lost.max_memory_used is not None
    assert lost.max_memory_used > 0
    assert lost.report_line.endswith("\tStatus: timeout")


def test_an_invocation_whose_process_ended_has_a_report(function: Make) -> None:
    """The message without the log is there for whoever has one line."""
    source = "import os\ndef handler(event, context): print('last words', flush=True); os._exit(7)"
    with function(source) as f, pytest.raises(FunctionExitError) as raised:
        f.invoke({})
    lost = raised.value.invocation
    assert lost.error == Failure(
        "Runtime.ExitError", f"RequestId: {lost.request_id} Error: Runtime exited with error: exit status 7"
    )
    assert ("last words\n", True) == (lost.log, lost.duration_ms > 0)
    assert f"app.handler ended with exit status 7 on {lost.request_id}" == raised.value.message
    assert lost.max_memory_used is not None
    assert lost.max_memory_used > 0
