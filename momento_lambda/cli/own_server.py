"""The server of one's own, as more than one command knows it: where it listens, and where its key is kept."""

from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8080

DataFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where the signing keys are kept; a first one is made if there is none.",
        show_default="this user's data folder",
        file_okay=False,
    ),
]
