"""Functions that stand still between two events, and find that time has passed."""

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from momento_lambda import InvalidArgumentError
from momento_lambda.testing import FunctionExitError, LocalLambda, LocalLambdaError

Make = Callable[..., LocalLambda]

PID = "import os\ndef handler(event, context): return os.getpid()"

CLOCKS = """
import time

def handler(event, context):
    return [getattr(time, name)() for name in ("time", "monotonic", "perf_counter")] + [
        getattr(time, name)() / 1e9 for name in ("time_ns", "monotonic_ns", "perf_counter_ns")
    ]
"""


def state(pid: int) -> str:
    """Return the letter by which the kernel calls what a process is doing."""
    found = re.search(r"^State:\t(\w)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def passed(before: list[float], after: list[float]) -> list[int]:
    """Return the whole minutes between two looks at the clocks."""
    return [round((later - earlier) / 60) for earlier, later in zip(before, after, strict=True)]


@pytest.fixture
def clocks(function: Make) -> Iterator[LocalLambda]:
    """A function that tells the time by every clock that it has, and whose clocks move."""
    with function(CLOCKS, movable_clock=True) as running:
        yield running


def test_a_frozen_process_is_stopped_until_it_is_thawed(function: Make) -> None:
    """The kernel has stopped it, and has it go on."""
    with function(PID) as f:
        pid = f.invoke({}).payload
        f.freeze()
        assert "T" == state(pid)
        f.thaw()
        assert "T" != state(pid)
        assert pid == f.invoke({}).payload


def test_the_next_event_thaws(function: Make) -> None:
    """As on Lambda, where nobody else does."""
    with function(PID) as f:
        pid = f.invoke({}).payload
        f.freeze()
        assert (pid, False) == ((after := f.invoke({})).payload, after.cold)


def test_threads_and_children_stand_still_too(function: Make) -> None:
    """What the handler left running goes on when the next event comes, and not a moment earlier."""
    source = """
    import subprocess, sys, threading

    ticks = 0
    ticked = threading.Event()

    def count():
        global ticks
        while True:
            ticks += 1
            ticked.set()

    def handler(event, context):
        if event == "start":
            threading.Thread(target=count, daemon=True).start()
            child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
            return child.pid
        before = ticks
        ticked.clear()
        return ticked.wait(5) and ticks > before
    """
    with function(source) as f:
        child = f.invoke("start").payload
        assert "T" != state(child)
        with f.frozen():
            assert "T" == state(child)
        assert "T" != state(child)
        assert f.invoke("look").payload is True


def test_freezing_twice_is_freezing_once(function: Make) -> None:
    """Neither a second freeze nor a second thaw is an error, and each does nothing."""
    with function(PID) as f:
        pid = f.invoke({}).payload
        f.freeze()
        f.freeze()
        assert "T" == state(pid)
        f.thaw()
        f.thaw()
        assert pid == f.invoke({}).payload


def test_a_function_at_work_is_frozen_when_it_is_done(function: Make, tmp_path: Path) -> None:
    """Lambda freezes no invocation: freezing waits for the one that runs."""
    source = """
    import os

    def handler(event, context):
        open(event["busy"], "w").close()
        open(event["go_on"]).close()
        return os.getpid()
    """
    busy, go_on = tmp_path / "busy", tmp_path / "go-on"
    for pipe in (busy, go_on):
        os.mkfifo(pipe)
    with function(source) as f, ThreadPoolExecutor(2) as threads:
        invoked = threads.submit(f.invoke, {"busy": str(busy), "go_on": str(go_on)})
        busy.open().close()
        freezing = threads.submit(f.freeze)
        assert not freezing.done()
        go_on.open("w").close()
        pid = invoked.result().payload
        freezing.result()
        assert "T" == state(pid)


def test_a_function_that_never_stops_working_cannot_be_frozen(function: Make) -> None:
    """An event whose caller gave up keeps it at work; after the function's timeout that is said."""
    source = """
    import os, signal, threading

    def handler(event, context):
        os.kill(os.getppid(), signal.SIGINT)
        threading.Event().wait()
    """
    with function(source, timeout=0.3) as f:
        with pytest.raises(KeyboardInterrupt):
            f.invoke({})
        with pytest.raises(LocalLambdaError, match=r"app\.handler cannot be frozen: it is still at work after 0\.3 s"):
            f.freeze()


def test_a_process_that_ended_cannot_be_stopped(function: Make) -> None:
    """Freezing it changes nothing: the next event finds out that it is gone."""
    with function("import os\ndef handler(event, context): os.kill(os.getpid(), 9)") as f:
        with pytest.raises(FunctionExitError):
            f.invoke({})
        with pytest.raises(LocalLambdaError, match="cannot be frozen: its process ended with signal 9"):
            f.freeze()


def test_an_environment_that_is_over_can_be_neither_frozen_nor_thawed(function: Make) -> None:
    """The error says what is over and what to do."""
    f = function(PID)
    with pytest.raises(LocalLambdaError, match="cannot be frozen: it was not entered"):
        f.freeze()
    with f:
        pass
    with pytest.raises(LocalLambdaError, match=r"cannot be thawed: it was closed\. Enter a new LocalLambda"):
        f.thaw()


def test_a_frozen_function_can_be_left(function: Make) -> None:
    """Nothing has to be thawed to end, and no thread is left."""
    before = set(threading.enumerate())
    with function(PID) as f:
        pid = f.invoke({}).payload
        f.freeze()
    assert not Path(f"/proc/{pid}").exists()
    assert before == set(threading.enumerate())


def test_time_passes_for_a_frozen_function(clocks: LocalLambda) -> None:
    """Each of its clocks has moved on by what it was frozen for, and nobody waited."""
    before = clocks.invoke({}).payload
    with clocks.frozen("5m"):
        pass
    assert [5] * 6 == passed(before, clocks.invoke({}).payload)


def test_time_adds_up(clocks: LocalLambda) -> None:
    """Every freeze comes on top of those before it."""
    before = clocks.invoke({}).payload
    for _ in range(3):
        with clocks.frozen(60):
            pass
    assert [3] * 6 == passed(before, clocks.invoke({}).payload)


def test_a_paused_machine_has_a_monotonic_clock_that_stood_still(clocks: LocalLambda) -> None:
    """The wall clock alone moves on, as after a snapshot that was restored."""
    before = clocks.invoke({}).payload
    with clocks.frozen("1h", monotonic=False):
        pass
    assert [60, 0, 0, 60, 0, 0] == passed(before, clocks.invoke({}).payload)


def test_the_time_that_is_left_is_counted_on_the_moved_clock(function: Make) -> None:
    """An invocation after an hour's freeze has all of its time."""
    source = "def handler(event, context): return context.get_remaining_time_in_millis()"
    with function(source, movable_clock=True, timeout=7) as f:
        f.invoke({})
        with f.frozen("1h"):
            pass
        assert 6_000 < f.invoke({}).payload <= 7_000


def test_clocks_that_a_module_took_at_import_move_too(function: Make) -> None:
    """Names bound early, and clocks kept in a class, as time limits of the standard library are."""
    source = """
    from time import monotonic, time
    from datetime import date, datetime
    import threading

    class Limiter:
        clock = monotonic

    def handler(event, context):
        return [time(), monotonic(), Limiter().clock(), threading._time(), datetime.today().timestamp()]
    """
    with function(source, movable_clock=True) as f:
        before = f.invoke({}).payload
        with f.frozen("5m"):
            pass
        assert [5] * 5 == passed(before, f.invoke({}).payload)


def test_what_grpc_gives_up_does_not_move(function: Make) -> None:
    """A call's timeout is as long after an hour's freeze as before it: gRPC counts it in C, where no hour went by."""
    source = """
    import os, sys
    sys.path.append(os.environ["PACKAGES"])
    import grpc

    def handler(event, context):
        with grpc.insecure_channel(event) as channel:
            try:
                channel.unary_unary("/silent/Call")(b"", timeout=0.1)
            except grpc.RpcError as error:
                return error.code().name
    """
    packages = str(Path(grpc.__file__).parents[1])
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        function(source, movable_clock=True, environment={"PACKAGES": packages}) as f,
    ):
        for _ in range(2):
            assert "DEADLINE_EXCEEDED" == f.invoke(f"127.0.0.1:{silent.getsockname()[1]}").payload
            with f.frozen("1h"):
                pass


