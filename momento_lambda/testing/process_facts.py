"""What the kernel says of processes: whether they stand still, and how much memory they have held.

Whoever is asked about may end between one look and the next, and is then as if never there.
"""

from collections.abc import Iterator
from pathlib import Path

_MOVING = frozenset("RS")


def group_stands_still(group: int) -> bool:
    """Say whether no process of a group runs, or waits for something that would have it run."""
    return not any(state in _MOVING for state, member_of in _states() if member_of == group)


def peak_memory_kib(pid: int) -> int:
    """Return the peak resident memory of a process and its living descendants, each for itself, added up.

    What forked processes share is counted in each of them.
    """
    return sum(map(_peak, _family(pid)))


def _states() -> Iterator[tuple[str, int]]:
    for process in Path("/proc").glob("[0-9]*"):
        # The name before these fields may hold anything, parentheses too.
        if fields := _read(process / "stat").rpartition(")")[2].split():
            yield fields[0], int(fields[2])


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in _tasks(pid):
        for child in _read(task / "children").split():
            yield from _family(int(child))


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []


def _peak(pid: int) -> int:
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
