"""Items that are counted with: integers of 64 bits, kept as decimal text."""

from momento_lambda.errors import FailedPreconditionError


def no_integer() -> FailedPreconditionError:
    """Return the error of an item that cannot be counted with."""
    return FailedPreconditionError(
        "the item is not an integer of 64 bits in decimal digits: set it to one, or delete it, to increment it"
    )


def sum_too_large() -> FailedPreconditionError:
    """Return the error of a sum that cannot be kept."""
    return FailedPreconditionError("the sum would not fit an integer of 64 bits: the item stays as it was")
