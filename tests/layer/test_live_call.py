"""A layer does its work: a call over TLS from the unzipped layer alone."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
import trustme

from momento_lambda.server import LocalServer
from momento_lambda_layer import Layer
from momento_lambda_layer.interpreters import find_interpreter
from momento_lambda_layer.target import Runtime
from tests.certificates import tls_options

CACHE = "layer-cache"

# Runs where Python sees the standard library and the layer. Whatever would be compiled, fails.
CALLER = """\
import json, sys
from importlib.machinery import SourceFileLoader

request = json.load(sys.stdin)
sys.path[:0] = request["path"]

def refuse(self, data, path, *, _optimize=-1):
    raise AssertionError(f"{path} was compiled")

SourceFileLoader.source_to_code = refuse
import grpc.aio, momento_lambda

for name in momento_lambda.__all__:
    getattr(momento_lambda, name)
from momento_lambda import CredentialProvider, SimpleCacheClient

provider = CredentialProvider.from_string(request["token"], root_certificates=request["roots"].encode())
with SimpleCacheClient(provider, 60) as client:
    client.set(request["cache"], "key", "from " + request["runtime"])
    print(client.get(request["cache"], "key").value_string)
"""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The authority that signs the server's certificate."""
    return trustme.CA()


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> Iterator[LocalServer]:
    """A server on TLS."""
    with LocalServer(**tls_options(authority), caches=[CACHE], grace=0) as running:
        yield running


def call(server: LocalServer, authority: trustme.CA, layer: Layer, runtime: Runtime, folder: Path) -> str:
    """Unzip a layer and call the server from it; return what the call printed."""
    interpreter = find_interpreter(runtime)
    assert interpreter is not None
    opt = folder / "opt"
    with ZipFile(layer.path) as archive:
        archive.extractall(opt)
    request = {
        "path": [str(opt / "python" / "lib" / runtime.name / "site-packages"), str(opt / "python")],
        "token": server.create_token(),
        "roots": authority.cert_pem.bytes().decode(),
        "cache": CACHE,
        "runtime": runtime.name,
    }
    finished = subprocess.run(  # noqa: S603  # an interpreter that was found, with code of our own
        [interpreter.path, "-I", "-S", "-c", CALLER],
        input=json.dumps(request),
        env={},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.stdout + finished.stderr


def test_layer(
    server: LocalServer, authority: trustme.CA, layers: dict[str, Layer], runtime_here: Runtime, tmp_path: Path
) -> None:
    """The layer of each runtime sets and gets an item over TLS, and nothing is compiled for it."""
    assert call(server, authority, layers[runtime_here.name], runtime_here, tmp_path) == f"from {runtime_here.name}\n"


def test_multi_layer(
    server: LocalServer, authority: trustme.CA, multi_layer: Layer, runtime_here: Runtime, tmp_path: Path
) -> None:
    """One layer for several runtimes does the same for each."""
    assert call(server, authority, multi_layer, runtime_here, tmp_path) == f"from {runtime_here.name}\n"


def test_compiling_is_noticed(
    server: LocalServer, authority: trustme.CA, layer: Layer, layer_files: dict[str, bytes], tmp_path: Path
) -> None:
    """The proofs above can fail: without bytecode, something is compiled."""
    sources = tmp_path / layer.path.name
    with ZipFile(sources, "w") as archive:
        for name, content in layer_files.items():
            if not name.endswith(".pyc"):
                archive.writestr(name, content)
    without = Layer(**{**vars(layer), "path": sources})
    assert "was compiled" in call(server, authority, without, layer.target.runtime, tmp_path)
