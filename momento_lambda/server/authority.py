"""Who makes tokens and keys for those that may ask for them."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, final

from momento_lambda.permissions import Permission
from momento_lambda.server.clock import WallClock
from momento_lambda.server.grant import Grant
from momento_lambda.server.signing_key import SigningKey, SigningKeys, newest
from momento_lambda.server.tokens import Claims, signed


class Issued(NamedTuple):
    """A token that was made.

    Attributes:
        token: The token, a JWT that names its endpoint.
        endpoint: Where it leads.
        expiry: When it ends, in whole seconds since 1970.
    """

    token: str
    endpoint: str
    expiry: int


@final
class Authority:
    """Makes tokens and keys.

    Args:
        keys: What tokens are signed with.
        endpoint: Says where clients go with tokens that are made with a grant, as `host` or `host:port`.
        now: The time.
    """

    def __init__(self, keys: SigningKeys, endpoint: Callable[[Grant], str], *, now: WallClock = time.time) -> None:
        self._keys = keys
        self._endpoint = endpoint
        self._now = now

    def issue(self, grant: Grant, permissions: Iterable[Permission], seconds: int, subject: str | None) -> Issued:
        """Return a new token, which allows no more than what it is made with and ends no later.

        Args:
            grant: What whoever asks may do.
            permissions: What the token is to allow.
            seconds: How long it is to be accepted.
            subject: Whom it is for, as whoever asks calls them.

        Raises:
            PermissionDeniedError: It would allow more.
            InvalidArgumentError: It would be too long to be sent.
            SigningKeyError: There is no key to sign it with.
        """
        permissions = tuple(permissions)
        grant.check_giving(permissions)
        now = self._now()
        key = newest(self._keys, now)
        expiry = int(min(now + seconds, grant.expiry, key.expiry))
        endpoint = self._endpoint(grant)
        claims = Claims(endpoint, expiry, permissions, subject, grant.limits, grant.origin)
        return Issued(signed(key, claims), endpoint, expiry)

    def create_key(self, seconds: int) -> SigningKey:
        """Return a new key whose tokens are accepted for so long.

        Raises:
            LimitExceededError: There are too many.
            SigningKeyError: It cannot be kept.
        """
        key = SigningKey.generate(seconds=seconds, now=self._now)
        self._keys.add(key)
        return key

    def accepted_keys(self) -> list[SigningKey]:
        """Return the keys whose tokens are accepted, the oldest first."""
        now = self._now()
        return sorted((key for key in self._keys.by_id().values() if now < key.expiry), key=lambda key: key.created)

    def revoke_key(self, key_id: str) -> None:
        """Accept no more tokens of a key. There need not be one of that id.

        Raises:
            SigningKeyError: It cannot be removed.
        """
        self._keys.remove(key_id)


class Asker(NamedTuple):
    """Whoever asks for a token or a key, and whom they ask."""

    grant: Grant
    authority: Authority
