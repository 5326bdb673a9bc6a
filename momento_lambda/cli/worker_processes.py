"""`momento-lambda serve --workers N`: the same command again, in N processes."""

import asyncio
import sys
from collections.abc import Iterator
from typing import Final

import typer

from momento_lambda.server.serving import stop_on_signal
from momento_lambda.server.stores import MEMORY
from momento_lambda.server.workers import Workers, shared_port

_PROGRAM: Final = (sys.executable, "-m", "momento_lambda.cli.main")


def serve_with_workers(
    context: typer.Context, count: int, *, store: str, host: str, port: int, admin_port: int | None
) -> None:
    """Serve until interrupted, in several processes that share a port.

    Args:
        context: The command as it was given; each process is given it again.
        count: How many.
        store: Where the caches are.
        host: The address that all listen on.
        port: The port there, or 0 for one that is free.
        admin_port: The first's; each of the others takes the next. None for no admin pages.
    """
    if store == MEMORY:
        raise typer.BadParameter(
            "several workers need a store that they can share, and each would have a memory of its own: "
            "give --store valkey://HOST:PORT, or one worker"
        )
    with shared_port(host, port) as held:
        given = list(_given(context))

        def command(number: int) -> list[str]:
            own = ["--worker", "--workers", "1", "--port", str(held)]
            if admin_port:
                own += ["--admin-port", str(admin_port + number)]
            return [*_PROGRAM, "serve", *given, *own]

        asyncio.run(_run(Workers(count, command)))


async def _run(workers: Workers) -> None:
    # Flushed, since whoever started this reads it from a pipe to know that it may call.
    await workers.run(lambda line: print(line, flush=True), stop_on_signal())  # noqa: T201  # see above


def _given(context: typer.Context) -> Iterator[str]:
    """Yield the options that were typed. Those of the environment are there for the workers too."""
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        source = context.get_parameter_source(parameter.name or "")
        if source is None or source.name != "COMMANDLINE":
            continue
        yield parameter.opts[0]
        if not getattr(parameter, "is_flag", False):
            yield str(getattr(value, "value", value))
