"""A secret that tokens are signed with, and its text."""

import base64
import hashlib
import json
import math
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol, final

from momento_lambda.errors import LimitExceededError, MomentoError
from momento_lambda.server.clock import WallClock

ALGORITHM: Final = "HS512"
"""What tokens are signed with."""

MAX_KEYS: Final = 100

# As long as the hash of the algorithm, which is what its standard asks for.
_KEY_BYTES: Final = 64
_ID_CHARACTERS: Final = 16


class SigningKeyError(MomentoError):
    """A signing key that cannot be read, written or used."""

    code = "SIGNING_KEY"


@final
class SigningKey:
    """A secret of at least 64 bytes. It is in no representation, message or log.

    Attributes:
        id: What it is called in the header of tokens and in listings; made from the secret, and tells nothing of it.
        created: When it was made, in seconds since 1970; 0 where that is not known.
        expiry: Until when it is accepted, in seconds since 1970; infinity for ever.
    """

    __slots__ = ("_secret", "created", "expiry", "id")

    def __init__(self, secret: bytes, *, created: float = 0, expiry: float = math.inf) -> None:
        if len(secret) < _KEY_BYTES:
            raise SigningKeyError(f"the signing key has {len(secret)} bytes: give at least {_KEY_BYTES} random ones")
        self._secret = secret
        self.id = hashlib.sha256(secret).hexdigest()[:_ID_CHARACTERS]
        self.created = created
        self.expiry = expiry

    @classmethod
    def generate(cls, *, seconds: float = math.inf, now: WallClock = time.time) -> "SigningKey":
        """Return a new random key that is accepted for so long."""
        created = round(now(), 3)
        return cls(secrets.token_bytes(_KEY_BYTES), created=created, expiry=created + seconds)

    @classmethod
    def from_json(cls, text: bytes) -> "SigningKey | None":
        """Return the key that `to_json` wrote, or None where the text is not one."""
        try:
            fields: Any = json.loads(text)
            created, expiry = float(fields["iat"]), float(fields.get("exp", math.inf))
            key = cls(base64.urlsafe_b64decode(fields["k"] + "=="), created=created, expiry=expiry)
        except (ValueError, KeyError, TypeError, AttributeError, SigningKeyError):
            return None
        return None if math.isnan(created + expiry) else key

    @classmethod
    def from_hex(cls, text: bytes) -> "SigningKey | None":
        """Return the key that a line of hexadecimal digits is, or None where the text is no such line."""
        try:
            return cls(bytes.fromhex(text.decode("ascii")))
        except (ValueError, SigningKeyError):
            return None

    @property
    def secret(self) -> bytes:
        """The key itself."""
        return self._secret

    def to_json(self) -> str:
        """Return the key, secret included, as a JSON Web Key, which those who sign tokens of their own can read."""
        encoded = base64.urlsafe_b64encode(self._secret).rstrip(b"=").decode()
        fields: dict[str, object] = {"kty": "oct", "use": "sig", "alg": ALGORITHM, "kid": self.id, "k": encoded}
        fields["iat"] = self.created
        if self.expiry != math.inf:
            fields["exp"] = self.expiry
        return json.dumps(fields)

    def __repr__(self) -> str:
        return f"SigningKey(id={self.id!r}, <hidden>)"


class SigningKeys(Protocol):
    """The keys whose tokens are accepted."""

    def by_id(self) -> Mapping[str, SigningKey]:
        """Return the keys, expired ones perhaps among them: the same object until some key comes or goes."""
        ...

    def add(self, key: SigningKey) -> None:
        """Accept tokens of one more key.

        Raises:
            LimitExceededError: There are too many.
            SigningKeyError: It cannot be kept.
        """
        ...

    def remove(self, key_id: str) -> bool:
        """Accept no more tokens of a key, and return False where there is none of that id.

        Raises:
            SigningKeyError: It cannot be removed.
        """
        ...


@final
class SigningKeysInMemory:
    """Keys that live as long as this object."""

    def __init__(self, *keys: SigningKey) -> None:
        self._keys: Mapping[str, SigningKey] = {key.id: key for key in keys}

    def by_id(self) -> Mapping[str, SigningKey]:
        """Return the keys: the same object until some key comes or goes."""
        return self._keys

    def add(self, key: SigningKey) -> None:
        """Accept tokens of one more key.

        Raises:
            LimitExceededError: There are too many.
        """
        check_room(self._keys)
        self._keys = {**self._keys, key.id: key}

    def remove(self, key_id: str) -> bool:
        """Accept no more tokens of a key, and return False where there is none of that id."""
        left = {name: key for name, key in self._keys.items() if name != key_id}
        found = len(left) < len(self._keys)
        self._keys = left
        return found


def newest(keys: SigningKeys, now: float) -> SigningKey:
    """Return what new tokens are signed with: of the keys that last longest, the newest.

    Raises:
        SigningKeyError: There is none that is accepted.
    """
    accepted = [key for key in keys.by_id().values() if now < key.expiry]
    if not accepted:
        raise SigningKeyError("there is no signing key that has not expired: make one with `momento-lambda key create`")
    return max(accepted, key=lambda key: (key.expiry, key.created))


def check_room(keys: Mapping[str, SigningKey]) -> None:
    """Return if there may be one more key.

    Raises:
        LimitExceededError: There are too many.
    """
    if len(keys) >= MAX_KEYS:
        raise LimitExceededError(f"there are {len(keys)} signing keys, and may be {MAX_KEYS}: revoke some first")
