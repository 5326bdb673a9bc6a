"""What tokens with limits have left to spend."""

from typing import Final, final

from momento_lambda.server import clock as clocks
from momento_lambda.server.clock import NANOSECONDS_PER_SECOND, Clock
from momento_lambda.server.limits import RequestRateError, ThroughputError
from momento_lambda.server.token_limits import UNLIMITED, TokenLimits

_REMEMBERED: Final = 10_000


@final
class Account:
    """What a token has left to spend: two buckets that fill up with time, each to what one second brings.

    Args:
        limits: How fast they fill.
        now: The time, in nanoseconds. They begin full.
    """

    __slots__ = ("_at", "_bytes", "_limits", "_requests")

    def __init__(self, limits: TokenLimits, now: int) -> None:
        self._limits = limits
        self._at = now
        self._requests = float(limits.requests_per_second or 0)
        self._bytes = float(limits.bytes_per_second or 0)

    def begin(self, request_bytes: int, now: int) -> None:
        """Charge a call that begins.

        Raises:
            RequestRateError: There were too many.
            ThroughputError: They were too large.
        """
        seconds = (now - self._at) / NANOSECONDS_PER_SECOND
        self._at = now
        limits = self._limits
        if limits.requests_per_second is not None:
            full = limits.requests_per_second
            self._requests = min(self._requests + seconds * full, full)
            if self._requests < 1:
                raise RequestRateError(full)
        if limits.bytes_per_second is not None:
            full = limits.bytes_per_second
            self._bytes = min(self._bytes + seconds * full, full)
            if self._bytes <= 0:
                raise ThroughputError(full)
        self._requests -= 1
        self._bytes -= request_bytes

    def charge(self, reply_bytes: int) -> None:
        """Charge what was answered."""
        self._bytes -= reply_bytes


@final
class Accounts:
    """The accounts of tokens that limits are kept for.

    Tokens that were made with a limited one draw on its account, so that nobody gets more by making more. Only so many
    accounts are remembered; those that nobody has drawn on for longest are forgotten, and full again when they come
    back.

    Args:
        defaults: The limits of tokens that name none of their own.
        clock: The time that accounts fill up with.
        remembered: How many.
    """

    __slots__ = ("_accounts", "_clock", "_defaults", "_remembered")

    def __init__(
        self, defaults: TokenLimits = UNLIMITED, *, clock: Clock = clocks.monotonic, remembered: int = _REMEMBERED
    ) -> None:
        self._defaults = defaults
        self._clock = clock
        self._remembered = remembered
        self._accounts: dict[str, Account] = {}

    def limits_of(self, own: TokenLimits) -> TokenLimits:
        """Return what holds for a token with limits of its own."""
        return self._defaults if own is UNLIMITED else own.within(self._defaults)

    def begin(self, holder: str, own: TokenLimits, request_bytes: int) -> Account | None:
        """Charge a call that begins, and return what its reply is charged to; None where nothing is.

        Args:
            holder: Whose account it is.
            own: The limits that their token names.
            request_bytes: How long the request is.

        Raises:
            RequestRateError: There were too many calls.
            ThroughputError: They were too large.
        """
        limits = self.limits_of(own)
        if limits.requests_per_second is None and limits.bytes_per_second is None:
            return None
        now = self._clock()
        account = self._accounts.pop(holder, None) or Account(limits, now)
        self._accounts[holder] = account
        if len(self._accounts) > self._remembered:
            del self._accounts[next(iter(self._accounts))]
        account.begin(request_bytes, now)
        return account
