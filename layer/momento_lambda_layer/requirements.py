"""Whether every distribution finds what it cannot do without."""

from __future__ import annotations

from dataclasses import dataclass
from email.parser import BytesHeaderParser
from typing import TYPE_CHECKING

from momento_lambda_layer.distribution_names import normalized
from momento_lambda_layer.errors import MissingExtraError
from momento_lambda_layer.finding import Fault, Finding
from momento_lambda_layer.provided import PROVIDED_BY_LAMBDA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    from momento_lambda_layer.contents import Contents
    from momento_lambda_layer.target import Target

# Distributions whose module has another name.
_MODULES = {"grpcio": "grpc", "protobuf": "google.protobuf", "pyyaml": "yaml"}


@dataclass(frozen=True)
class Distribution:
    """An installed distribution, as its metadata states it.

    Attributes:
        name: As PEP 503 compares it.
        version: Its version.
        requirements: What it says it needs, each with the condition under which it does.
        file: Where it says so.
    """

    name: str
    version: str
    requirements: tuple[str, ...]
    file: str


def read_distributions(contents: Contents) -> list[Distribution]:
    """Return the distributions in a layer or a function."""
    return [distribution_of(name, contents.read(name)) for name in contents.metadata_files("METADATA")]


def check_requirements(contents: Contents) -> Iterator[Finding]:
    """Every distribution finds what it cannot do without."""
    yield from find_missing(read_distributions(contents), contents.target)


def find_missing(distributions: Iterable[Distribution], target: Target) -> Iterator[Finding]:
    """Yield what distributions need on a target and do not find among each other, nor on Lambda.

    Raises:
        MissingExtraError: packaging is not installed.
    """
    present = {distribution.name: distribution for distribution in distributions}
    extras: dict[str, set[str]] = {name: {""} for name in present}
    asked = list(present)
    found: dict[Finding, None] = {}
    while asked:
        distribution = present[asked.pop()]
        for needed in _needed(distribution, extras[distribution.name], target):
            name = normalized(needed.name)
            if name in present and not needed.extras <= extras[name]:
                # Its extras need more, so it is looked at again.
                extras[name] |= needed.extras
                asked.append(name)
            found.update(dict.fromkeys(_judge(distribution, needed, present)))
    yield from sorted(found, key=lambda finding: (finding.files, finding.symptom))


def _judge(distribution: Distribution, needed: Requirement, present: dict[str, Distribution]) -> Iterator[Finding]:
    name = normalized(needed.name)
    if name not in present:
        if name not in PROVIDED_BY_LAMBDA:
            module = _MODULES.get(name, name.replace("-", "_"))
            symptom = f"ModuleNotFoundError: No module named '{module}'"
            yield Finding(Fault.REQUIREMENT, (distribution.file,), symptom, f"add {name} to the layer")
    elif not _satisfies(present[name].version, needed.specifier):
        yield Finding(
            Fault.REQUIREMENT,
            (distribution.file,),
            f"an error at import or later: {distribution.name} needs {name}{needed.specifier}, and finds "
            f"{present[name].version}",
            f"install both in one go, so that their versions agree: uv pip install {distribution.name} {name}",
        )


def _satisfies(version: str, specifier: SpecifierSet) -> bool:
    """Tell whether a version is one of those that are needed; of a version that is none, only that any will do."""
    try:
        return specifier.contains(version, prereleases=True)
    except ValueError:
        return not specifier


def _needed(distribution: Distribution, extras: Iterable[str], target: Target) -> Iterator[Requirement]:
    """Yield the requirements whose condition holds on a target, for the extras that are asked for."""
    try:
        from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415  # an optional extra
    except ModuleNotFoundError as error:
        raise MissingExtraError("packaging") from error
    for text in distribution.requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:  # of times before there was a grammar: installers could not read it either
            continue
        environments = ({**marker_environment(target), "extra": extra} for extra in extras)
        marker = requirement.marker
        if marker is None or any(marker.evaluate(environment) for environment in environments):
            yield requirement


def marker_environment(target: Target) -> dict[str, str]:
    """Return what the conditions in requirements are held against on a target."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{target.runtime.version}.0",
        "os_name": "posix",
        "platform_machine": target.architecture.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "5.10",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{target.runtime.version}.0",
        "python_version": target.runtime.version,
        "sys_platform": "linux",
    }


def distribution_of(file: str, content: bytes) -> Distribution:
    """Return what a distribution's METADATA file, with this name and content, says of it."""
    metadata = BytesHeaderParser().parsebytes(content)
    # Some metadata in the field lacks them, and the folder's name has both.
    name, _, version = file.rpartition(".dist-info/")[0].rpartition("/")[2].partition("-")
    return Distribution(
        normalized(str(metadata.get("Name", name))),
        str(metadata.get("Version", version)),
        tuple(" ".join(str(stated).split()) for stated in metadata.get_all("Requires-Dist", [])),
        file,
    )
