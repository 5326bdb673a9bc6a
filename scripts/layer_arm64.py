"""Prove an arm64 layer on a machine of any kind: under emulation, import it all and call a live server over TLS.

    python scripts/layer_arm64.py [--python 3.11] [FOLDER]

What it takes from Debian's archive (an arm64 Python with its libraries, and the emulator where none is installed) is
unpacked below the folder and used from there: nothing is installed, so it needs no root, and a second run downloads
nothing. The layer's code runs in a bare interpreter that sees the standard library and the unzipped layer alone, as
below /opt.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import trustme

from momento_lambda import CredentialProvider, Hit, SimpleCacheClient
from momento_lambda.server import LocalServer
from momento_lambda_layer import LayerError, Target, build_layer, clean_import

PROJECT = Path(__file__).resolve().parent.parent
EMULATOR = "qemu-aarch64-static"
CACHE = "arm64-cache"
MODULES = ("grpc", "google.protobuf", "momento_lambda")

# No step takes long, so one that does is stuck.
STEP_SECONDS = 120

# Lists, cache and status of its own: what the machine has installed neither counts nor changes.
APT_CONFIGURATION = """\
APT::Architecture "arm64";
APT::Architectures {{ {architectures} }};
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
"""

# What runs under emulation, with the token and the authority's certificate on standard input.
CALLER = """\
import sys

sys.path.insert(0, sys.argv[1])

import platform

from momento_lambda import CredentialProvider, SimpleCacheClient

token, authority = sys.stdin.read().split(maxsplit=1)
provider = CredentialProvider.from_string(token, root_certificates=authority.encode())
with SimpleCacheClient(provider, default_ttl=60) as client:
    client.create_cache("arm64-cache")
    client.set("arm64-cache", "machine", platform.machine())
    print(client.get("arm64-cache", "machine").value_string)
"""


class ProofError(Exception):
    """The proof failed, or could not be given."""


def main() -> int:
    """Give the proof and return the exit code: 0 where it holds, 1 with the reason where it does not."""
    parser = argparse.ArgumentParser(description="Prove an arm64 layer under emulation.")
    parser.add_argument("--python", default="3.11", help="a version that this machine's Debian has (default: 3.11)")
    parser.add_argument("folder", nargs="?", type=Path, default=PROJECT / "build" / "arm64", metavar="FOLDER")
    options = parser.parse_args()
    folder = options.folder.resolve()
    try:
        prove(folder, Target.of(options.python, "arm64"))
    except (ProofError, LayerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def prove(folder: Path, target: Target) -> None:
    """Build the layer and use it under emulation, saying what was done and how long it took."""
    folder.mkdir(parents=True, exist_ok=True)
    with step("arm64 Python and emulator"):
        interpreter = [*emulated_python(folder, target.runtime.name), "-I", "-S"]
    with step(f"layer for {target}"):
        layer = build_layer(folder / "layer", target)
    # Unpacked anew each time: what an earlier run left behind must not show through.
    with TemporaryDirectory(prefix="opt-", dir=folder) as opt:
        with ZipFile(layer.path) as archive:
            archive.extractall(opt)
        # The layer has bytecode where this machine has a Python of its version, whatever the processor.
        bytecode = any(Path(opt).rglob("*.pyc"))
        with step(f"imported everything{', compiled nothing' if bytecode else ''}"):
            import_everything(interpreter, Path(opt), bytecode=bytecode)
        with step("called a live server over TLS"):
            call_live_server(interpreter, Path(opt, "python"))
    print(f"proven: {layer.path}")


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say that a step is done, and the seconds it took."""
    started = time.monotonic()
    yield
    print(f"{what} ({time.monotonic() - started:.1f} s)", flush=True)


def import_everything(interpreter: Sequence[str], opt: Path, *, bytecode: bool) -> None:
    """Import the layer's modules and load its every source: with the compiled protobuf, and from bytecode if any."""
    script = str(clean_import.__file__)
    printed = run([*interpreter, script, str(opt), str(opt / "python"), *MODULES], env={})
    report = json.loads(printed.splitlines()[-1])
    if report["protobuf"] != "upb":
        raise ProofError(f"protobuf runs its {report['protobuf']} implementation instead of upb")
    if report["compiled"] and bytecode:
        raise ProofError(f"{len(report['compiled'])} sources were compiled, among them {report['compiled'][0]}")


