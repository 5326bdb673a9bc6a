"""Durations as a person types them."""

from typing import Final

import typer

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.ttl import duration_milliseconds

_EXAMPLES: Final = 'seconds, or text such as "90s", "1h30m" or "30d"'


def milliseconds(text: str) -> int:
    """Return a duration above 0; digits alone are seconds.

    Raises:
        typer.BadParameter: Not a duration, or 0.
    """
    try:
        duration = duration_milliseconds(int(text) if text.isascii() and text.isdecimal() else text)
    except (InvalidArgumentError, ValueError):
        duration = 0
    if duration <= 0:
        raise typer.BadParameter(f"{text[:40]!r} is not a duration above 0: give {_EXAMPLES}")
    return duration
