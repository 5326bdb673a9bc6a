"""The trees of several runtimes made one.

For most packages everything but the extension modules is the same for every Python version, and extension modules bear
their version in their name, so all lie in one folder side by side. What differs by more than that lies in a folder of
each version, which Python searches first.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from momento_lambda_layer.archive import hash_file
from momento_lambda_layer.tree import files_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from momento_lambda_layer.target import Runtime

# A name that one Python version alone looks for.
_TAGGED = re.compile(r"\.cpython-3[0-9]+-[^/]*\.so$")
_METADATA = re.compile(r"^[^/]+\.dist-info/")


def merge(trees: Mapping[Runtime, Path], into: Path) -> None:
    """Move the trees of all runtimes into one that serves each of them.

    Args:
        trees: What each runtime alone would be given.
        into: The folder to make.
    """
    listings = {runtime: _hashes(tree) for runtime, tree in trees.items()}
    together = _together(list(listings.values()))
    for runtime, tree in trees.items():
        own = into / "lib" / runtime.name / "site-packages"
        for name in listings[runtime]:
            destination = (into if name in together else own) / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(tree / name, destination)


def _together(listings: list[dict[str, str]]) -> set[str]:
    """Return the names of what lies in the one folder: all code or none, so that no package is torn apart."""
    first, *others = [_untagged_code(listing) for listing in listings]
    if any(other != first for other in others):
        return set()
    everywhere = set.intersection(*(set(listing.items()) for listing in listings))
    names = {name for listing in listings for name in listing}
    split = {
        _distribution(name)
        for listing in listings
        for name, digest in listing.items()
        if (name, digest) not in everywhere
    }
    return {name for name in names if _distribution(name) is None or _distribution(name) not in split}


def _untagged_code(listing: dict[str, str]) -> dict[str, str]:
    return {
        name: digest for name, digest in listing.items() if not _TAGGED.search(name) and _distribution(name) is None
    }


def _distribution(name: str) -> str | None:
    """Return the folder of metadata that a file lies in, if it does."""
    found = _METADATA.match(name)
    return found[0] if found else None


def _hashes(tree: Path) -> dict[str, str]:
    return {name: hash_file(tree / name) for name in files_in(tree)}
