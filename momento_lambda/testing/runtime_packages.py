"""What Lambda keeps in /var/runtime, found among the packages of an interpreter.

Lambda's runtime folder holds the runtime interface client and what that requires, and nothing else that happens
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
_COMPILED = "runtime_client."


@dataclass(frozen=True, slots=True)
class RuntimePackages:
    """The packages that run a function.

    Attributes:
        python_version: Of the interpreter, as in ``3.13``.
        files: Where each file of the runtime folder is installed, by its path inside that folder.
    """

    python_version: str
    files: dict[str, str]


@functools.cache
def runtime_packages(python: Path) -> RuntimePackages | str:
    """Ask an interpreter for its runtime packages; a str says why it has none."""
    # -P: the folder of a script would otherwise come first on its path.
    command = [str(python), "-P", __file__]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # no shell
    if answer.returncode:
        return answer.stderr.strip()
    return RuntimePackages(**json.loads(answer.stdout))


def _closure(name: str) -> Iterator[Distribution]:
    waiting, met = [name], {name}
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


def _files(found: Distribution) -> Iterator[tuple[str, str]]:
    for file in found.files or ():
        # Commands lie outside of the packages' folder; the runtime has none.
        if ".." not in file.parts:
            yield str(file), str(Path(str(file.locate())).absolute())


def _main() -> None:
    try:
        files = dict(pair for found in _closure(CLIENT) for pair in _files(found))
    except PackageNotFoundError as missing:
        sys.exit(f"package {missing.name} is not installed")
    if not any(path.startswith(_COMPILED) for path in files):
        sys.exit(f"package {CLIENT} is installed without its compiled part, which exists for Linux alone")
    python_version = "{}.{}".format(*sys.version_info)
    print(json.dumps({"python_version": python_version, "files": files}))  # noqa: T201  # the script's answer


if __name__ == "__main__":
    _main()
