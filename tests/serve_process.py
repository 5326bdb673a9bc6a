"""`momento-lambda serve` as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Serve = Callable[..., subprocess.Popen[str]]

MAIN = (sys.executable, "-m", "momento_lambda.cli.main")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MOMENTO_")}


@contextmanager
def serving(*always: str) -> Iterator[Serve]:
    """Return what starts servers on free ports, with these options and those of each; end them with the block."""
    processes = []

    def start(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(  # noqa: S603  # this interpreter, and this project's own module
            [*MAIN, "serve", "--port", "0", *always, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        processes.append(process)
        return process

    try:
        yield start
    finally:
        for process in processes:
            process.kill()
            process.communicate()