def test_a_function_whose_clock_moves_sees_the_path_of_any_other(function: Make) -> None:
    """The way in which it was started is not to be seen in its path or its arguments."""
    source = (
        "import sys\ndef handler(event, context): return [[str(p) for p in sys.path], sys.argv, sys.orig_argv[1:3]]"
    )
    seen = []
    for movable_clock in (False, True):
        with function(source, movable_clock=movable_clock) as f:
            path, arguments, options = f.invoke({}).payload
        root = str(Path(path[1]).parents[4])
        seen.append(([entry.replace(root, "") for entry in path], [a.replace(root, "") for a in arguments], options))
    assert seen[0] == seen[1]


def test_a_function_has_its_interpreters_own_clock_otherwise(function: Make) -> None:
    """Nothing is put in its place where nobody asked for it."""
    source = (
        "import inspect, time\ndef handler(event, context): return [*map(inspect.isbuiltin, (time.time, time.sleep))]"
    )
    with function(source) as f:
        assert [True, True] == f.invoke({}).payload


def test_a_clock_that_does_not_move_is_said(function: Make) -> None:
    """The error names the option; without a duration there is nothing to move."""
    with function(PID) as f:
        f.invoke({})
        f.freeze()
        with pytest.raises(LocalLambdaError, match="give movable_clock=True to its LocalLambda"):
            f.thaw("5m")
        f.thaw()


def test_time_does_not_go_back(clocks: LocalLambda) -> None:
    """A negative duration is refused, and so is what is none."""
    for duration in (-1, "5 minutes"):
        with pytest.raises(InvalidArgumentError):
            clocks.thaw(duration)
