"""What a function's process pays for importing a client and making one, beside gRPC alone and the official SDK."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.charts import BarChart
from benchmarks.cold.layers import OFFICIAL, our_layer, plain_layer, without_bytecode
from benchmarks.report import Report, Target, arguments, publish
from benchmarks.spread import ratio, spread

BARE = "import grpc, momento_lambda.wire.cache_pb2"
CLIENT = """
from momento_lambda import CredentialProvider, SimpleCacheClient
client = SimpleCacheClient(CredentialProvider.for_local(), 60)
"""
CACHED = f"""{CLIENT}
from momento_lambda import Cache
cache = Cache("users", client=client)
@cache.cached
def user(name): ...
@cache.handler
def handler(event, context): ...
"""
OFFICIAL_CLIENT = """
from datetime import timedelta
from momento import CacheClient, Configurations, CredentialProvider
CacheClient(Configurations.Lambda.latest(), CredentialProvider.for_momento_local(), timedelta(seconds=60))
"""
FLOOR, OURS, OURS_CACHED, THEIRS = "gRPC and one generated module", "client", "client and @cached", "official SDK"
MOST_OF_FLOOR, MOST_OF_OFFICIAL = 1.15, 0.60


class Import(NamedTuple):
    """What a fresh process does.

    Attributes:
        source: Its program.
        layer: What it imports from.
        compiles: Whether it has to compile what it imports, as where bytecode is missing and none can be kept.
        bytecode: Where bytecode is kept, if not in the layer.
    """

    source: str
    layer: Path
    compiles: bool = False
    bytecode: Path | None = None


def main() -> None:
    """Measure, and print what was found."""
    told = arguments(__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="momento-lambda-imports-") as name:
        folder = Path(name)
        layer = our_layer(folder, offline=told.quick)
        sources, official = without_bytecode(layer, folder / "sources"), plain_layer(folder / "official", *OFFICIAL)
        imports = {
            "the package alone": Import("import momento_lambda", layer),
            FLOOR: Import(BARE, layer),
            OURS: Import(CLIENT, layer),
            OURS_CACHED: Import(CACHED, layer),
            THEIRS: Import(OFFICIAL_CLIENT, official, bytecode=folder / "bytecode"),
            f"{OURS}, without bytecode": Import(CLIENT, sources, compiles=True),
            f"{THEIRS}, plain layer": Import(OFFICIAL_CLIENT, official, compiles=True),
        }
        found = measure(imports, rounds=1 if told.quick else 20)
    publish(report(found), write=told.write)


def measure(imports: dict[str, Import], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Start processes by turns; return for each its milliseconds of time and of processor time."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in imports}
    for number in range(rounds + 1):
        for name, each in imports.items():
            taken = milliseconds(each)
            if number:  # the first round compiles what may be kept, and warms up the file system
                found[name].append(taken)
    return found


def milliseconds(each: Import) -> tuple[float, float]:
    """Return what a fresh process spends on a program, apart from its own start: by the clock, and of the processor."""
    program = (
        f"import sys, time; sys.path.insert(0, {str(each.layer / 'python')!r})\n"
        f"began = time.perf_counter(), time.process_time()\n{each.source}\n"
        "print(time.perf_counter() - began[0], time.process_time() - began[1])"
    )
    environment = {"PATH": os.environ["PATH"]}
    if each.compiles:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    elif each.bytecode is not None:
        environment["PYTHONPYCACHEPREFIX"] = str(each.bytecode)
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-S", "-c", program],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    )
    wall, cpu = map(float, done.stdout.split())
    return wall * 1000, cpu * 1000


def report(found: dict[str, list[tuple[float, float]]]) -> Report:
    """Return the table."""
    cpu = {name: [each for _, each in taken] for name, taken in found.items()}
    spreads = {name: spread(each) for name, each in cpu.items()}
    return Report(
        title="Imports",
        about=(
            "Importing and making a client in a fresh process, apart from the interpreter's own start; from this "
            "project's unzipped layer,\nand from a folder with the official SDK. Processes take turns; ratios are of "
            "processor time, medians. Nothing connects.\nWhere it does not say otherwise there is bytecode for all of "
            "it. A plain layer has none that Python would use."
        ),
        header=("imported and made", "to gRPC alone", "to official SDK", "CPU, ms", "time, ms"),
        rows=[_row(name, taken, cpu) for name, taken in found.items()],
        figures=spreads,
        targets=[
            Target("client, to gRPC and one generated module", _ratio(cpu, OURS, FLOOR), MOST_OF_FLOOR),
            Target("client and @cached, to the same", _ratio(cpu, OURS_CACHED, FLOOR), MOST_OF_FLOOR),
            Target("client and @cached, to the official SDK", _ratio(cpu, OURS_CACHED, THEIRS), MOST_OF_OFFICIAL),
        ],
        chart=BarChart("Importing and making a client", "ms of CPU", {"": spreads}),
    )


def _row(name: str, taken: Sequence[tuple[float, float]], cpu: dict[str, list[float]]) -> Sequence[str]:
    ratios = (f"{_ratio(cpu, name, other):.2f}" for other in (FLOOR, THEIRS))
    return name, *ratios, spread(cpu[name]).shown(1), spread(wall for wall, _ in taken).shown(1)


def _ratio(cpu: dict[str, list[float]], one: str, other: str) -> float:
    return ratio(cpu[one], cpu[other]).median


if __name__ == "__main__":
    main()
