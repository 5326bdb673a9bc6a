"""Whether anything is there twice: the first copy on Python's path hides the others, which fit what came with them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from momento_lambda_layer.distribution_names import normalized
from momento_lambda_layer.finding import Fault, Finding
from momento_lambda_layer.provided import PROVIDED_BY_LAMBDA
from momento_lambda_layer.requirements import read_distributions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from momento_lambda_layer.contents import Contents

# What packages are called that are not called after their distribution.
_DISTRIBUTIONS = {
    "dateutil": "python-dateutil",
    "google._upb": "protobuf",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
}
_SYMPTOMS = {
    "grpcio": "RuntimeError: The grpc package installed is at version ..., but the generated code depends on grpcio>=",
    "protobuf": "VersionError: Detected incompatible Protobuf Gencode/Runtime versions",
}


@dataclass(frozen=True)
class Place:
    """A folder on Python's path, or the share of it that one layer brings.

    Attributes:
        name: What to call it.
        folder: Where it is on Lambda.
        packages: The packages and modules in it by dotted name, each with a file.
        distributions: The name and version of each distribution in it.
    """

    name: str
    folder: str
    packages: Mapping[str, str]
    distributions: tuple[tuple[str, str], ...]


def places_in(contents: Contents, name: str = "") -> list[Place]:
    """Return the places in a layer or a function, in the order of Python's path.

    Args:
        contents: Its files.
        name: What to call it, instead of where it is on Lambda.
    """
    read = read_distributions(contents)
    places = []
    for root, files in contents.below_roots.items():
        folder = f"{contents.mount}/{root}".rstrip("/")
        here = set(files.values())
        distributions = tuple((each.name, each.version) for each in read if each.file in here)
        places.append(Place(name or folder, folder, _packages(files), distributions))
    return places


def check_copies(contents: Contents) -> Iterator[Finding]:
    """Nothing is twice in a layer."""
    yield from find_copies(places_in(contents))


def check_provided(contents: Contents) -> Iterator[Finding]:
    """Nothing is there that every runtime brings along."""
    named: dict[str, str] = {}
    for place in places_in(contents):
        named |= {_owner(package): file for package, file in place.packages.items()}
        named |= {name: "" for name, _ in place.distributions if name not in named}
    for name in sorted(PROVIDED_BY_LAMBDA & named.keys()):
        yield Finding(
            Fault.PROVIDED,
            (named[name],) if named[name] else (),
            f"no error: this copy of {name} hides the one that Lambda maintains, and takes up room",
            f"leave {name} out: every Python runtime has it",
        )


def find_copies(places: Sequence[Place]) -> Iterator[Finding]:
    """Yield what lies in more than one place, and what hides something else.

    Args:
        places: In the order of Python's path.
    """
    homes: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for place in places:
        for name, version in place.distributions:
            homes[name].append((version, place.name))
    doubled = {name: found for name, found in homes.items() if len(found) > 1}
    for name, found in sorted(doubled.items()):
        yield _second_copy(name, found)
    for first, second in combinations(places, 2):
        yield from _hidden(first, second, doubled.keys())


def _second_copy(name: str, found: list[tuple[str, str]]) -> Finding:
    (shown, first), *others = found
    other = next((version for version, _ in others if version != shown), None)
    unknown = f"ImportError or AttributeError: {name} {shown} is imported, by what was made for {other}"
    return Finding(
        Fault.SECOND_COPY,
        tuple(f"{place} ({name} {version})" for version, place in found),
        _SYMPTOMS.get(name, unknown) if other else f"no error while both are {name} {shown}: the second is dead weight",
        f"keep one copy of {name}: the one in {first} is imported, and hides the rest",
    )


def _hidden(first: Place, second: Place, explained: Collection[str]) -> Iterator[Finding]:
    """Yield what one place keeps Python from finding in another."""
    for package in sorted(first.packages.keys() & second.packages.keys()):
        if _owner(package) not in explained:
            symptom = f"no error, or an AttributeError: {package} of {second.name} is never imported"
            yield _shadow(first, package, second, package, symptom)
    # What several layers bring to one folder is one folder.
    if first.folder != second.folder:
        for here, there in ((first, second), (second, first)):
            for inner in sorted(there.packages):
                # A package hides what shares its name as a namespace, wherever it stands on the path.
                for package in here.packages.keys() & _namespaces(inner):
                    yield _shadow(here, package, there, inner, f"ModuleNotFoundError: No module named '{inner}'")


def _shadow(winner: Place, package: str, loser: Place, hidden: str, symptom: str) -> Finding:
    return Finding(
        Fault.SHADOWED,
        (winner.packages[package], loser.packages[hidden]),
        symptom,
        f"rename or remove {package} in {winner.name}: it hides {hidden} in {loser.name}",
    )


def _packages(files: Mapping[str, str]) -> dict[str, str]:
    """Return the packages and lone modules among files, by dotted name; a folder without ``__init__`` is neither."""
    found: dict[str, str] = {}
    for path, name in files.items():
        parts = path.split("/")
        depth = next((depth for depth in range(1, len(parts)) if "/".join([*parts[:depth], "__init__.py"]) in files), 0)
        dotted = parts[:depth] or ([*parts[:-1], parts[-1].partition(".")[0]] if path.endswith((".py", ".so")) else [])
        if dotted and all(part.isidentifier() for part in dotted):
            found.setdefault(".".join(dotted), name)
    return found


def _namespaces(package: str) -> set[str]:
    """Return the names that a package lies below: of ``a.b.c``, ``a`` and ``a.b``."""
    return {package[:end] for end, letter in enumerate(package) if letter == "."}


def _owner(package: str) -> str:
    """Return the distribution that a package comes from."""
    top, _, rest = package.partition(".")
    return _DISTRIBUTIONS.get(f"{top}.{rest.partition('.')[0]}") or _DISTRIBUTIONS.get(top) or normalized(top)
