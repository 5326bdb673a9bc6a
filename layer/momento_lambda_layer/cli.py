"""The command line.

Exit codes: 0 done; 1 it failed, with one line on standard error; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer.build import build_layer
from momento_lambda_layer.checks import UNZIPPED_LIMIT
from momento_lambda_layer.errors import LayerError, UnsupportedTargetError, VerificationError
from momento_lambda_layer.target import Target
from momento_lambda_layer.verify import verify_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from momento_lambda_layer.finding import Finding
    from momento_lambda_layer.layer import Layer

_FAILED = 1
# What a shell reports for a program that Ctrl-C ended.
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: Those of the process, unless given.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        target = _target(options)
    except UnsupportedTargetError as error:
        parser.error(str(error))
    try:
        if options.command == "build":
            return _build(options.output, target, offline=options.offline)
        return _verify(options.zip, target)
    except VerificationError as error:
        _print_findings(error.findings)
        return _fail(error)
    except (LayerError, OSError) as error:
        return _fail(error)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing was written\n")
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m momento_lambda_layer", description="Lambda layers of momento-lambda."
    )
    target = argparse.ArgumentParser(add_help=False)
    target.add_argument("--runtime", help="python3.13 or 3.13; this machine's, unless given")
    target.add_argument("--architecture", help="x86_64 or arm64; this machine's, unless given")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", parents=[target], help="build a layer, verify it, and write its manifest")
    build.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder to write to")
    build.add_argument("--offline", action="store_true", help="take wheels from uv's cache alone")
    verify = commands.add_parser(
        "verify",
        parents=[target],
        help="say what is wrong with a layer's zip",
        description="Say what is wrong with a layer's zip. Where it is for this machine, code in it is run.",
    )
    verify.add_argument("zip", type=Path, metavar="ZIP", help="its name tells the target, unless options do")
    return parser


def _target(options: argparse.Namespace) -> Target | None:
    if options.runtime is None and options.architecture is None:
        return None
    return Target.of(options.runtime, options.architecture)


def _build(output: Path, target: Target | None, *, offline: bool) -> int:
    layer = build_layer(output, target, offline=offline)
    _print(_summary(layer))
    return 0


def _verify(path: Path, target: Target | None) -> int:
    findings = verify_layer(path, target)
    if not findings:
        _print(f"{path}: no fault found")
        return 0
    _print_findings(findings)
    return _fail(f"{path} has faults: {len(findings)}")


def _summary(layer: Layer) -> str:
    wheels = ", ".join(f"{name} {version}" for name, version in layer.wheels.items())
    bytecode = f"for Python {layer.bytecode}" if layer.bytecode else "none: no interpreter of this version is here"
    imported = "read, and imported in a bare interpreter" if layer.target.runs_here else "read"
    return f"""\
Built momento-lambda {layer.version} for {layer.target}
  wheels    {wheels}
  files     {layer.file_count}
  size      {_megabytes(layer.zipped_bytes)} zipped, {_megabytes(layer.unzipped_bytes)} unzipped \
of the {_megabytes(UNZIPPED_LIMIT)} that Lambda allows
  bytecode  {bytecode}
  verified  {imported}: no fault found
  sha256    {layer.sha256}
  layer     {layer.path}
  manifest  {layer.manifest_path}"""


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        _print(f"{finding.place}\n  on Lambda  {finding.symptom}\n  to fix it  {finding.remedy}")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _fail(reason: object) -> int:
    sys.stderr.write(f"error: {reason}\n")
    return _FAILED
