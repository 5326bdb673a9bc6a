"""The commands that judge what is already there: `verify`, `inspect` and `doctor`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from momento_lambda_layer import arguments
from momento_lambda_layer.doctor import diagnose
from momento_lambda_layer.finding import write_findings
from momento_lambda_layer.inspection import inspect_layer
from momento_lambda_layer.target import Target
from momento_lambda_layer.verify import remarks_on, tell_targets, verify_layer

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from momento_lambda_layer.finding import Finding

_FAILED = 1


def add_commands(subparsers: arguments.Commands) -> None:
    """Add the commands to a parser; each sets `run`, which takes the options and returns the exit code."""
    verify = subparsers.add_parser(
        "verify",
        help="say what is wrong with a layer's zip",
        description="Say what is wrong with a layer's zip, and end with 1 if something is. Where its Python is on this "
        "machine, code in it is run.",
    )
    verify.add_argument("zip", type=Path, metavar="ZIP", help="its name tells what it is for, unless options do")
    arguments.add_target(verify, "as the file name says, unless given")
    verify.add_argument("--no-run", action="store_true", help="read the zip, and run no code in it")
    verify.set_defaults(run=_verify)
    inspect = subparsers.add_parser("inspect", help="say what is in a layer's zip, and what the trim rules leave out")
    inspect.add_argument("zip", type=Path, metavar="ZIP")
    inspect.set_defaults(run=_inspect)
    doctor = subparsers.add_parser(
        "doctor",
        help="say what is wrong with a function and its layers together",
        description="Say what is wrong with a function and its layers together, and end with 1 if something is. They "
        "are folders or zips, layers in the order in which the function names them. None of their code is run.",
    )
    doctor.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="of a function or a layer")
    arguments.add_target(doctor, "as a file name says or else this machine's, unless given")
    doctor.set_defaults(run=_doctor)


def _verify(options: argparse.Namespace) -> int:
    runtime, architecture = _names(options)
    faults = 0
    for target in tell_targets(options.zip, runtime, architecture):
        findings = verify_layer(options.zip, target, run=not options.no_run)
        faults += len(findings)
        for remark in remarks_on(options.zip, target):
            sys.stdout.write(f"note: {remark}\n")
        _report(f"{options.zip} for {target}", findings)
    return _end(str(options.zip), faults)


def _inspect(options: argparse.Namespace) -> int:
    sys.stdout.write(f"{inspect_layer(options.zip)}\n")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    runtime, architecture = _names(options)
    told = [target for path in options.paths for target in Target.in_file_name(path.name, runtime, architecture)]
    target = told[0] if told else Target.of(runtime, architecture)
    findings = diagnose(options.paths, target)
    names = ", ".join(map(str, options.paths))
    _report(f"{names} on {target}", findings)
    return _end(names, len(findings))


def _names(options: argparse.Namespace) -> tuple[str | None, str | None]:
    return options.runtime and options.runtime.name, options.arch and options.arch.name


def _report(what: str, findings: Sequence[Finding]) -> None:
    if findings:
        write_findings(findings)
    else:
        sys.stdout.write(f"{what}: no fault found\n")


def _end(what: str, faults: int) -> int:
    if not faults:
        return 0
    sys.stderr.write(f"error: {what} has faults: {faults}\n")
    return _FAILED
