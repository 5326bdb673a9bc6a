"""Everything that is measured about speed, one benchmark after the other, and what came of the targets.

`make bench` runs it; `--write` (`make bench WRITE=1`) keeps tables, figures and pictures in docs/benchmarks.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import DOCUMENTATION, Target, arguments, machine, target_table

FOLDER = Path(__file__).parent
BENCHMARKS = (
    "imports",
    "import_profile",
    "cold_start",
    "warm_calls",
    "batches",
    "concurrency",
    "payloads",
    "cached_overhead",
    "client_memory",
    "server_throughput",
    "memory_store",
)


def main() -> int:
    """Run all that is asked for, also where one fails, and say which did."""
    parser = arguments(__doc__)
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS, metavar="NAME", help="not all")
    told = parser.parse_args()
    flags = [flag for flag, given in (("--quick", told.quick), ("--write", told.write)) if given]
    began = time.monotonic()
    failed = [name for name in told.only if not run(name, flags)]
    if told.write:
        (DOCUMENTATION / "targets.md").write_text(page(written_targets()))
    print(f"{len(told.only)} benchmarks in {(time.monotonic() - began) / 60:.1f} minutes")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


def run(name: str, flags: Sequence[str]) -> bool:
    """Run one benchmark in a process of its own, and return whether it went well."""
    print(f"== {name}\n", flush=True)
    return subprocess.run([sys.executable, str(FOLDER / f"{name}.py"), *flags], check=False).returncode == 0  # noqa: S603  # ours


def written_targets() -> list[Target]:
    """Return the targets of all benchmarks that were written, as they were found last."""
    found = []
    for name in BENCHMARKS:
        path = DOCUMENTATION / f"{name}.json"
        if path.exists():
            for target in json.loads(path.read_text())["targets"]:
                del target["met"]
                found.append(Target(**target))
    return found


def page(targets: Sequence[Target]) -> str:
    """Return a page with all targets."""
    return (
        "# Targets\n\nWhat the benchmarks are to find, and what they found; each is explained beside its benchmark.\n\n"
        f"{target_table(targets)}\nMade on {machine()} by\n\n```sh\nmake bench WRITE=1\n```\n"
    )


if __name__ == "__main__":
    sys.exit(main())
