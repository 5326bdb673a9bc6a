"""The credentials of one execution environment: found once, and again when the server refuses them."""

import os
import threading
from collections.abc import Callable
from typing import Final, TypeAlias, final

from momento_lambda.client.stopwatch import CLOCKS, Clocks, Stopwatch
from momento_lambda.credentials import API_KEY_VARIABLE, LEGACY_TOKEN_VARIABLE, CredentialProvider
from momento_lambda.errors import ClientStateError, InvalidTokenError, MomentoError

FindCredentials: TypeAlias = Callable[[], CredentialProvider | str]
"""A function that returns credentials, or a token that says where to connect."""

_SECONDS_BETWEEN: Final = 10.0
"""A refused token is not looked up more often than this: until it has been rotated, nothing new would be found."""

_TIMES_THE_COST: Final = 10
"""A failed search is repeated after this many times as long as it took, so that most calls fail at once."""


def environment_credentials() -> CredentialProvider:
    """Return what the environment says: a token, or the secret or parameter of AWS that holds it.

    MOMENTO_API_KEY comes first, then MOMENTO_AUTH_TOKEN, MOMENTO_API_KEY_SECRET and MOMENTO_API_KEY_PARAMETER.

    Raises:
        InvalidTokenError: There is no token, or none that could be used.
        UnavailableError: AWS does not answer.
    """
    variables = os.environ
    if any(variables.get(name) for name in (API_KEY_VARIABLE, LEGACY_TOKEN_VARIABLE)):
        return CredentialProvider.from_environment(variables)
    from momento_lambda.runtime.stored_token import (  # noqa: PLC0415  # a cold start with a token goes without
        PARAMETER_VARIABLE,
        SECRET_VARIABLE,
        stored_credentials,
    )

    stored = stored_credentials(variables)
    if stored is None:
        raise InvalidTokenError(
            f"no token: set {API_KEY_VARIABLE} (or {LEGACY_TOKEN_VARIABLE}), "
            f"or name what holds it in {SECRET_VARIABLE} or {PARAMETER_VARIABLE}"
        )
    return stored


@final
class CredentialSource:
    """Credentials that are looked up when they are first needed, and kept until the server refuses them.

    Args:
        find: Looks them up.
        clocks: The monotonic clock and the wall clock.
    """

    def __init__(self, find: FindCredentials, clocks: Clocks = CLOCKS) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._known: CredentialProvider | None = None
        self._failure: MomentoError | None = None
        self._cost = 0.0
        self._since = Stopwatch(clocks)

    @property
    def known(self) -> CredentialProvider | None:
        """The credentials, where they have been looked up."""
        return self._known

    def get(self) -> CredentialProvider:
        """Return the credentials; whoever comes first looks them up, and the rest wait.

        Raises:
            MomentoError: There are none, as of now or of a moment ago.
        """
        with self._lock:
            if self._known is None:
                self._check_recent_failure()
                self._known = self._look_up()
            return self._known

    def refused(self, credentials: CredentialProvider) -> bool:
        """Take note that the server does not accept credentials, and return whether to ask for others."""
        with self._lock:
            if self._known is credentials:
                if self._since.seconds() < _SECONDS_BETWEEN:
                    return False
                self._known = None
            return True

    def forget(self) -> None:
        """Look the credentials up again when they are next needed."""
        with self._lock:
            self._known = self._failure = None

    def after_fork(self) -> None:
        """Be of use in a child process: a thread that held the lock in the parent does not exist here."""
        self._lock = threading.Lock()

    def _check_recent_failure(self) -> None:
        failure = self._failure
        if failure is not None and self._since.seconds() < self._cost * _TIMES_THE_COST:
            raise type(failure)(failure.message) from failure

    def _look_up(self) -> CredentialProvider:
        self._since.restart()
        try:
            found = _checked(self._find)
        except MomentoError as error:
            self._failure = error
            self._cost = self._since.restart()
            raise
        self._failure = None
        return found


def _checked(find: FindCredentials) -> CredentialProvider:
    try:
        found = find()
    except MomentoError:
        raise
    except Exception as error:
        # The user's function: what goes wrong there is trouble with the cache, and loaders still work.
        raise ClientStateError(f"the credentials could not be looked up ({type(error).__name__})") from error
    if isinstance(found, CredentialProvider):
        return found
    return CredentialProvider.from_string(found)
