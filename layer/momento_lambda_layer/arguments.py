"""What the commands take alike, and the words that they answer wrong usage with."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

from momento_lambda_layer.errors import UnsupportedTargetError
from momento_lambda_layer.target import find_architecture, find_runtime

if TYPE_CHECKING:
    from momento_lambda_layer.target import Architecture, Runtime

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # argparse has no public name for it

_WRONG_USAGE = 2


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        """End the process."""
        self.exit(_WRONG_USAGE, f"error: {message} (see `{self.prog} --help`)\n")


def runtime(text: str) -> Runtime:
    """Read the name of a runtime: ``python3.13`` or ``3.13``."""
    try:
        return find_runtime(text)
    except UnsupportedTargetError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def architecture(text: str) -> Architecture:
    """Read the name of an architecture."""
    try:
        return find_architecture(text)
    except UnsupportedTargetError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def count(text: str) -> int:
    """Read a whole number from 1 on."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def add_target(parser: argparse.ArgumentParser, otherwise: str) -> None:
    """Add the options that name what something is for.

    Args:
        parser: What to add them to.
        otherwise: What holds where they are not given.
    """
    parser.add_argument("--runtime", type=runtime, metavar="3.13", help=f"3.13 or python3.13; {otherwise}")
    parser.add_argument("--arch", type=architecture, metavar="ARCH", help=f"x86_64 or arm64; {otherwise}")
