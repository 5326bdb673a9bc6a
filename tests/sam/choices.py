"""The runtimes and processors that may be chosen, and those whose layers are built here."""

import os
from typing import Final, TypeAlias

from momento_lambda_layer import Target, plan_layers

Choice: TypeAlias = tuple[str, str]
"""A runtime and an architecture, as Lambda names them."""

EVERYTHING: Final = {
    "MomentoEndpoint": "cell.example.com",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
    "SubnetIds": "subnet-0a0a0a0a0a0a0a0a0,subnet-0b0b0b0b0b0b0b0b0",
    "SecurityGroupIds": "sg-0a0a0a0a0a0a0a0a0",
    "VpcId": "vpc-0a0a0a0a0a0a0a0a0",
    "VpcEndpointServiceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-0a0a0a0a0a0a0a0a0",
}
"""Whatever else may be given, given."""


def every_choice() -> list[Choice]:
    """Return every runtime on every processor that there are layers for."""
    return [_choice(target) for plan in plan_layers() for target in plan.targets]


def this_machine() -> Choice:
    """Return the one choice whose functions can be run here."""
    return _choice(Target.of_this_machine())


def built_choices() -> list[Choice]:
    """Return the choice that fits this machine; every one where `make sam-matrix` asks for all, which takes a while."""
    return every_choice() if os.environ.get("SAM_MATRIX") else [this_machine()]


def layer_name(runtime: str, architecture: str) -> str:
    """Return the logical id of the layer for a choice."""
    suffix = {"arm64": "Arm64", "x86_64": "X8664"}[architecture]
    return f"MomentoLayerPowertools{runtime.title().replace('.', '')}{suffix}"


def _choice(target: Target) -> Choice:
    return target.runtime.name, target.architecture.name
