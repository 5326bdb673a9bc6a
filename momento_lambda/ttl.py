"""Times to live: the only place where a duration becomes milliseconds."""

import re
from datetime import timedelta
from typing import TypeAlias

from momento_lambda.errors import InvalidArgumentError

Ttl: TypeAlias = int | float | timedelta | str
"""Seconds, a timedelta, or text with units: "250ms", "90s", "1h30m", "1d"."""

MIN_TTL_MS = 1_000
MAX_TTL_MS = 86_400_000

_ALLOWED = 'a TTL is between 1 second and 1 day: seconds, a timedelta, or text such as "90s" or "1h30m"'
_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
# Compiled when it is first needed, and kept by `re`: a cold start need not wait for what not everyone writes.
_TEXT = r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?(?:(?P<ms>\d+)ms)?"
# Longer digits than these say nothing that the range below would not refuse, and int() of them is slow.
_MAX_TEXT = 40


def ttl_milliseconds(ttl: Ttl) -> int:
    """Return a time to live in whole milliseconds, within what the protocol allows.

    Args:
        ttl: Seconds (int or float), a timedelta, or text with units.

    Raises:
        InvalidArgumentError: Not a duration, or outside 1 second to 1 day.
    """
    milliseconds = duration_milliseconds(ttl)
    if not MIN_TTL_MS <= milliseconds <= MAX_TTL_MS:
        raise InvalidArgumentError(f"TTL {_shown(ttl)} is out of range: {_ALLOWED}")
    return milliseconds


def duration_milliseconds(duration: Ttl) -> int:
    """Return a duration in whole milliseconds, whatever its sign or size.

    Args:
        duration: Seconds (int or float), a timedelta, or text with units.

    Raises:
        InvalidArgumentError: Not a duration: a bool, NaN, infinity, or text without units.
    """
    if isinstance(duration, timedelta):
        return round(duration / timedelta(milliseconds=1))
    if isinstance(duration, str):
        return _parse(duration)
    if isinstance(duration, bool) or not isinstance(duration, (int, float)):
        raise InvalidArgumentError(f"TTL of type {type(duration).__name__} is not a duration: {_ALLOWED}")
    try:
        return round(duration * 1000)
    except (ValueError, OverflowError):
        raise InvalidArgumentError(f"TTL {_shown(duration)} is not a duration: {_ALLOWED}") from None


def _parse(text: str) -> int:
    found = re.fullmatch(_TEXT, text, re.ASCII) if 0 < len(text) <= _MAX_TEXT else None
    if found is None:
        raise InvalidArgumentError(f"TTL {_shown(text)} is not a duration: {_ALLOWED}")
    return sum(int(amount) * _UNITS_MS[unit] for unit, amount in found.groupdict().items() if amount)


def _shown(ttl: Ttl) -> str:
    try:
        text = repr(ttl)
    except ValueError:  # Python writes no integer of thousands of digits
        return "of thousands of digits"
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "..."
