"""What to build: which layers, each for which targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from momento_lambda_layer.errors import UnsupportedTargetError
from momento_lambda_layer.target import ARCHITECTURES, RUNTIMES, Architecture, Runtime, Target

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True)
class Plan:
    """One layer: an architecture, and the runtimes that it serves.

    Example:
        >>> Plan.of(Target.of("3.13", "arm64")).stem
        'momento-lambda-python3.13-arm64'
    """

    architecture: Architecture
    runtimes: tuple[Runtime, ...]

    @classmethod
    def of(cls, *targets: Target) -> Plan:
        """Return the plan of one layer for all of these targets.

        Raises:
            UnsupportedTargetError: They are none, or differ in architecture.
        """
        architectures = {target.architecture for target in targets}
        if len(architectures) != 1:
            raise UnsupportedTargetError("a layer serves one architecture: compiled code is for one processor")
        runtimes = sorted({target.runtime for target in targets}, key=lambda runtime: runtime.minor)
        return cls(architectures.pop(), tuple(runtimes))

    @property
    def targets(self) -> tuple[Target, ...]:
        """Each runtime on the architecture."""
        return tuple(Target(runtime, self.architecture) for runtime in self.runtimes)

    @property
    def stem(self) -> str:
        """The name of its files, without an ending: it names every runtime, then the architecture."""
        return "-".join(["momento-lambda", *(runtime.name for runtime in self.runtimes), self.architecture.name])

    def __str__(self) -> str:
        return f"{', '.join(runtime.name for runtime in self.runtimes)} on {self.architecture.name}"


def plan_layers(
    runtimes: Collection[Runtime] = RUNTIMES,
    architectures: Collection[Architecture] = ARCHITECTURES,
    *,
    multi: bool = False,
) -> tuple[Plan, ...]:
    """Return the layers that serve every runtime on every architecture.

    Args:
        runtimes: All of Lambda's that are supported, unless given.
        architectures: Both, unless given.
        multi: One layer for each architecture, rather than one for each target.
    """
    targets = [Target(runtime, architecture) for architecture in architectures for runtime in runtimes]
    if not multi:
        return tuple(Plan.of(target) for target in targets)
    grouped: dict[Architecture, list[Target]] = {}
    for target in targets:
        grouped.setdefault(target.architecture, []).append(target)
    return tuple(Plan.of(*group) for group in grouped.values())
