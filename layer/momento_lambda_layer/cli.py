"""The command line.

Exit codes: 0 done; 1 it failed or found faults, with one line on standard error; 2 wrong usage; 130 interrupted.
Results go to standard output, progress to standard error.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from momento_lambda_layer import build_command, judging_commands, publish
from momento_lambda_layer.arguments import Parser
from momento_lambda_layer.errors import LayerError, UnsupportedTargetError

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAILED = 1
_WRONG_USAGE = 2
# What a shell reports for a program that Ctrl-C ended.
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, *, program: str = "python -m momento_lambda_layer") -> int:
    """Run a command and return its exit code.

    Args:
        arguments: Those of the process, unless given.
        program: What the user called, for help and errors.

    Raises:
        SystemExit: The usage was wrong, or help was asked for.
    """
    options = _parser(program).parse_args(arguments)
    try:
        return int(options.run(options))
    except UnsupportedTargetError as error:
        return _fail(error, _WRONG_USAGE)
    except (LayerError, OSError) as error:
        return _fail(error, _FAILED)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing half-done was left behind\n")
        return _INTERRUPTED


def _parser(program: str) -> Parser:
    parser = Parser(prog=program, description="Lambda layers of momento-lambda: build, verify and publish them.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (build_command, judging_commands, publish):
        module.add_commands(subparsers)
    return parser


def _fail(reason: object, code: int) -> int:
    sys.stderr.write(f"error: {reason}\n")
    return code
