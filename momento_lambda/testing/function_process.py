"""The process of a function."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


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

    def kill(self) -> None:
        """End the process, without notice as Lambda does, and return when it has ended and was reported."""
        self._process.kill()
        self._watching.join()

    def _watch(self) -> None:
        status = self._process.wait()
        # The group is named like its first process and keeps the name while it has members.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._report(Exited(status))
