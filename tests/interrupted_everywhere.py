"""Ctrl-C at every point where the interpreter looks for it, in what a main thread waits for.

A program, so that a test can give it a time limit: what this is about is what would wait for ever. It prints how many
points there were.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from momento_lambda.loop_thread import LoopThread
from momento_lambda.testing import FaultProxy, LocalLambda

# Where a function begins, and where one that is not Python's has returned: there the interpreter runs what handles
# signals. (And where a loop begins anew, which is no different from the calls in it.)
POINTS = ("call", "c_return")


class Interruption:
    """Ctrl-C as it reaches a piece of work at one of its points.

    Attributes:
        happened: Whether the work went on for that long.

    Args:
        point: The number of the point, counted from 1.
    """

    def __init__(self, point: int) -> None:
        self.happened = False
        self._left = point

    def strike(self, work: Callable[[], object]) -> None:
        """Do the work until it is interrupted."""
        sys.setprofile(self._count)
        try:
            work()
        except KeyboardInterrupt:
            assert self.happened
        finally:
            sys.setprofile(None)

    def _count(self, _: FrameType, event: str, __: object) -> None:
        self._left -= event in POINTS
        if not self._left and not self.happened:
            self.happened = True
            raise KeyboardInterrupt


def everywhere(work: Callable[[], object], goes_on: Callable[[], bool]) -> int:
    """Interrupt work at each of its points in turn, see that all goes on after that, and return how many there were."""
    points = 0
    while True:
        interruption = Interruption(points + 1)
        interruption.strike(work)
        assert goes_on(), f"nothing went on after point {points + 1}"
        if not interruption.happened:
            return points
        points += 1


def invocations(folder: str) -> int:
    """Interrupt the invocation of a function; the next one is answered, and leaving it comes to its end."""
    (Path(folder) / "app.py").write_text("def handler(event, context): return event\n")
    with LocalLambda("app.handler", task_root=Path(folder)) as function:
        return everywhere(lambda: function.invoke("one"), lambda: function.invoke("next").payload == "next")


def loops(_: str) -> int:
    """Interrupt waiting for a loop in another thread; it does more work, and can be closed."""
    thread = LoopThread("interrupted")
    points = everywhere(lambda: thread.run(asyncio.sleep(0)), lambda: thread.run(asyncio.sleep(0, result=True)))
    thread.close()
    return points


def proxies(_: str) -> int:
    """Interrupt what is asked of a proxy; it does what it is asked next, and can be left."""
    with FaultProxy("127.0.0.1", 1) as proxy:
        return everywhere(proxy.heal, lambda: proxy.heal() is None)  # type: ignore[func-returns-value]


if __name__ == "__main__":
    scenes = {"invocations": invocations, "loops": loops, "proxies": proxies}
    sys.stdout.write(f"{scenes[sys.argv[1]](sys.argv[2])}\n")
