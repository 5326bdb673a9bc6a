"""Build, verify and publish Lambda layers of `momento-lambda`, from any machine, without Docker.

    from momento_lambda_layer import Target, build_layer, build_layers, plan_layers

    layer = build_layer("build/layer", Target.of("3.13", "arm64"))
    print(layer.path, layer.unzipped_bytes)
    layers = build_layers("build/layer", plan_layers())

Or from a shell: ``python -m momento_lambda_layer build --all``.
"""

from momento_lambda_layer.build import build_layer, build_layers
from momento_lambda_layer.bytecode import Bytecode
from momento_lambda_layer.doctor import diagnose
from momento_lambda_layer.errors import (
    FetchError,
    InterpreterError,
    LayerError,
    LibraryError,
    MissingExtraError,
    UnreadableZipError,
    UnsupportedTargetError,
    VerificationError,
)
from momento_lambda_layer.fetch import Wheel
from momento_lambda_layer.finding import Fault, Finding
from momento_lambda_layer.layer import Layer
from momento_lambda_layer.packages import Packages
from momento_lambda_layer.plan import Plan, plan_layers
from momento_lambda_layer.target import Target
from momento_lambda_layer.verify import verify_layer

__all__ = [
    "Bytecode",
    "Fault",
    "FetchError",
    "Finding",
    "InterpreterError",
    "Layer",
    "LayerError",
    "LibraryError",
    "MissingExtraError",
    "Packages",
    "Plan",
    "Target",
    "UnreadableZipError",
    "UnsupportedTargetError",
    "VerificationError",
    "Wheel",
    "build_layer",
    "build_layers",
    "diagnose",
    "plan_layers",
    "verify_layer",
]
