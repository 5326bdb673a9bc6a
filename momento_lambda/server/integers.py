"""Items that are counted with: integers of 64 bits, kept as decimal text."""

import re
from typing import Final

from momento_lambda.errors import FailedPreconditionError

LONGEST_INTEGER: Final = 20
"""The bytes of the longest: a sign and 19 digits."""

_INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_INT64: Final = range(-(2**63), 2**63)


def sum_of(value: bytes | None, amount: int) -> int:
    """Return what an item is after an amount was added to it; where there is none, it counts as 0.

    Raises:
        FailedPreconditionError: The item is no integer of 64 bits, or the sum would be none.
    """
    total = _integer(value) + amount
    if total not in _INT64:
        raise sum_too_large()
    return total


def no_integer() -> FailedPreconditionError:
    """Return the error of an item that cannot be counted with."""
    return FailedPreconditionError(
        "the item is not an integer of 64 bits in decimal digits: set it to one, or delete it, to increment it"
    )


def sum_too_large() -> FailedPreconditionError:
    """Return the error of a sum that cannot be kept."""
    return FailedPreconditionError("the sum would not fit an integer of 64 bits: the item stays as it was")


def _integer(value: bytes | None) -> int:
    if value is None:
        return 0
    number = int(value) if _INTEGER.fullmatch(value) else None
    if number is None or number not in _INT64:
        raise no_integer()
    return number
