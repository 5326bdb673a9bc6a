"""What can be told about a layer by reading its zip. Each check yields what it finds."""

from __future__ import annotations

import re
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING

from momento_lambda_layer.finding import Fault, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from momento_lambda_layer.contents import Contents

# A function with all its layers, unzipped.
UNZIPPED_LIMIT = 262_144_000
PROVIDED_BY_LAMBDA = frozenset(
    {
        "boto3",
        "botocore",
        "jmespath",
        "python-dateutil",
        "s3transfer",
        "simplejson",
        "six",
        "snapshot-restore-py",
        "urllib3",
    }
)
_CODE = (".py", ".pyc", ".so")
# Folders that Lambda uses for something else than imports: commands, extensions, shared libraries.
_OTHER_FOLDERS = re.compile(r"(bin|extensions|lib(?!/python3\.))/")
_READABLE_BY_ALL = 0o004
# Distributions whose module has another name.
_MODULES = {"grpcio": "grpc", "protobuf": "google.protobuf"}


def check_layout(contents: Contents) -> Iterator[Finding]:
    """All code lies where Python looks."""
    remedy = f"put it below python/ or python/lib/{contents.target.runtime.name}/site-packages/ and zip again"
    reachable = set(contents.modules.values())
    names = [entry.filename for entry in contents.entries if entry.filename.endswith(_CODE)]
    astray = [name for name in names if name not in reachable and not _OTHER_FOLDERS.match(name)]
    if astray:
        module = astray[0].removesuffix("/__init__.py").rpartition("/")[2].partition(".")[0]
        yield Finding(Fault.LAYOUT, tuple(astray), f"ModuleNotFoundError: No module named '{module}'", remedy)
    elif not contents.modules:
        yield Finding(Fault.LAYOUT, (), "ModuleNotFoundError for every import: nothing in it is importable", remedy)


def check_permissions(contents: Contents) -> Iterator[Finding]:
    """Lambda's user, who owns no file of the layer, may read every file."""
    modes = ((entry.filename, entry.external_attr >> 16) for entry in contents.entries)
    # A zip made on Windows records no mode at all, and Lambda then makes the files readable.
    closed = [name for name, mode in modes if mode and not mode & _READABLE_BY_ALL]
    if closed:
        yield Finding(
            Fault.PERMISSIONS,
            tuple(closed),
            f"PermissionError: [Errno 13] Permission denied: '/opt/{closed[0]}'",
            "make the files readable for all (chmod -R a+rX python) and zip again",
        )


def check_size(contents: Contents) -> Iterator[Finding]:
    """The layer alone stays within what a function and its layers may take up."""
    if contents.unzipped_bytes > UNZIPPED_LIMIT:
        yield Finding(
            Fault.SIZE,
            (),
            f"InvalidParameterValueException: Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes",
            f"leave something out: it takes up {contents.unzipped_bytes} bytes",
        )


def check_protobuf(contents: Contents) -> Iterator[Finding]:
    """Protobuf has its compiled part: without it, it silently runs in pure Python."""
    if "google/protobuf/__init__.py" not in contents.modules:
        return
    if not any(path.startswith("google/_upb/_message.") for path in contents.modules):
        yield Finding(
            Fault.SLOW_PROTOBUF,
            (contents.modules["google/protobuf/__init__.py"],),
            "no error: messages are packed and unpacked in pure Python, many times slower",
            "install a protobuf wheel that names the target's platform, not the one that ends in py3-none-any",
        )


def check_requirements(contents: Contents) -> Iterator[Finding]:
    """Every distribution finds what it cannot do without."""
    present = PROVIDED_BY_LAMBDA | {_distribution(path) for path in contents.modules if ".dist-info/" in path}
    for name in contents.metadata_files("METADATA"):
        for requirement in _requirements(contents.read(name)):
            if requirement not in present:
                module = _MODULES.get(requirement, requirement.replace("-", "_"))
                yield Finding(
                    Fault.REQUIREMENT,
                    (name,),
                    f"ModuleNotFoundError: No module named '{module}'",
                    f"add {requirement} to the layer",
                )


def _distribution(path: str) -> str:
    return _normalized(path.partition(".dist-info/")[0].partition("-")[0])


def _requirements(metadata: bytes) -> Iterator[str]:
    stated = BytesHeaderParser().parsebytes(metadata).get_all("Requires-Dist", [])
    for requirement in map(str, stated):
        # What stands behind a condition is for an extra, or for other machines than Lambda's.
        name = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
        if name and ";" not in requirement:
            yield _normalized(name[0])


def _normalized(distribution: str) -> str:
    """Return a distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
