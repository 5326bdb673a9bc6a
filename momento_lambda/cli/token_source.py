"""Where a token comes from: a file, standard input or the environment, and never an argument."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from momento_lambda.credentials import API_KEY_VARIABLE, LEGACY_TOKEN_VARIABLE

STANDARD_INPUT: Final = Path("-")

# A token is never an argument: the arguments of a process are for everyone on the machine to see.
TokenFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help=f"Read the token from this file, or from standard input with -. Else {API_KEY_VARIABLE} or "
        f"{LEGACY_TOKEN_VARIABLE} holds it.",
        metavar="FILE",
    ),
]


def read_token(token_file: Path | None) -> str:
    """Return the token in a file, on standard input or in the environment, or an empty string where there is none.

    Raises:
        typer.BadParameter: The file cannot be read.
    """
    if token_file is not None:
        try:
            content = sys.stdin.buffer.read() if token_file == STANDARD_INPUT else token_file.read_bytes()
            return content.decode(errors="replace").strip()
        except OSError as error:
            raise typer.BadParameter(f"the token file {token_file} cannot be read: {error.strerror}") from error
    return os.environ.get(API_KEY_VARIABLE) or os.environ.get(LEGACY_TOKEN_VARIABLE) or ""
