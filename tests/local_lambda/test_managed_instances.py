"""Environments that serve several events at once, each in a process of its own."""

import os
import select
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from momento_lambda.testing import FunctionInitError, FunctionTimeoutError, LocalLambda

Make = Callable[..., LocalLambda]

MEETING = """
import os

at_import = os.getpid()

def handler(event, context):
    # Opening one end of a pipe waits for the other: each of the two gets on with the other's help alone.
    with open(event["pipe"], event["mode"]):
        return [os.getpid(), at_import, os.getppid()]
"""


def test_events_are_served_at_once(function: Make, tmp_path: Path) -> None:
    """Two handlers wait for each other, in two processes, each of which imported the module for itself."""
    os.mkfifo(tmp_path / "pipe")
    events = [{"pipe": str(tmp_path / "pipe"), "mode": mode} for mode in "rw"]
    with function(MEETING, max_concurrency=2, timeout=10) as f, ThreadPoolExecutor(2) as threads:
        one, other = (invocation.payload for invocation in threads.map(f.invoke, events))
    assert one[0] != other[0]
    assert (one[0], other[0]) == (one[1], other[1])
    assert one[2] == other[2]


def test_more_events_than_processes_take_turns(function: Make) -> None:
    """Every caller gets its own answer, and one of the invocations is the cold one."""
    source = "def handler(event, context): return event"
    with function(source, max_concurrency=3) as f, ThreadPoolExecutor(8) as threads:
        invocations = list(threads.map(f.invoke, range(40)))
    assert list(range(40)) == [invocation.payload for invocation in invocations]
    assert 1 == sum(invocation.cold for invocation in invocations)


def test_the_variables_say_managed_instance(function: Make) -> None:
    """The kind of init and the number of processes are named."""
    source = "import os\ndef handler(event, context): return [os.environ[name] for name in event]"
    names = ["AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_MAX_CONCURRENCY"]
    with function(source, max_concurrency=2) as f:
        assert ["lambda-managed-instances", "2"] == f.invoke(names).payload


def test_all_processes_freeze_and_thaw(function: Make) -> None:
    """Also those that the runtime client forked, whose clocks move as well."""
    source = """
    import os, time

    def handler(event, context):
        return [os.getpid(), os.getppid(), time.time()]
    """
    with function(source, max_concurrency=2, movable_clock=True) as f:
        worker, parent, before = f.invoke({}).payload
        with f.frozen("1h"):
            for pid in (worker, parent):
                assert "\nState:\tT" in Path(f"/proc/{pid}/status").read_text()
        assert 60 == round((f.invoke({}).payload[2] - before) / 60)


def test_what_all_processes_write_is_one_log(function: Make) -> None:
    """Each wrote its part."""
    # In one piece: what two processes print in several may come between each other.
    source = "import os\nos.write(1, b'up %d\\n' % os.getpid())\ndef handler(event, context): return os.getpid()"
    with function(source, max_concurrency=2) as f:
        assert 2 == len({line for line in f.log.splitlines() if line.startswith("up ")})
        assert f"up {f.invoke({}).payload}" in f.log


def test_the_memory_of_all_processes_is_added_up(function: Make) -> None:
    """An environment of three has used more than an environment of one."""
    source = "def handler(event, context): pass"
    with function(source) as one, function(source, max_concurrency=3) as three:
        used = [f.invoke({}).max_memory_used or 0 for f in (one, three)]
    assert 0 < used[0] < used[1]


def test_a_module_that_fails_is_reported_once(function: Make) -> None:
    """Every process has the same to say, and one is heard."""
    with (
        pytest.raises(FunctionInitError, match=r"did not come up: ValueError: bad setting"),
        function("raise ValueError('bad setting')", max_concurrency=3),
    ):
        pytest.fail("it came up")


def test_an_invocation_that_outlives_its_timeout_ends_all(function: Make, tmp_path: Path) -> None:
    """The whole environment is given up, and all its processes."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    source = f"""
    import threading

    held = open({str(pipe)!r}, "w")

    def handler(event, context):
        threading.Event().wait()
    """
    try:
        with function(source, max_concurrency=2, timeout=0.5) as f:
            with pytest.raises(FunctionTimeoutError):
                f.invoke({})
            # The end of the file: nobody is left to write to it.
            assert [reader] == select.select([reader], [], [], 10)[0]
            assert b"" == os.read(reader, 1)
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"max_concurrency": 0}, "max_concurrency is 0"),
        ({"max_concurrency": 2, "snap_start": True}, "managed instances have no SnapStart"),
    ],
    ids=["none", "snapshot"],
)
def test_what_lambda_does_not_have_is_refused(function: Make, options: dict[str, int], named: str) -> None:
    """The error says what to give instead."""
    with pytest.raises(ValueError, match=named):
        function("", **options)
