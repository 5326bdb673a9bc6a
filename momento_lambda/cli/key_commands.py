"""`momento-lambda key ...`: what a server's tokens are signed with, in its data folder, while it runs or not."""

import math
import time
from typing import Annotated, Final

import typer

from momento_lambda.cli.durations import milliseconds
from momento_lambda.cli.own_server import DataFolder
from momento_lambda.errors import InvalidArgumentError
from momento_lambda.server.data_folder import default_data_folder
from momento_lambda.server.key_folder import KeyFolder
from momento_lambda.server.signing_key import SigningKey, newest

app: Final = typer.Typer(
    help="Create, list and revoke what tokens are signed with. Servers with this data folder notice within a second."
)


@app.command()
def create(
    *,
    data_dir: DataFolder = None,
    expires: Annotated[
        str | None, typer.Option(metavar="DURATION", help="How long its tokens are accepted.", show_default="for ever")
    ] = None,
) -> None:
    """Make a key beside those that there are, and print its id."""
    seconds = math.inf if expires is None else milliseconds(expires) / 1000
    key = SigningKey.generate(seconds=seconds)
    KeyFolder(data_dir or default_data_folder()).add(key)
    typer.echo(key.id)


@app.command("list")
def list_all(*, data_dir: DataFolder = None) -> None:
    """Print every key: its id, when it was made, when it expires, and which one new tokens are signed with."""
    keys = KeyFolder(data_dir or default_data_folder())
    now = time.time()
    accepted = sorted((key for key in keys.by_id().values() if now < key.expiry), key=lambda key: key.created)
    for key in accepted:
        signs = "  signs new tokens" if key is newest(keys, now) else ""
        typer.echo(f"{key.id}  created {_date(key.created)}  expires {_date(key.expiry)}{signs}")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.")], *, data_dir: DataFolder = None
) -> None:
    """Remove a key: no token that was signed with it is accepted any more."""
    if not KeyFolder(data_dir or default_data_folder()).remove(key_id):
        raise InvalidArgumentError("there is no key of that id: see `momento-lambda key list`")
    typer.echo(f"revoked the key {key_id}")


def _date(seconds: float) -> str:
    if seconds == math.inf:
        return "never"
    # The first key of a folder does not say.
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds)) if seconds else "(not noted)"
