"""How much memory processes have held, as the kernel counts it."""

from collections.abc import Iterator
from pathlib import Path


def peak_memory_kib(pid: int) -> int:
    """Return the peak resident memory of a process and its living descendants, each for itself, added up.

    What forked processes share is counted in each of them. A process that is gone has held nothing.
    """
    return sum(map(_peak, _family(pid)))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in _ended_is_none(Path(f"/proc/{pid}/task")):
        for child in _read(task / "children").split():
            yield from _family(int(child))


def _ended_is_none(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _peak(pid: int) -> int:
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def _read(file: Path) -> str:
    # Whoever is asked about may end between one look and the next.
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
