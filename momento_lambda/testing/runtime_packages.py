"""What Lambda keeps in /var/runtime, found among the packages of an interpreter.

Lambda's runtime folder holds the runtime interface client, boto3, and what those require, and nothing else that happens
to be installed. The interpreter that shall run the function is asked for it, since a compiled client fits one
minor version only: this file is also a script, run by that interpreter, and so imports the standard library alone.
"""

import functools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

CLIENT = "awslambdaric"
_AWS = "boto3"
_COMPILED = "runtime_client."


@dataclass(frozen=True, slots=True)
class RuntimePackages:
    """The packages that run a function.

    Attributes:
        python_version: Of the interpreter, as in ``3.13``.
        entries: Where each entry of the runtime folder is installed, by its path inside that folder: packages as a
            whole, with the bytecode beside their sources, and other files one by one.
    """

    python_version: str
    entries: dict[str, str]


@functools.cache
def runtime_packages(python: Path) -> RuntimePackages | str:
    """Ask an interpreter for its runtime packages; a str says why it has none."""
    # -P: the folder of a script would otherwise come first on its path.
    command = [str(python), "-P", __file__]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # no shell
    if answer.returncode:
        return answer.stderr.strip()
    return RuntimePackages(**json.loads(answer.stdout))


def _closure(*names: str) -> Iterator[Distribution]:
    waiting, met = list(names), set(names)
    while waiting:
        found = distribution(waiting.pop())
        yield found
        required = set(_required(found)) - met
        waiting += required
        met |= required


def _required(found: Distribution) -> Iterator[str]:
    for requirement in found.requires or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        # Whether a marker holds is for the installer to say: what it left out was not for this interpreter.
        if ";" not in requirement or _installed(name):
            yield name


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _entries(found: Distribution) -> Iterator[tuple[str, str]]:
    # Commands lie outside of the packages' folder; the runtime has none.
    files = {file.as_posix() for file in found.files or () if ".." not in file.parts}
    for file in sorted(files):
        folder = file.partition("/")[0]
        # A folder without this is nobody's own: other packages may lie in it too.
        own = f"{folder}/__init__.py" in files or folder.endswith(".dist-info")
        entry = folder if own else file
        yield entry, str(Path(str(found.locate_file(entry))).absolute())


def _main() -> None:
    try:
        # A function that uses boto3 does not bring it; an interpreter that has none can still run others.
        names = (CLIENT, _AWS) if _installed(_AWS) else (CLIENT,)
        entries = dict(pair for found in _closure(*names) for pair in _entries(found))
    except PackageNotFoundError as missing:
        sys.exit(f"package {missing.name} is not installed")
    if not any(path.startswith(_COMPILED) for path in entries):
        sys.exit(f"package {CLIENT} is installed without its compiled part, which exists for Linux alone")
    python_version = "{}.{}".format(*sys.version_info)
    print(json.dumps({"python_version": python_version, "entries": entries}))  # noqa: T201  # the script's answer


if __name__ == "__main__":
    _main()
