"""What a store on other machines does wrong, in this project's words."""

import logging
from typing import Final

from redis import exceptions as redis_errors

from momento_lambda.errors import InternalError, LimitExceededError, MomentoError, UnavailableError
from momento_lambda.server.integers import no_integer, sum_too_large
from momento_lambda.server.store_url import Address

_log: Final = logging.getLogger("momento_lambda.server")

# How a reply begins of a node that has too few replicas, cannot write to its disk, or runs someone's script. The
# client library has no types for these.
_NOT_NOW: Final = ("NOREPLICAS ", "MISCONF ", "BUSY ")

ELSEWHERE_OR_LATER: Final = (
    redis_errors.AskError,  # and with it that a slot has moved
    redis_errors.ClusterDownError,
    redis_errors.TryAgainError,
    redis_errors.ReadOnlyError,
)
"""Replies of a node that did nothing, where another may do it, or this one a moment later."""


class UnreachableError(UnavailableError):
    """The command did not reach a node, so nothing was done.

    Attributes:
        reason: Why.
    """

    def __init__(self, address: Address, reason: object) -> None:
        self.reason = reason
        next_step = (
            "give USER:PASSWORD@ before the hosts in its URL, as the store knows them"
            if isinstance(reason, redis_errors.AuthenticationError)
            else "nothing was done, so try again"
        )
        super().__init__(f"the store at {address} cannot be reached: {_clause(reason)}; {next_step}")


class OutcomeUnknownError(UnavailableError):
    """The connection was lost between a command and its reply."""

    def __init__(self, address: Address, reason: object) -> None:
        super().__init__(
            f"the store at {address} did not answer: {_clause(reason)}; what was asked may have been done, so look "
            "before you repeat what is not the same twice"
        )


def in_our_words(error: Exception) -> MomentoError:
    """Return the error that a reply stands for."""
    words = str(error)
    if isinstance(error, redis_errors.OutOfMemoryError):
        return LimitExceededError(
            "the store is full: it is at its maxmemory, and nothing is evicted; delete items or wait until some "
            "expire, or give the store more memory"
        )
    if "value is not an integer" in words:
        return no_integer()
    if "would overflow" in words:
        return sum_too_large()
    if isinstance(error, ELSEWHERE_OR_LATER) or words.startswith(_NOT_NOW):
        return UnavailableError(f"the store does not serve this just now: {words}; nothing was done, so try again")
    _log.error("the store refused a command: %s", words)
    return InternalError("the store refused what this server asked of it: the server's log says why")


def _clause(reason: object) -> str:
    """Return a reason so that a sentence goes on after it."""
    return str(reason).rstrip(".")
