"""What cache-aside libraries do at the edges, found out by running them.

They are installed with `pip install aiocache cashews dogpile.cache redis`, or `--libraries` names a folder that they
were installed into with `pip install --target`. With `--quick` this library runs alone.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from benchmarks.libraries.behaviours import BEHAVIOURS, Behaviour
from benchmarks.libraries.library import Library
from benchmarks.libraries.of_momento import Momento
from benchmarks.report import Report, arguments, publish
from momento_lambda.server import LocalServer

OTHERS = {"aiocache": "Aiocache", "cashews": "Cashews", "dogpile": "Dogpile"}
QUICK = ("a function that returns None", 'f(1) and f("1")', "a batch without one of its ids")


def main() -> None:
    """Ask every library everything, and print what each did."""
    parser = arguments("What cache-aside libraries do at the edges, found out by running them.")
    parser.add_argument("--libraries", metavar="DIR", help="a folder that the other libraries are installed in")
    told = parser.parse_args()
    if told.libraries is not None:
        # Last: what they bring along must not stand in for what this library runs on.
        sys.path.append(told.libraries)
    # They log what fails, which the table says already.
    logging.disable()
    with LocalServer() as server:
        libraries: list[Library] = [Momento(server), *([] if told.quick else others())]
        behaviours = {name: BEHAVIOURS[name] for name in QUICK} if told.quick else BEHAVIOURS
        rows = asyncio.run(ask(libraries, behaviours))
    publish(report(libraries, rows), write=told.write)


def others() -> list[Library]:
    """Return the other libraries, where all of them are installed."""
    found: list[Library] = []
    for module, name in OTHERS.items():
        try:
            found.append(getattr(import_module(f"benchmarks.libraries.of_{module}"), name)())
        except ModuleNotFoundError as error:
            raise SystemExit(
                f"{error.name} is not installed: pip install --target DIR aiocache cashews dogpile.cache redis, "
                "then name the folder with --libraries DIR; --quick goes without"
            ) from error
    return found


async def ask(libraries: Sequence[Library], behaviours: dict[str, Behaviour]) -> list[Sequence[str]]:
    """Return a row for each behaviour, with what each library did."""
    return [
        (name, *[await _outcome(behaviour, library) for library in libraries]) for name, behaviour in behaviours.items()
    ]


async def _outcome(behaviour: Behaviour, library: Library) -> str:
    try:
        return await behaviour(library)
    except Exception as error:  # noqa: BLE001  # a refusal is an outcome too
        return f"refused: {type(error).__name__}"


def report(libraries: Sequence[Library], rows: Sequence[Sequence[str]]) -> Report:
    """Return the table."""
    return Report(
        title="Cache-aside libraries side by side",
        about=(
            "Each is used as its documentation shows it, with its own defaults: the others in memory, and with Redis "
            "where the\nbackend is dead; this library always with a server. It refuses the method of an object "
            "without a `__cache_key__`,\nsince nothing says what tells that object from another. A call is given up "
            "after 5 s."
        ),
        header=("asked for", *[library.name for library in libraries]),
        rows=rows,
    )


if __name__ == "__main__":
    main()
