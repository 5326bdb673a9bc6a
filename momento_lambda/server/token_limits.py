"""How much one token may ask of one server."""

from collections.abc import Mapping
from typing import Final, NamedTuple, final

from momento_lambda.errors import InvalidArgumentError


@final
class TokenLimits(NamedTuple):
    """Bounds on what is asked with one token; None where there is none.

    Attributes:
        requests_per_second: Calls, of which as many may come at once.
        bytes_per_second: Requests and replies together, of which as many may come at once; what goes beyond must be
            made up for before the next call.
        item_bytes: An item that is written, key plus value.
    """

    requests_per_second: int | None = None
    bytes_per_second: int | None = None
    item_bytes: int | None = None

    @classmethod
    def from_claim(cls, claim: object) -> "TokenLimits":
        """Return the limits that a token names.

        Raises:
            InvalidArgumentError: It names one that is not known, or is no number above 0.
        """
        if not isinstance(claim, Mapping) or not claim.keys() <= set(cls._fields):
            raise InvalidArgumentError(f"limits are some of {', '.join(cls._fields)}")
        limits = cls(**claim)
        limits.check()
        return limits

    def check(self) -> None:
        """Return if each is a number that can be kept to.

        Raises:
            InvalidArgumentError: One is no whole number above 0.
        """
        for name, value in self._asdict().items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise InvalidArgumentError(f"the limit {name} is not a whole number above 0")

    def claim(self) -> dict[str, int]:
        """Return the limits as a token names them."""
        return {name: value for name, value in self._asdict().items() if value is not None}

    def within(self, defaults: "TokenLimits") -> "TokenLimits":
        """Return these limits, and where there is none the default."""
        return TokenLimits(*(default if own is None else own for own, default in zip(self, defaults, strict=True)))


UNLIMITED: Final = TokenLimits()
