"""The server of one's own, as more than one command knows it: where it is, where its keys are, what tokens may do."""

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

LimitRequests: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Calls a second for one token.", show_default="no limit")
]
LimitBytes: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, metavar="BYTES", help="Requests and replies a second for one token.", show_default="no limit"),
]
LimitItem: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, metavar="BYTES", help="The largest item that one token writes.", show_default="the server's"),
]
