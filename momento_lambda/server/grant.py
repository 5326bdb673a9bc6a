"""What a verified token stands for."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, final

from momento_lambda.errors import PermissionDeniedError
from momento_lambda.permissions import Permission, Right
from momento_lambda.server.token_limits import UNLIMITED, TokenLimits

_VERBS: Final = {
    Right.READ: "reading",
    Right.WRITE: "writing",
    Right.SUBSCRIBE: "subscribing",
    Right.PUBLISH: "publishing",
}


@final
class Grant(NamedTuple):
    """What a caller may do, and until when.

    Attributes:
        permissions: What is allowed; None for everything, caches and tokens and keys included.
        expiry: When it ends, in seconds since 1970; infinity for never.
        endpoint: Where the token leads; None where it does not say.
        limits: How much may be asked, as far as the token says.
        origin: The id of the token that this one was made with, and that with another, at the beginning of the row.
    """

    permissions: tuple[Permission, ...] | None
    expiry: float
    endpoint: str | None = None
    limits: TokenLimits = UNLIMITED
    origin: str = ""

    def covers(self, rights: Right, cache: str) -> bool:
        """Whether this may be done to every item of a cache, so that no key needs to be looked at.

        Raises:
            PermissionDeniedError: It may be done to none.
        """
        return self.permissions is None or all(
            any(permission.everything for permission in self._concerning(right, cache)) for right in rights
        )

    def check_keys(self, rights: Right, cache: str, keys: Sequence[bytes]) -> None:
        """Return if this may be done to all of these items.

        Raises:
            PermissionDeniedError: There is one to which it may not be done.
        """
        if self.permissions is None:
            return
        for right in rights:
            concerning = self._concerning(right, cache)
            for place, key in enumerate(keys, 1):
                if not any(permission.matches(key) for permission in concerning):
                    raise _denied(f"{_VERBS[right]} the key that is number {place} of {len(keys)}")

    def check_everything(self) -> None:
        """Return if everything is allowed.

        Raises:
            PermissionDeniedError: Only some things are.
        """
        if self.permissions is not None:
            raise _denied("what concerns caches, tokens and signing keys themselves")

    def check_giving(self, permissions: Iterable[Permission]) -> None:
        """Return if whoever holds this may give these to others: each right of each is covered by one of its own.

        Raises:
            PermissionDeniedError: There is a permission that is wider.
        """
        if self.permissions is None:
            return
        for place, wanted in enumerate(permissions, 1):
            for right in wanted.rights:
                if not any(right in own.rights and own.includes(wanted) for own in self.permissions):
                    raise _denied(
                        f"{_VERBS[right]} all that the permission number {place} is for, so it cannot be given"
                    )

    def _concerning(self, right: Right, cache: str) -> list[Permission]:
        found = [permission for permission in self.permissions or () if permission.concerns(right, cache)]
        if not found:
            raise _denied(f"{_VERBS[right]} in this cache")
        return found


def _denied(what: str) -> PermissionDeniedError:
    return PermissionDeniedError(f"the token does not allow {what}: use a token that does")
