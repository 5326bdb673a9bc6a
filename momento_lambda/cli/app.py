"""The commands as one application, and what becomes of their errors."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, Final, cast

import typer
from typer.core import TyperGroup
from typer.main import get_group
from typing_extensions import override

from momento_lambda.errors import InvalidArgumentError, InvalidTokenError, MomentoError
from momento_lambda.version import __version__

_NAME: Final = "momento-lambda"
_FAILED: Final = 1
_WRONG_USAGE: Final = 2
_INTERRUPTED: Final = 130

# Whatever is wrong with the arguments. typer has this class of click's under a private name that changes between its
# versions; what is used of it, BadParameter inherits.
_UsageError: Final = cast("type[typer.BadParameter]", typer.BadParameter.__base__)

_COMMANDS: Final = {
    "serve": "serve_command.serve",
    "run": "run_command.run",
    "token": "token_commands.app",
    "key": "key_commands.app",
    "cache": "cache_commands.app",
    "get": "item_commands.get",
    "set": "item_commands.set_item",
    "delete": "item_commands.delete",
    "layer": "layer_command.layer",
}
"""The commands in their order, and where each is. A module may say in SETTINGS how arguments of its own are read."""


class _Commands(TyperGroup):
    """The commands, of which a module is imported when one of its own is asked for: `get` pays for no server."""

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # Where there is none of that name, all are wanted, to say which of them is like it.
        for name in [cmd_name] if cmd_name in _COMMANDS else _COMMANDS:
            self.commands.update(get_group(_loaded(name)).commands)
        return super().get_command(ctx, cmd_name)


def _application(**settings: Any) -> typer.Typer:
    # Plain text, which reads the same in a log as on a terminal.
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **settings)


def _loaded(name: str) -> typer.Typer:
    """Return an application of one command."""
    module_name, attribute = _COMMANDS[name].split(".")
    module = import_module(f"{__package__}.{module_name}")
    command = getattr(module, attribute)
    application = _application()
    if isinstance(command, typer.Typer):
        application.add_typer(command, name=name)
    else:
        application.command(name, context_settings=getattr(module, "SETTINGS", None))(command)
    return application


app: Final = _application(
    name=_NAME,
    cls=_Commands,
    help="A cache server for development, its tokens, and caches anywhere. Exits with 0 done, 1 failed, 2 wrong usage.",
)


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
