"""The process of a function."""

import contextlib
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda.testing.process_facts import group_stands_still, peak_memory_kib

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_GLANCE_SECONDS = 0.0005


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended; a negative status is the signal that ended it."""

    status: int

    def __str__(self) -> str:
        if self.status < 0:
            return f"signal {-self.status} ({signal.strsignal(-self.status)})"
        return f"exit status {self.status}"


class FunctionProcess:
    """One process, from entering the context to leaving it, and whatever processes it starts.

    Args:
        command: What to run.
        folder: Where to run it.
        variables: Its whole environment: nothing is inherited.
        log_file: The file that gets all it writes. A file, not a pipe: what the function wrote before it answered is
            there when the answer is, no thread has to read along, and no forgotten child can hold it open.
        report: Called once, from a thread, when the process has ended.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        variables: Mapping[str, str],
        log_file: Path,
        report: Callable[[Exited], None],
    ) -> None:
        self._command = command
        self._folder = folder
        self._variables = variables
        self._log_file = log_file
        self._kept_log = ""
        self._told = 0
        self._telling = threading.Lock()
        self._peak_kib = 0
        self._report = report

    def __enter__(self) -> "Self":
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # no shell
                self._command,
                cwd=self._folder,
                env=self._variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A terminal's Ctrl-C goes to the whole session: in one of its own, the function outlives it until
                # we are done, and its children can be ended with it.
                start_new_session=True,
            )
        self._watching = threading.Thread(target=self._watch, name="function-process", daemon=True)
        self._watching.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self.kill()
        self._kept_log = self.log

    @property
    def log(self) -> str:
        """All that the process has written, also when the file is gone because the process is."""
        if not self._log_file.exists():
            return self._kept_log
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def measure_memory(self) -> int:
        """Return the most memory that the process and its children have held, up to now, in MB."""
        # A child that has ended is counted no more; what it held was held all the same.
        self._peak_kib = max(self._peak_kib, peak_memory_kib(self._process.pid))
        return math.ceil(self._peak_kib / 1024)

    def new_log(self) -> str:
        """Return what the process has written since this was last asked."""
        with self._telling, self._log_file.open("rb") as log:
            log.seek(self._told)
            written = log.read()
            self._told += len(written)
        return written.decode(errors="replace")

    def freeze(self) -> None:
        """Stop the process and its children where they are, and return when they stand still."""
        self._signal(signal.SIGSTOP)
        # The kernel tells nobody but a parent that a process has stopped, and of most of these we are not the parent.
        while not group_stands_still(self._process.pid):
            time.sleep(_GLANCE_SECONDS)

    def thaw(self) -> None:
        """Let the process and its children go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process, without notice as Lambda does, and return when it has ended and was reported."""
        self._process.kill()
        self._watching.join()

    def _watch(self) -> None:
        status = self._process.wait()
        self._signal(signal.SIGKILL)
        self._report(Exited(status))

    def _signal(self, number: signal.Signals) -> None:
        # The group is named like its first process and keeps the name while it has members; then there is nobody to
        # signal.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
