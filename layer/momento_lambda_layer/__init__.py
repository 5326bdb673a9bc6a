"""Build and verify Lambda layers of `momento-lambda`, from any machine, without Docker.

    from momento_lambda_layer import build_layer

    layer = build_layer("build/layer")
    print(layer.path, layer.unzipped_bytes)

Or from a shell: ``python -m momento_lambda_layer build --output build/layer``.
"""

from momento_lambda_layer.build import build_layer
from momento_lambda_layer.errors import (
    FetchError,
    LayerError,
    LibraryError,
    MissingExtraError,
    UnreadableZipError,
    UnsupportedTargetError,
    VerificationError,
)
from momento_lambda_layer.finding import Fault, Finding
from momento_lambda_layer.layer import Layer
from momento_lambda_layer.target import Target
from momento_lambda_layer.verify import verify_layer

__all__ = [
    "Fault",
    "FetchError",
    "Finding",
    "Layer",
    "LayerError",
    "LibraryError",
    "MissingExtraError",
    "Target",
    "UnreadableZipError",
    "UnsupportedTargetError",
    "VerificationError",
    "build_layer",
    "verify_layer",
]
