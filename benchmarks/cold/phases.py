"""Run in a fresh process: import what a function needs in steps, and print what each step spent on what.

Arguments: where to import from, then the steps' programs. Prints a list with one object of milliseconds for each step.
"""

import functools
import gc
import importlib._bootstrap_external as finding
import json
import sys
import time
from collections.abc import Callable
from typing import Any

LOOKING, READING, DECODING, COLLECTING, RUNNING = "looking", "reading", "decoding", "collecting", "running"
TIMED = {
    (finding.FileFinder, "find_spec"): LOOKING,
    (finding.SourceFileLoader, "path_stats"): LOOKING,
    (finding.FileLoader, "get_data"): READING,
    (finding, "_compile_bytecode"): DECODING,
}
"""What the interpreter's importer does for a module before the module runs."""


def main() -> None:
    """Do so."""
    sys.path.insert(0, sys.argv[1])
    spent = dict.fromkeys((LOOKING, READING, DECODING, COLLECTING), 0.0)
    for (owner, name), phase in TIMED.items():
        setattr(owner, name, timed(getattr(owner, name), spent, phase))
    gc.callbacks.append(collector(spent))
    steps = []
    for program in sys.argv[2:]:
        before, modules, began = dict(spent), len(sys.modules), time.perf_counter()
        exec(program, {})  # noqa: S102  # our caller's
        whole = time.perf_counter() - began
        step = {phase: spent[phase] - before[phase] for phase in spent}
        step[RUNNING] = whole - sum(step.values())
        steps.append(
            {phase: seconds * 1000 for phase, seconds in step.items()} | {"modules": len(sys.modules) - modules}
        )
    print(json.dumps(steps))


def timed(function: Callable[..., Any], spent: dict[str, float], phase: str) -> Callable[..., Any]:
    """Return a function that does the same, and adds up its time."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            spent[phase] += time.perf_counter() - began

    return wrapped


def collector(spent: dict[str, float]) -> Callable[[str, dict[str, int]], None]:
    """Return what adds up the time of the garbage collector."""
    began = 0.0

    def called(phase: str, _details: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        else:
            spent[COLLECTING] += time.perf_counter() - began

    return called


if __name__ == "__main__":
    main()
