"""Time that passes for a function although nobody waited.

A process cannot be given clocks of its own by its parent. So a function whose clock shall move is started through
this file, as a script of the interpreter that runs it (it imports the standard library alone). Before anything of
the function is imported, it puts readers in the place of those of the ``time`` module that tell what time it is; they
add what the parent wrote into a file that both have mapped. Then it becomes the runtime client.

What Python code reads from ``time`` moves; so do ``date.today`` and ``datetime.today``, which ask ``time.time``. What
reads a clock in C does not, ``datetime.now`` and gRPC's timers among it, and nor do the clocks of the function's child
programs. gRPC's Python modules are answered by the machine's clock: they work out at what time a call is given up, and
its part in C waits for that time, which would come as much too late as the function's clock is ahead.

A function that was not started so has the interpreter's own ``time``, untouched.
"""

import mmap
import os
import struct
import sys
import time
from collections.abc import Callable

# As little as that: what is imported here is there already when the function's own imports are timed.

_NANOSECONDS = 1_000_000_000
_OFFSETS = struct.Struct("=qq")
_WALL, _MONOTONIC = 0, 1
_UNMOVED = "grpc."


class MovingClock:
    """How far a function's clocks are ahead of this machine's.

    Args:
        file: Where to keep it.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._offsets = [0, 0]
        self._store()

    @property
    def wall_ahead(self) -> float:
        """How many seconds the function's wall clock is ahead."""
        return self._offsets[_WALL] / _NANOSECONDS

    def advance(self, milliseconds: int, *, monotonic: bool) -> None:
        """Let time pass: on the wall clock, and on the monotonic clock too where that went on."""
        self._offsets[_WALL] += milliseconds * 1_000_000
        if monotonic:
            self._offsets[_MONOTONIC] += milliseconds * 1_000_000
        self._store()

    def _store(self) -> None:
        # In place, since the function has the file mapped.
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, _OFFSETS.pack(*self._offsets), 0)
        finally:
            os.close(descriptor)


class _Reader:
    """One function of the ``time`` module, with the offset added.

    An object, not a function: a class that keeps it as an attribute must not turn it into a method.
    """

    __slots__ = ("__name__", "_offsets", "_read", "_unit", "_which")

    def __init__(self, read: Callable[[], float], offsets: mmap.mmap, which: int, unit: float) -> None:
        self.__name__ = read.__name__
        self._read = read
        self._offsets = offsets
        self._which = which
        self._unit = unit

    def __call__(self) -> float:
        if sys._getframe(1).f_globals.get("__name__", "").startswith(_UNMOVED):  # noqa: SLF001  # whoever asks
            return self._read()
        ahead: int = _OFFSETS.unpack_from(self._offsets)[self._which]
        return self._read() + ahead * self._unit


def _install(offsets: mmap.mmap) -> None:
    for name, which in (("time", _WALL), ("monotonic", _MONOTONIC), ("perf_counter", _MONOTONIC)):
        setattr(time, name, _Reader(getattr(time, name), offsets, which, 1 / _NANOSECONDS))
        setattr(time, f"{name}_ns", _Reader(getattr(time, f"{name}_ns"), offsets, which, 1))


def _main() -> None:
    _, file, client, handler = sys.argv
    descriptor = os.open(file, os.O_RDONLY)
    _install(mmap.mmap(descriptor, _OFFSETS.size, access=mmap.ACCESS_READ))
    os.close(descriptor)
    # From here on as if it had been `python -m client handler`.
    sys.argv = [client, handler]
    sys.path[0] = os.getcwd()  # noqa: PTH109  # pathlib is not for us to import
    import runpy  # noqa: PLC0415  # after the clock, for whatever it imports

    runpy.run_module(client, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
