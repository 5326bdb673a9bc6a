"""The short examples, each run as a user would run it, against a server on this machine."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from momento_lambda.server import LocalServer
from tests.left_out import NO_RUNTIME_CLIENT

EXAMPLES = Path(__file__).parents[2] / "examples"
# Their keys are new each time; the others find again what they left in the cache.
WITH_NEW_KEYS = ["async_handler.py", "idempotency.py"]
WITH_THE_SAME_KEYS = ["batch.py", "client.py", "per_item_ttl.py", "quickstart.py"]
PATIENCE = 120
CACHE = "examples"


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """The variables that examples/README.md has a user set, for a server of the tests' own."""
    with LocalServer(caches=[CACHE]) as server:
        yield os.environ | {"MOMENTO_API_KEY": server.create_token(), "MOMENTO_CACHE_NAME": CACHE}


def run(*command: str, environment: dict[str, str], folder: Path = EXAMPLES) -> "subprocess.CompletedProcess[str]":
    """Run Python to its end."""
    return subprocess.run(  # noqa: S603  # our own programs
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )


def promised(example: str) -> str:
    """Return the output that an example's docstring shows."""
    documented = ast.get_docstring(ast.parse((EXAMPLES / example).read_text(encoding="utf-8"))) or ""
    [output] = re.findall(rf"^    \$ python examples/{example}\n((?:    .*\n)+)", documented, re.MULTILINE)
    return re.sub("^    ", "", output, flags=re.MULTILINE)


def without_measures(output: str) -> str:
    """Return an output without what is another each time: how long things took, and what is left of a TTL."""
    return re.sub(r" *\d+(\.\d+)? (ms|s)\b", r" # \2", output)


def lives(output: str) -> list[float]:
    """Return what is left of each TTL in an output, in seconds."""
    return [float(seconds) for seconds in re.findall(r"(\d+) s\b", output)]


@pytest.mark.parametrize(
    ("example", "runs"), [*((name, 1) for name in WITH_NEW_KEYS), *((name, 2) for name in WITH_THE_SAME_KEYS)]
)
def test_an_example_prints_what_its_docstring_shows(environment: dict[str, str], example: str, runs: int) -> None:
    """And does so again where its first run has left something in the cache."""
    for _ in range(runs):
        done = run(example, environment=environment)
        assert (0, "") == (done.returncode, done.stderr)
        assert without_measures(promised(example)) == without_measures(done.stdout)
        # A TTL is cut by up to a tenth, so two of them differ by no more than that.
        assert pytest.approx(lives(promised(example)), rel=0.15) == lives(done.stdout)


def test_every_example_is_run() -> None:
    """No file of the folder is left out here, but for those that other tests run."""
    elsewhere = {"demo.py", "test_quickstart.py"}
    assert {*WITH_NEW_KEYS, *WITH_THE_SAME_KEYS} == {path.name for path in EXAMPLES.glob("*.py")} - elsewhere


def test_every_example_is_in_the_index() -> None:
    """The folder's README names each file, and no file that is not there."""
    index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(re.findall(r"\]\((\w+\.py)\)", index))


def test_the_quickstart_without_a_token() -> None:
    """It goes on without a cache, and says which variable to set."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("MOMENTO_")}
    done = run("quickstart.py", environment=bare | {"MOMENTO_CACHE_NAME": CACHE})
    assert 0 == done.returncode
    assert ["error, miss, load"] * 3 == [line.split(" ms   ")[1] for line in done.stdout.splitlines()]
    assert "no token: set MOMENTO_API_KEY" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason=NO_RUNTIME_CLIENT)
def test_the_tests_to_copy_pass(tmp_path: Path) -> None:
    """Copied into a folder with the function that they test, and nothing else."""
    for name in ("quickstart.py", "test_quickstart.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    # Plugins that happen to be installed are left out, and nothing is fetched.
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "UV_OFFLINE": "1"}
    plugin = ("-p", "momento_lambda.testing.plugin", "-p", "no:cacheprovider")
    done = run("-m", "pytest", *plugin, "-W", "error", environment=environment, folder=tmp_path)
    assert "3 passed" in done.stdout.splitlines()[-1], done.stdout + done.stderr
