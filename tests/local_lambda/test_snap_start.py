"""Functions that are snapshotted when they have come up, and restored for their first event."""

from collections.abc import Callable
from pathlib import Path

import pytest

from momento_lambda.testing import FunctionInitError, FunctionRestoreError, LocalLambda, LocalLambdaError

Make = Callable[..., LocalLambda]

HOOKS = """
import os, random, time
from snapshot_restore_py import register_after_restore, register_before_snapshot

seen = ["import"]
register_before_snapshot(seen.append, "first before")
register_before_snapshot(seen.append, "second before")
register_after_restore(seen.append, "first after")
register_after_restore(seen.append, "second after")
register_before_snapshot(print, "before the snapshot", flush=True)
register_after_restore(print, "after the restore", flush=True)
at_import = time.time()

def handler(event, context):
    seen.append(event)
    return {"seen": seen, "pid": os.getpid(), "minutes": round((time.time() - at_import) / 60)}
"""

IN_ORDER = ["import", "second before", "first before", "first after", "second after"]


def test_hooks_run_around_the_snapshot(function: Make) -> None:
    """Those before it in reverse order, those after the restore in order, then the event: each once."""
    with function(HOOKS, snap_start=True) as f:
        assert [*IN_ORDER, "one"] == f.invoke("one").payload["seen"]
        assert [*IN_ORDER, "one", "two"] == f.invoke("two").payload["seen"]


def test_on_demand_no_hook_runs(function: Make) -> None:
    """The runtime client runs them for SnapStart alone."""
    with function(HOOKS) as f:
        assert ["import", "one"] == f.invoke("one").payload["seen"]


def test_a_snapshot_stands_still_until_it_is_restored(function: Make) -> None:
    """Its process is stopped with the hooks before it behind it, and those after it ahead."""
    source = "import os; print(os.getpid(), flush=True)\n" + HOOKS
    with function(source, snap_start=True) as f:
        pid, *lines = f.log.splitlines()
        assert ["before the snapshot"] == lines
        assert "\nState:\tT" in Path(f"/proc/{pid}/status").read_text()
        assert int(pid) == f.invoke({}).payload["pid"]
        assert f.log.endswith("before the snapshot\nafter the restore\n")


def test_the_first_invocation_has_the_duration_of_the_restore(function: Make) -> None:
    """It was not there for the init, which is no part of it; the next one has neither."""
    with function(HOOKS, snap_start=True) as f:
        cold, warm = f.invoke({}), f.invoke({})
    assert cold.cold
    assert cold.init_duration_ms is None
    assert cold.restore_duration_ms is not None
    assert cold.restore_duration_ms > 0
    assert (False, None, None) == (warm.cold, warm.init_duration_ms, warm.restore_duration_ms)


def test_a_snapshot_can_be_old(function: Make) -> None:
    """It finds that a day has passed since its modules were imported."""
    with function(HOOKS, snap_start=True, movable_clock=True) as f:
        with f.frozen("1d", monotonic=False):
            pass
        assert 24 * 60 == f.invoke({}).payload["minutes"]


def test_a_restored_function_freezes_as_any_other(function: Make) -> None:
    """Hooks are run by the restore, not by a thaw."""
    with function(HOOKS, snap_start=True) as f:
        f.invoke("one")
        with f.frozen():
            pass
        assert [*IN_ORDER, "one", "two"] == f.invoke("two").payload["seen"]


def test_the_variables_say_snap_start(function: Make) -> None:
    """The kind of init is named, and the log is not, which a snapshot has none of."""
    source = """
    import os

    def handler(event, context):
        return {name: os.environ.get(name) for name in event}
    """
    names = ["AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"]
    with function(source, snap_start=True) as f:
        assert dict(zip(names, ["snap-start", None, None], strict=True)) == f.invoke(names).payload


def test_a_hook_that_fails_before_the_snapshot_is_a_failed_init(function: Make) -> None:
    """The error names the phase and the exception."""
    source = """
    from snapshot_restore_py import register_before_snapshot

    @register_before_snapshot
    def close():
        raise ConnectionError("no link")

    def handler(event, context): pass
    """
    expected = r"app\.handler did not come up: Runtime\.BeforeSnapshotError: ConnectionError: no link"
    with pytest.raises(FunctionInitError, match=expected), function(source, snap_start=True):
        pytest.fail("it came up")


def test_a_module_that_fails_has_no_snapshot(function: Make) -> None:
    """As on demand, the error names the exception."""
    with (
        pytest.raises(FunctionInitError, match=r"did not come up: ValueError: bad setting"),
        function("raise ValueError('bad setting')", snap_start=True),
    ):
        pytest.fail("it came up")


FAILING = """
from snapshot_restore_py import register_after_restore

@register_after_restore
def connect():
    {body}

def handler(event, context): return "alive"
"""


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (
            "raise ConnectionError('no link')",
            r"(?s)come back from its snapshot: Runtime\.AfterRestoreError: ConnectionError: no link.*The end of its",
        ),
        ("import os; os._exit(7)", "ended with exit status 7 before it asked for an event"),
        ("import threading; threading.Event().wait()", r"did not come back from its snapshot within 2 s"),
    ],
    ids=["raises", "exits", "hangs"],
)
def test_a_restore_that_fails_is_reported(function: Make, body: str, named: str) -> None:
    """The first event finds out, with the reason; the environment takes no other."""
    with function(FAILING.format(body=body), snap_start=True, init_timeout=2 if "Event" in body else 10) as f:
        with pytest.raises(FunctionRestoreError, match=named):
            f.invoke({})
        with pytest.raises(LocalLambdaError, match="takes no event: it did not come back from its snapshot"):
            f.invoke({})


def test_a_snapshot_that_nobody_restores_can_be_left(function: Make) -> None:
    """Its process ends without its hooks, and without a word."""
    with function(HOOKS, snap_start=True) as f:
        pass
    assert "before the snapshot\n" == f.log
