"""Ctrl-C in a program that has processes and folders to clear away."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)
_SIGNALLED: Final = 128


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Let Ctrl-C or SIGTERM end the block, once: clearing away is not cut short by those that follow.

    For the main thread, which signals go to. What is cleared away is cleared inside of the block.

    Raises:
        KeyboardInterrupt: On Ctrl-C.
        SystemExit: On SIGTERM, with the exit code that stands for it.
    """

    def end(number: int, _: object) -> None:
        for each in _ENDINGS:
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(_SIGNALLED + number)

    # A shell has what it runs in the background ignore Ctrl-C, which is for what runs in front.
    heeded = [each for each in _ENDINGS if signal.getsignal(each) != signal.SIG_IGN]
    before = {each: signal.signal(each, end) for each in heeded}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
