"""What can be told about a layer by reading its zip. Each check yields what it finds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from momento_lambda_layer.finding import Fault, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from momento_lambda_layer.contents import Contents

# A function with all its layers, unzipped.
UNZIPPED_LIMIT = 262_144_000
# What Lambda takes in one request; a larger zip goes by way of S3.
DIRECT_UPLOAD_LIMIT = 50_000_000
_CODE = (".py", ".pyc", ".so")
# Folders that Lambda uses for something else than imports: commands, extensions, shared libraries.
_OTHER_FOLDERS = r"(bin|extensions|lib(?!/python3\.))/"
_VERSIONED = r"python/lib/python3\.[0-9]+/"
_READABLE_BY_ALL = 0o004


def check_layout(contents: Contents) -> Iterator[Finding]:
    """All code lies where Python looks."""
    remedy = f"put it below python/ or python/lib/{contents.target.runtime.name}/site-packages/ and zip again"
    reachable = {name for files in contents.below_roots.values() for name in files.values()}
    own = any(name.startswith(contents.import_roots[0]) for name in reachable)
    # A layer for several runtimes has a folder for each.
    others = re.compile(rf"{_OTHER_FOLDERS}|{_VERSIONED}" if own else _OTHER_FOLDERS)
    names = [file.name for file in contents.files if file.name.endswith(_CODE)]
    astray = [name for name in names if name not in reachable and not others.match(name)]
    if astray:
        module = astray[0].removesuffix("/__init__.py").rpartition("/")[2].partition(".")[0]
        yield Finding(Fault.LAYOUT, tuple(astray), f"ModuleNotFoundError: No module named '{module}'", remedy)
    elif not contents.modules:
        yield Finding(Fault.LAYOUT, (), "ModuleNotFoundError for every import: nothing in it is importable", remedy)


def check_permissions(contents: Contents) -> Iterator[Finding]:
    """Lambda's user, who owns no file of the layer, may read every file."""
    # A zip made on Windows records no mode at all, and Lambda then makes the files readable.
    closed = [file.name for file in contents.files if file.mode and not file.mode & _READABLE_BY_ALL]
    if closed:
        yield Finding(
            Fault.PERMISSIONS,
            tuple(closed),
            f"PermissionError: [Errno 13] Permission denied: '{contents.mount}/{closed[0]}'",
            "make the files readable for all (chmod -R a+rX) and zip again",
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
