"""Connections and forks: what a parent ends before it forks, and what its child must not touch.

While a thread is inside gRPC, gRPC's own handlers of forks do nothing, or wait for ever. The child then has none of
gRPC's threads, and shares with its parent the list of what they wait for. Its calls wait in vain, or end it; and what
it adds to the list wakes the parent with addresses of the child's, which may end the parent. So a fork waits for calls
that are under way. And since one thread stays inside gRPC for as long as coroutines have a connection, their
connections are closed before it, unless a call uses them; both sides make them anew when they need them. Where somebody
stays inside all the same, the child does not connect.
"""

import os
import threading
import time
from typing import Final, Protocol
from weakref import ref

from momento_lambda.errors import ClientStateError

# Calls end by their own timeouts, but for one whose thread is the one that forks.
_LONGEST_WAIT_SECONDS: Final = 20.0
_PAUSE_SECONDS: Final = 0.001
# A thread that nobody needs any more is about to end; one that is needed stays.
_LONGEST_END_SECONDS: Final = 0.1
# How threads are named that stay inside gRPC for coroutines, whoever's those are.
_FOR_COROUTINES: Final = "(_poll_wrapper)"


class Connection(Protocol):
    """What connects to a server."""

    @property
    def busy(self) -> bool:
        """Whether it has calls under way that end while the thread waits that asks."""

    def before_fork(self) -> None:
        """Let go of what keeps a thread inside gRPC between calls; the next call makes it anew."""

    def after_fork(self) -> None:
        """Leave everything to the parent, in a child process; the next call makes it anew."""


# A list, which can be copied while another thread adds to it.
_connections: Final[list[ref[Connection]]] = []
# How many threads are about to fork, and what is set once none is; None where none is.
_forking = 0
_over: threading.Event | None = None
# Whether a thread is inside gRPC as the process forks, and whether one was when this process was made so.
_inside = False
_left_inside = False
# In a child process, what its parent was connected by. Destroying it would be heard at the other end.
_of_parent: Final[list[object]] = []


def watch(connection: Connection) -> None:
    """Tell a connection of forks from now on."""
    _connections.append(ref(connection, _connections.remove))


def pending() -> threading.Event | None:
    """Return what is set once the forks are over that are about to happen; None where none is."""
    return _over


def leave(channel: object) -> None:
    """Keep a channel of gRPC's that is the parent's, in a child process, and never use it."""
    _of_parent.append(channel)


def check() -> None:
    """Return if this process can connect.

    Raises:
        ClientStateError: It was forked while a thread of its parent was inside gRPC.
    """
    if _left_inside:
        raise ClientStateError(
            "a child process cannot use gRPC that was forked while its parent was in calls of gRPC: "
            "start it with spawn instead of fork, or fork when no call is under way"
        )


def _living() -> list[Connection]:
    return [connection for each in list(_connections) if (connection := each()) is not None]


def _before_fork() -> None:
    global _forking, _inside, _over  # noqa: PLW0603  # of a process there is one
    _forking += 1
    _over = _over or threading.Event()
    give_up = time.monotonic() + _LONGEST_WAIT_SECONDS
    connections = _living()
    while any(connection.busy for connection in connections) and time.monotonic() < give_up:
        time.sleep(_PAUSE_SECONDS)
    for connection in connections:
        connection.before_fork()
    # Here, since the child does not know the threads of its parent.
    for_coroutines = [thread for thread in threading.enumerate() if thread.name.endswith(_FOR_COROUTINES)]
    for thread in for_coroutines:
        thread.join(_LONGEST_END_SECONDS)
    _inside = any(thread.is_alive() for thread in for_coroutines) or any(each.busy for each in connections)


def _after_fork() -> None:
    global _forking, _over  # noqa: PLW0603  # as above
    _forking -= 1
    if not _forking and _over is not None:
        _over.set()
        _over = None


def _after_fork_in_child() -> None:
    global _forking, _left_inside, _over  # noqa: PLW0603  # as above
    _forking, _over = 0, None
    _left_inside = _left_inside or _inside
    for connection in _living():
        connection.after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
