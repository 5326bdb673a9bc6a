"""What befalls an execution environment between invocations, and who is told of it: forks and snapshots."""

import importlib
import os
from typing import Final, Protocol

_SNAP_START: Final = "snap-start"


class Connected(Protocol):
    """What has connections, which neither a fork nor a snapshot carries over."""

    def before_snapshot(self) -> None:
        """End them: the memory is about to be copied. Must not raise."""

    def after_restore(self) -> None:
        """Make new ones, in a copy. Must not raise."""

    def after_fork(self) -> None:
        """Leave them to the parent, in a child process."""


def follow(connected: Connected) -> None:
    """Tell of forks from now on and, where Lambda starts this function from snapshots, of those."""
    os.register_at_fork(after_in_child=connected.after_fork)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == _SNAP_START:
        try:
            hooks = importlib.import_module("snapshot_restore_py")
        except ImportError:
            # A runtime without it starts nothing from snapshots.
            return
        hooks.register_before_snapshot(connected.before_snapshot)
        hooks.register_after_restore(connected.after_restore)
