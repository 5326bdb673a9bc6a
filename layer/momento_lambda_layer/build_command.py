"""The command `build`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer import arguments
from momento_lambda_layer.build import build_layers
from momento_lambda_layer.bytecode import Bytecode
from momento_lambda_layer.checks import UNZIPPED_LIMIT
from momento_lambda_layer.errors import VerificationError
from momento_lambda_layer.finding import write_findings
from momento_lambda_layer.packages import Packages
from momento_lambda_layer.plan import plan_layers
from momento_lambda_layer.progress import reporting
from momento_lambda_layer.target import ARCHITECTURES, RUNTIMES, Target
from momento_lambda_layer.verify import remarks_on

if TYPE_CHECKING:
    import argparse

    from momento_lambda_layer.layer import Layer
    from momento_lambda_layer.plan import Plan

OUTPUT = Path("build", "layer")


def add_commands(subparsers: arguments.Commands) -> None:
    """Add the command to a parser; it sets `run`, which takes the options and returns the exit code."""
    build = subparsers.add_parser(
        "build",
        help="build layers, verify them, and write their manifests",
        description="Build layers, verify them, and write each with its manifest: for this machine's Python and "
        "processor, unless options name others.",
    )
    _add_targets(build)
    _add_packages(build)
    build.add_argument("--output", type=Path, default=OUTPUT, metavar="DIR", help=f"where to write ({OUTPUT})")
    build.add_argument(
        "--bytecode",
        type=Bytecode,
        choices=list(Bytecode),
        default=Bytecode.AUTO,
        help="for every runtime or fail, for those whose interpreter is on this machine (the default), or for none",
    )
    build.add_argument("--offline", action="store_true", help="take everything from uv's cache")
    build.add_argument("--jobs", type=arguments.count, metavar="N", help="layers at a time (one per processor)")
    build.set_defaults(run=_build)


def _add_targets(build: argparse.ArgumentParser) -> None:
    build.add_argument(
        "--python", type=arguments.runtime, action="append", metavar="3.13", help="3.13 or python3.13; repeatable"
    )
    build.add_argument(
        "--arch", type=arguments.architecture, action="append", metavar="ARCH", help="x86_64 or arm64; repeatable"
    )
    build.add_argument("--all", action="store_true", help="every runtime and both architectures, where none is named")
    build.add_argument(
        "--multi",
        action="store_true",
        help="one layer for each architecture that serves the runtimes named, or else all of them",
    )


def _add_packages(build: argparse.ArgumentParser) -> None:
    build.add_argument(
        "--with",
        dest="requirements",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="put in this package too, such as 'orjson>=3'; repeatable",
    )
    build.add_argument(
        "--requirements", dest="file", type=Path, metavar="FILE", help="put in what this requirements file names too"
    )
    build.add_argument("--with-powertools", action="store_true", help="put in Powertools for AWS Lambda too")


def plans_for(options: argparse.Namespace) -> tuple[Plan, ...]:
    """Return the layers that the options ask for.

    Raises:
        UnsupportedTargetError: None is named, and Lambda does not offer what this machine is.
    """
    runtimes, architectures = options.python, options.arch
    if not runtimes:
        runtimes = RUNTIMES if options.all or options.multi else [Target.of(None, "x86_64").runtime]
    if not architectures:
        architectures = ARCHITECTURES if options.all else [Target.of(runtimes[0].name).architecture]
    return plan_layers(tuple(dict.fromkeys(runtimes)), tuple(dict.fromkeys(architectures)), multi=options.multi)


def _build(options: argparse.Namespace) -> int:
    plans = plans_for(options)
    packages = Packages(tuple(options.requirements), options.file, options.with_powertools)
    try:
        with reporting(plans) as progress:
            layers = build_layers(
                options.output,
                plans,
                jobs=options.jobs,
                packages=packages,
                bytecode=options.bytecode,
                offline=options.offline,
                progress=progress,
            )
    except VerificationError as error:
        write_findings(error.findings)
        raise
    for layer in layers:
        sys.stdout.write(f"{_summary(layer)}\n")
    return 0


def _summary(layer: Layer) -> str:
    wheels = ", ".join(dict.fromkeys(f"{wheel.name} {wheel.version}" for wheel in layer.wheels))
    compiled = ", ".join(layer.compilers.values())
    sizes = f"{layer.zipped_bytes / 1e6:.1f} MB zipped, {layer.unzipped_bytes / 1e6:.1f} MB unzipped"
    lines = [
        f"Built momento-lambda {layer.version} for {layer.plan}",
        f"  wheels    {wheels}",
        *([f"  left out  {', '.join(layer.left_out)}: Lambda has it"] if layer.left_out else []),
        f"  files     {layer.file_count}",
        f"  size      {sizes} of the {UNZIPPED_LIMIT / 1e6:.1f} MB that Lambda allows",
        f"  bytecode  {f'by Python {compiled}' if compiled else 'none'}",
        *(f"  note      {remark}" for target in layer.plan.targets for remark in remarks_on(layer.path, target)),
        f"  sha256    {layer.sha256}",
        f"  layer     {layer.path}",
        f"  manifest  {layer.manifest_path}",
    ]
    return "\n".join(dict.fromkeys(lines))
