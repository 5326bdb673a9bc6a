import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BARE = "import grpc, momento_lambda.wire.cache_pb2"
CACHE = "from momento_lambda import Cache, SimpleCacheClient"
CLIENT = """
from momento_lambda import CredentialProvider, SimpleCacheClient
SimpleCacheClient(CredentialProvider.for_local(), 60)
"""
DECORATED = """
from momento_lambda import Cache
cache = Cache("users-cache")
@cache.cached
def user(name): ...
@cache.handler
def handler(event, context): ...
"""
ALLOWED = {"json"}
"""What may be imported beyond gRPC's own needs, all of it the standard library's: tokens are made of JSON."""
MODULES = {CLIENT: 28, DECORATED + CLIENT: 70}
"""How many modules may be imported beyond gRPC's own needs. Each takes a cold start a thousandth of what gRPC takes."""
COMMANDS = {f"{name}_command" for name in ("run", "serve", "layer")} | {
    f"{name}_commands" for name in ("token", "cache", "item")
}
"""The modules of the command line that are imported one at a time."""

BOUND = 1.15
ROUNDS = 9


def imported(source: str) -> set[str]:
    """Return every module that a fresh process has after running this."""
    program = f"{source}\nimport sys\nprint(*sys.modules, sep='\\n')"
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT, text=True
    )
    assert "" == done.stderr
    return set(done.stdout.split())


def top_level(modules: set[str]) -> set[str]:
    """Return the packages of modules, without what is only a part of the interpreter."""
    return {name.partition(".")[0] for name in modules if not name.startswith("_")}


@pytest.mark.parametrize(
    "source",
    [
        "import momento_lambda",
        "from momento_lambda import Hit",
        "from momento_lambda import Cache",
        "from momento_lambda import Cacheable, NoStore, Result",
        "from momento_lambda import Configuration, CredentialProvider, MomentoError",
        DECORATED,
    ],
    ids=["package", "Hit", "Cache", "outcomes", "vocabulary", "decorators"],
)
def test_importing_is_light(source: str) -> None:
    """Importing the package, its values or the cache, and decorating with it, loads neither gRPC nor an event loop."""
    assert set() == top_level(imported(source)) & {"grpc", "asyncio", "google", "ssl"}


def test_the_package_itself_is_nearly_nothing() -> None:
    """Importing the package alone imports none of its parts but the version."""
    ours = {name for name in imported("import momento_lambda") if name.startswith("momento_lambda")}
    assert {"momento_lambda", "momento_lambda.version"} == ours


def test_what_a_function_imports() -> None:
    """Cache and client import what gRPC imports, and beyond that nothing but what is on the list."""
    assert set() == top_level(imported(CACHE)) - top_level(imported(BARE)) - ALLOWED


def test_what_makes_tokens_is_for_those_who_do() -> None:
    """A client is made without what is said of tokens and signing keys."""
    assert {"momento_lambda.wire.auth_pb2", "momento_lambda.permissions"} & imported(CLIENT) == set()


@pytest.mark.parametrize("source", MODULES, ids=["client", "cache and client"])
def test_how_much_a_function_imports(source: str) -> None:
    """A function imports no more modules than are allowed, so that what few of them use is imported by those."""
    assert len(imported(source) - imported(BARE)) <= MODULES[source]


def test_no_extras() -> None:
    """No name of the package needs a package that an extra brings, or one that Lambda has already."""
    everything = "import momento_lambda\nfor name in momento_lambda.__all__: getattr(momento_lambda, name)"
    absent = {"jwt", "typer", "platformdirs", "boto3", "botocore", "aws_lambda_powertools", "hypothesis", "pytest"}
    absent |= {"prometheus_client", "redis"}
    assert set() == top_level(imported(everything)) & absent


@pytest.mark.parametrize(
    ("arguments", "own"),
    [
        (["--version"], set()),
        (["run", "--help"], {"run_command", "momento_lambda.testing"}),
        (["token", "inspect", "--help"], {"token_commands", "momento_lambda.server", "jwt"}),
        (["get", "--help"], {"item_commands", "grpc", "asyncio"}),
        (["serve", "--help"], {"serve_command", "momento_lambda.server", "jwt", "grpc", "asyncio"}),
        (["layer", "--help"], {"layer_command", "momento_lambda_layer"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_command_imports_what_it_needs(arguments: list[str], own: set[str]) -> None:
    """No command pays for another: neither for its module nor for what only that one needs."""
    source = f"""
import contextlib, io
from momento_lambda.cli.app import run
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    run({arguments})
"""
    modules = imported(source)
    costly = {"momento_lambda.testing", "momento_lambda.server", "momento_lambda_layer", "jwt", "grpc", "asyncio"}
    commands = {name.rpartition(".")[2] for name in modules if name.startswith("momento_lambda.cli.")} & COMMANDS
    assert own == commands | modules & costly


def cpu_seconds(source: str, environment: dict[str, str]) -> float:
    """Return the CPU time that a fresh process spends on running this, apart from its own start."""
    program = f"import time\nbegun = time.process_time()\n{source}\nprint(time.process_time() - begun)"
    done = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True, cwd=ROOT, text=True
    )
    return float(done.stdout)


def test_the_client_costs_little_more_than_grpc(tmp_path: Path) -> None:
    """Importing and constructing the client costs at most 1.15 times what gRPC and one generated module cost.

    CPU time, of the best of many processes run by turns, so that it matters little what else the machine does; from
    bytecode, as a layer has it.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path)
    for source in (BARE, CLIENT):
        cpu_seconds(source, environment)
    rounds = [(cpu_seconds(BARE, environment), cpu_seconds(CLIENT, environment)) for _ in range(ROUNDS)]
    ratio = min(client for _, client in rounds) / min(bare for bare, _ in rounds)
    assert ratio <= BOUND
