"""What can go wrong, as one tree.

LayerError
├── UnsupportedTargetError   Lambda has no such runtime or architecture (also a ValueError)
├── MissingExtraError        a package of the `layer` extra is not installed
├── FetchError               uv could not supply the wheels
├── InterpreterError         bytecode is required, and no interpreter can write it
├── LibraryError             momento_lambda is not installed, or a source will not compile
├── UnreadableZipError       what to verify is missing, no zip, or a damaged one
└── VerificationError        a layer was built, and found faulty; nothing was kept

Every message is one line that says what was wrong and what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from momento_lambda_layer.finding import Finding


class LayerError(Exception):
    """The root: a layer could not be built or verified."""


class UnsupportedTargetError(LayerError, ValueError):
    """Lambda does not run this Python version or architecture."""


class MissingExtraError(LayerError):
    """A package that building a layer needs is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f"{package} is needed and was not found: pip install 'momento-lambda[layer]'")


class FetchError(LayerError):
    """uv could not supply the wheels that the lock names."""


class InterpreterError(LayerError):
    """No interpreter on this machine can write the bytecode that is required."""


class LibraryError(LayerError):
    """The library that the layer is for, or a package beside it, cannot be put into it."""


class UnreadableZipError(LayerError):
    """What to verify cannot be read."""


class VerificationError(LayerError):
    """The layer that was built has faults.

    Attributes:
        findings: One value for each fault.
    """

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        faults = ", ".join(sorted({finding.fault for finding in findings}))
        super().__init__(f"the layer is faulty ({faults}), so nothing was written")
        self.findings = findings
