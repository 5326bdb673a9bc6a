"""Durations as a person types them."""

import re
from typing import Final

import typer

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.ttl import duration_milliseconds

_SECONDS: Final = re.compile(r"\d+(\.\d+)?", re.ASCII)
_EXAMPLES: Final = 'seconds, or text such as "90s", "1h30m" or "30d"'


def milliseconds(text: str) -> int:
    """Return a duration above 0; a number alone is seconds.

    Raises:
        typer.BadParameter: Not a duration, or 0.
    """
    try:
        duration = duration_milliseconds(float(text) if _SECONDS.fullmatch(text) else text)
    except InvalidArgumentError:
        duration = 0
    if duration <= 0:
        raise typer.BadParameter(f"{text[:40]!r} is not a duration above 0: give {_EXAMPLES}")
    return duration
