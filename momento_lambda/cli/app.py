"""The commands as one application, and what becomes of their errors."""

import sys
from collections.abc import Sequence
from typing import Annotated, Final, cast

import typer

from momento_lambda.cli import (
    cache_commands,
    item_commands,
    layer_command,
    run_command,
    serve_command,
    token_commands,
)
from momento_lambda.errors import InvalidArgumentError, InvalidTokenError, MomentoError
from momento_lambda.version import __version__

_NAME: Final = "momento-lambda"
_FAILED: Final = 1
_WRONG_USAGE: Final = 2
_INTERRUPTED: Final = 130

# Whatever is wrong with the arguments. typer has this class of click's under a private name that changes between its
# versions; what is used of it, BadParameter inherits.
_UsageError: Final = cast("type[typer.BadParameter]", typer.BadParameter.__base__)

app: Final = typer.Typer(
    name=_NAME,
    help="A cache server for development, its tokens, and caches anywhere. Exits with 0 done, 1 failed, 2 wrong usage.",
    add_completion=False,
    # Plain text, which reads the same in a log as on a terminal.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("serve", context_settings=serve_command.SETTINGS)(serve_command.serve)
app.command("run")(run_command.run)
app.add_typer(token_commands.app, name="token")
app.add_typer(cache_commands.app, name="cache")
app.command("get")(item_commands.get)
app.command("set")(item_commands.set_item)
app.command("delete")(item_commands.delete)
app.command("layer", context_settings=layer_command.SETTINGS)(layer_command.layer)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Args:
        arguments: The command and what follows it; None for the process's own.
    """
    try:
        code: int | None = app(arguments, prog_name=_NAME, standalone_mode=False)
    except _UsageError as error:
        return _fail(f"{error.format_message()} (see `{_NAME} --help`)", _WRONG_USAGE)
    except (typer.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except MomentoError as error:
        usage = isinstance(error, InvalidArgumentError) and not isinstance(error, InvalidTokenError)
        return _fail(error.message, _WRONG_USAGE if usage else _FAILED)
    except OSError as error:
        return _fail(str(error), _FAILED)
    return code or 0


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"{_NAME} {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(_WRONG_USAGE)


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"{_NAME}: {' '.join(message.split())}\n")
    return code
