"""`momento-lambda layer ...`: the layer builder, which has a command line of its own."""

from importlib.util import find_spec
from typing import Final

import typer

_NAME: Final = "momento-lambda layer"
_FAILED: Final = 1
# What the builder imports, and whether it is there tells whether the extra is.
_EXTRA: Final = ("uv", "boto3", "packaging", "elftools", "rich")

SETTINGS: Final = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Everything after `layer` is for the builder to read, `--help` too."""


def layer(context: typer.Context) -> None:
    """Build, verify and publish Lambda layers; `momento-lambda layer --help` lists the commands."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        typer.echo(f"{_NAME}: {', '.join(missing)} not installed: pip install 'momento-lambda[layer]'", err=True)
        raise typer.Exit(_FAILED)
    from momento_lambda_layer.cli import main  # noqa: PLC0415  # an optional extra, which no other command needs

    raise typer.Exit(main(context.args, program=_NAME))
