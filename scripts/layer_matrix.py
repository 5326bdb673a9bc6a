"""Build every layer twice, in environments that differ in all that may not show, and compare the hashes.

    python scripts/layer_matrix.py [--online]

Builds the default matrix and the layers for several runtimes; prints a line for each with its sizes, and how long the
matrix took.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ENVIRONMENTS = (
    (0o022, {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"}),
    (0o077, {"PYTHONHASHSEED": "4711", "TZ": "Pacific/Chatham", "LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8"}),
)


def build(folder: Path, environment: tuple[int, dict[str, str]], *options: str) -> float:
    """Build into a folder, and return the seconds that it took."""
    umask, variables = environment
    started = time.perf_counter()
    subprocess.run(  # noqa: S603  # this interpreter, with arguments of our own
        [sys.executable, "-m", "momento_lambda_layer", "build", "--all", "--output", str(folder), *options],
        env={**os.environ, **variables},
        umask=umask,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


def manifests(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the manifests in a folder by the name of the layer."""
    found = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json")))
    return {manifest["file"]: manifest for manifest in found}


def report(name: str, manifest: dict[str, Any], *, equal: bool) -> None:
    """Print a line about a layer."""
    zipped, unzipped = (manifest["bytes"][kind] / 1e6 for kind in ("zipped", "unzipped"))
    compiled = ", ".join(manifest["bytecode"]["compilers"]) or "none"
    verdict = manifest["sha256"][:12] if equal else "DIFFERS"
    print(f"{verdict:<12}  {zipped:5.1f} MB zipped  {unzipped:5.1f} MB unzipped  bytecode {compiled:<16}  {name}")


def main() -> int:
    """Build twice and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--online", action="store_true", help="fetch wheels that uv's cache does not hold")
    options = [] if parser.parse_args().online else ["--offline"]
    with tempfile.TemporaryDirectory(prefix="momento-lambda-") as scratch:
        folders = [Path(scratch, name) for name in ("first", "second")]
        for folder, environment in zip(folders, ENVIRONMENTS, strict=True):
            seconds = build(folder, environment, *options)
            multi_seconds = build(folder, environment, *options, "--multi")
        first, second = map(manifests, folders)
    differing = [name for name in first if first[name] != second.get(name)]
    for name, manifest in first.items():
        report(name, manifest, equal=name not in differing)
    print(f"\nthe matrix took {seconds:.0f} s, the layers for several runtimes {multi_seconds:.0f} s")
    print(f"two builds, {'one hash each' if not differing else f'and {len(differing)} layers that differ'}")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
