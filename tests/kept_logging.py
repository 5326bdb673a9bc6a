"""Logging that is as it was, whatever a command did to it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kept_logging() -> Iterator[None]:
    """Put back the handlers and levels of the process's loggers when the block ends."""
    root, ours = logging.getLogger(), logging.getLogger("momento_lambda")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
