"""What runs beside a measurement, in a process of its own, so that it shares no interpreter with what is measured."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any


@contextmanager
def running(serve: Callable[..., None], *arguments: object) -> Iterator[Any]:
    """Run a server until the block ends; yield what it says of itself once it is up.

    Args:
        serve: Takes a connection and the arguments. It sends one message, and ends when the connection does.
        arguments: Of any kind that can be pickled.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, *arguments))
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.close()  # which the other end finds out, also where this process is killed
        process.join()


def stay(parent: Connection, about: object) -> None:
    """Say of a server what others need to know, and return when it is not needed any more."""
    parent.send(about)
    parent.poll(None)