def call_live_server(interpreter: Sequence[str], packages: Path) -> None:
    """Store an item from the emulated process, and find it in the server from this one."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain = b"".join(part.bytes() for part in certificate.cert_chain_pems)
    with LocalServer(tls_certificate=chain, tls_key=certificate.private_key_pem.bytes()) as server:
        token = server.create_token()
        trusted = authority.cert_pem.bytes()
        said = run([*interpreter, "-B", "-c", CALLER, str(packages)], env={}, text=f"{token}\n{trusted.decode()}")
        provider = CredentialProvider.from_string(token, root_certificates=trusted)
        with SimpleCacheClient(provider, default_ttl=60) as client:
            found = client.get(CACHE, "machine")
    if (said, found) != ("aarch64\n", Hit(b"aarch64")):
        raise ProofError(f"the emulated process read {said!r} and the server holds {found!r}, instead of aarch64")


def emulated_python(folder: Path, python: str) -> list[str]:
    """Return the command that starts an arm64 Python, whose parts are unpacked below the folder where missing."""
    root = folder / python
    emulator = Path(shutil.which(EMULATOR) or folder / EMULATOR)
    with TemporaryDirectory(prefix="debian-", dir=folder) as scratch:
        debian = Debian(Path(scratch))
        # Moved when complete, so that an interruption leaves nothing that looks finished.
        if not root.exists():
            debian.unpack_with_dependencies(python, "libstdc++6").rename(root)
        if not emulator.exists():
            debian.unpack_for_this_machine("qemu-user-static").joinpath("usr", "bin", EMULATOR).rename(emulator)
    return [str(emulator), "-L", str(root), str(root / "usr" / "bin" / python)]


class Debian:
    """Debian's archive, seen as an arm64 machine with nothing installed would see it.

    Args:
        folder: An empty folder for lists and packages.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def unpack_with_dependencies(self, *packages: str) -> Path:
        """Return a folder that could be the root of an arm64 machine with these packages."""
        self._apt_get("install", "--yes", "--download-only", *packages)
        return self._unpack("root", self._folder.glob("cache/archives/*.deb"))

    def unpack_for_this_machine(self, package: str) -> Path:
        """Return a folder with a package, of this machine's own architecture."""
        self._apt_get("download", f"{package}:{self._architecture}")
        return self._unpack(package, self._folder.glob("*.deb"))

    def _unpack(self, name: str, packages: Iterable[Path]) -> Path:
        target = self._folder / name
        for package in packages:
            run(["dpkg-deb", "--extract", str(package), str(target)])
        return target

    def _apt_get(self, *arguments: str) -> None:
        environment = {**os.environ, "APT_CONFIG": str(self._configuration), "LC_ALL": "C"}
        run(["apt-get", "--quiet", *arguments], env=environment, cwd=self._folder)

    @cached_property
    def _architecture(self) -> str:
        return run(["dpkg", "--print-architecture"]).strip()

    @cached_property
    def _configuration(self) -> Path:
        """The file that tells apt to keep to the folder, where its lists are then up to date."""
        for part in ("state/lists/partial", "cache/archives/partial"):
            (self._folder / part).mkdir(parents=True)
        (self._folder / "status").touch()
        architectures = " ".join(f'"{name}";' for name in dict.fromkeys(["arm64", self._architecture]))
        configuration = self._folder / "apt.conf"
        configuration.write_text(APT_CONFIGURATION.format(architectures=architectures, folder=self._folder))
        run(["apt-get", "--quiet", "update"], env={**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C"})
        return configuration


def run(
    command: Sequence[str],
    *,
    text: str | None = None,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a program and return what it printed.

    Args:
        command: The program and its arguments.
        text: What it reads on standard input.
        env: Its whole environment; that of this process, unless given.
        cwd: Where it runs; here, unless given.

    Raises:
        ProofError: It is not installed, failed, or did not end in time.
    """
    try:
        finished = subprocess.run(  # noqa: S603  # programs named in this file, and no shell
            command, input=text, env=env, cwd=cwd, capture_output=True, text=True, check=True, timeout=STEP_SECONDS
        )
    except FileNotFoundError as error:
        raise ProofError(f"{command[0]} is not on this machine; this proof needs Debian's apt-get and dpkg") from error
    except subprocess.TimeoutExpired as error:
        raise ProofError(f"{command[0]} did not end within {STEP_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        raise ProofError(f"{command[0]} failed: {reason(error.stderr)}") from error
    return finished.stdout


def reason(stderr: str) -> str:
    """Return the line that says why: apt's first error, or the last line as Python has it."""
    lines = [line for line in stderr.splitlines() if line.strip()] or ["it said nothing"]
    return next((line for line in lines if re.match(r"E: ", line)), lines[-1])


if __name__ == "__main__":
    sys.exit(main())
