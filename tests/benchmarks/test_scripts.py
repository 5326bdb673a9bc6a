"""The benchmarks run: each measures next to nothing, and prints its table."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from momento_lambda.testing.redis_server import is_installed

ROOT = Path(__file__).resolve().parents[2]


def run(script: str, *arguments: str, path: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a benchmark to its end, with a folder whose modules come before all others."""
    folders = os.pathsep.join(map(str, (path, ROOT, ROOT / "layer")))
    return subprocess.run(  # noqa: S603  # our own program
        [sys.executable, str(ROOT / "benchmarks" / script), *arguments],
        env=os.environ | {"PYTHONPATH": folders},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )


def cells(output: str) -> list[list[str]]:
    """Return the cells of the first table, row by row, without the line under its header."""
    _, _, table = output.partition("\n| ")
    lines = [line for line in f"| {table}".partition("\n\n")[0].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| --")]


def test_stampede() -> None:
    """With a lease, an expired value is loaded no more often than without."""
    done = run("stampede.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    loads = {row[0]: float(row[1]) for row in cells(done.stdout)[1:]}
    assert ["none", "lease"] == list(loads)
    assert 1 <= loads["lease"] <= loads["none"]


def test_cached_overhead() -> None:
    """A hit in this process is faster than a bare call of the client, and slower than a look-up in a dict."""
    done = run("cached_overhead.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    ratios = {row[0]: float(row[1]) for row in cells(done.stdout)[1:]}
    look_up, local, bare, _ = ratios.values()
    assert look_up < local < bare == 1


def test_warm_calls() -> None:
    """Every client answers in every group, and the bare stub is what the others are ratios of."""
    done = run("warm_calls.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    header, *rows = cells(done.stdout)
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert ["1.00"] * 3 == [row["CPU to stub"] for row in found if row["client"].startswith("bare gRPC stub")]
    assert 3 == len([row for row in found if row["client"].startswith("momento-lambda")])


def test_batches() -> None:
    """One call for ten keys is faster than ten calls."""
    done = run("batches.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    rows = cells(done.stdout)
    official = next(row for row in rows if row[:3] == ["threads", "10", "official SDK"])
    assert float(official[3]) > 1


def test_imports() -> None:
    """Importing the package is next to nothing, and importing a client without bytecode costs more than with it."""
    done = run("imports.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    to_grpc = {row[0]: float(row[1]) for row in cells(done.stdout)[1:]}
    assert to_grpc["the package alone"] < to_grpc["client"] < to_grpc["client, without bytecode"]


def test_import_profile() -> None:
    """What is spent on the parts of an import is what the whole takes."""
    done = run("import_profile.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    for _, modules, whole, *parts in cells(done.stdout)[1:]:
        assert int(modules) > 0
        assert float(whole) == pytest.approx(sum(map(float, parts)), abs=0.3)


def test_client_memory() -> None:
    """A process with this library's client holds less memory than one with the official SDK's."""
    done = run("client_memory.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    to_official = {row[0]: float(row[1]) for row in cells(done.stdout)[1:]}
    assert to_official["momento-lambda"] < to_official["official SDK"] == 1


def test_cache_aside_libraries() -> None:
    """This library caches None, tells keys apart and remembers what a batch left out."""
    done = run("cache_aside_libraries.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    assert ["cached", "told apart", "left out, remembered"] == [row[1] for row in cells(done.stdout)[1:]]


def test_read_through() -> None:
    """A hit is faster than the source, a miss slower than a hit, and from some hit rate on the cache pays."""
    done = run("read_through.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    header, row = cells(done.stdout)
    found = dict(zip(header, row, strict=True))
    assert float(found["a hit"]) < 1
    assert float(found["a hit"]) < float(found["a miss"])
    assert re.fullmatch(r"\d\d?%", found["hit rate needed"])


def test_frozen_links() -> None:
    """Whatever became of the connection in a freeze, this library's second invocation after it hits."""
    done = run("frozen_links.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    header, *rows = cells(done.stdout)
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert {"ours", "official"} == {row["client"] for row in found}
    assert 6 == len({row["while frozen"] for row in found})
    assert {"cache"} == {row["2nd answer from"] for row in found if row["client"] == "ours"}


def test_the_readme_shows_what_was_found() -> None:
    """The table of the README is the one that the benchmark wrote."""
    written = (ROOT / "docs" / "benchmarks" / "read_through.md").read_text(encoding="utf-8")
    table = "".join(line for line in written.splitlines(keepends=True) if line.startswith("|"))
    assert table
    assert table in (ROOT / "README.md").read_text(encoding="utf-8")


def test_server_throughput() -> None:
    """Both servers answer both calls, each measured to the echo."""
    done = run("server_throughput.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    rows = cells(done.stdout)[1:]
    assert [("get", "echo"), ("get", "momento-lambda"), ("set", "echo"), ("set", "momento-lambda")] == [
        (call, server) for call, server, *_ in rows
    ]
    assert {"1.00"} == {ratio for _, server, *ratios, _, _, _, _ in rows if server == "echo" for ratio in ratios}


def test_memory_store() -> None:
    """An item takes at most 250 bytes beyond its key and value, and what was replaced takes nothing."""
    done = run("memory_store.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    rows = cells(done.stdout)[1:]
    assert 3 == len(rows)
    assert all(float(turnovers) < 2 and float(overhead) <= 350 for _, turnovers, overhead, *_ in rows)


def test_libraries_that_are_not_there(tmp_path: Path) -> None:
    """Without the other libraries, the comparison says how to install them, and measures nothing."""
    (tmp_path / "aiocache.py").write_text("raise ModuleNotFoundError('absent', name='aiocache')")
    done = run("cache_aside_libraries.py", path=tmp_path)
    assert (1, "") == (done.returncode, done.stdout)
    assert "aiocache is not installed: pip install --target DIR aiocache cashews dogpile.cache redis" in done.stderr


needs_redis = pytest.mark.skipif(not is_installed(), reason="stores on Redis need it: apt-get install redis-server")


@needs_redis
def test_cluster_failover() -> None:
    """Whatever fails, no answer is wrong and every error may pass; and a gateway that is drained costs no call."""
    done = run("cluster_failover.py", "--quick")
    assert (0, "") == (done.returncode, done.stderr)
    rows = {row[0]: row for row in cells(done.stdout)[1:]}
    assert ["nothing", "a primary is killed", "a gateway is killed", "a gateway is drained"] == list(rows)
    for _, _, failed, _, wrong, calls in rows.values():
        assert {"none", "UNAVAILABLE", "DEADLINE_EXCEEDED"} >= {kind.split()[-1] for kind in failed.split(", ")}
        assert "0" == wrong
        assert int(calls) > 0
    assert "none" == rows["nothing"][2] == rows["a gateway is drained"][2]
    assert "none" != rows["a primary is killed"][2]


def test_a_quick_run_is_not_kept() -> None:
    """What was measured in no time is not written into the documentation."""
    done = run("stampede.py", "--quick", "--write")
    assert 2 == done.returncode
    assert "--write: not allowed with argument --quick" in done.stderr
