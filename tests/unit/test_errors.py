import copy
import inspect
import pickle

import pytest

from momento_lambda import errors
from momento_lambda.errors import InvalidArgumentError, InvalidTokenError, MomentoError, UnknownError

KINDS = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MomentoError)),
    key=lambda kind: kind.__name__,
)
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
INDENT = len("├── ")  # and as much before the root of the drawing


def drawn_tree() -> dict[str, str]:
    """Read the drawing in the module's docstring as a mapping from each error to the one it hangs from."""
    path: list[str] = []
    parents: dict[str, str] = {}
    for line in inspect.cleandoc(errors.__doc__ or "").splitlines():
        label = line.lstrip("│├└─ ")
        if len(line) == len(label):
            continue
        name = label.split()[0]
        del path[(len(line) - len(label)) // INDENT - 1 :]
        if path:
            parents[name] = path[-1]
        path.append(name)
    return parents


def test_the_drawing_is_the_tree() -> None:
    """The tree drawn in the docstring is the tree of classes, every class and every edge of it."""
    classes = {kind.__name__: kind.__bases__[0].__name__ for kind in KINDS if kind is not MomentoError}
    assert classes == drawn_tree()


@EVERY_KIND
def test_only_invalid_arguments_have_a_second_base(kind: type[MomentoError]) -> None:
    """InvalidArgumentError alone is a ValueError too, as the drawing says; the rest hangs from one parent each."""
    expected = (MomentoError, ValueError) if kind is InvalidArgumentError else kind.__bases__[:1]
    assert expected == kind.__bases__


def test_codes_name_one_kind_each() -> None:
    """No two kinds share a code, but for the root, which is raised by nobody and answers as the unknown."""
    codes = [kind.code for kind in KINDS if kind is not MomentoError]
    assert len(codes) == len(set(codes))
    assert UnknownError.code == MomentoError.code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("InvalidArgumentError", "INVALID_ARGUMENT"),
        ("InvalidTokenError", "INVALID_TOKEN"),
        ("AuthenticationError", "UNAUTHENTICATED"),
        ("PermissionDeniedError", "PERMISSION_DENIED"),
        ("NotFoundError", "NOT_FOUND"),
        ("CacheNotFoundError", "CACHE_NOT_FOUND"),
        ("AlreadyExistsError", "ALREADY_EXISTS"),
        ("FailedPreconditionError", "FAILED_PRECONDITION"),
        ("LimitExceededError", "LIMIT_EXCEEDED"),
        ("RateLimitExceededError", "RATE_LIMIT_EXCEEDED"),
        ("DeadlineExceededError", "DEADLINE_EXCEEDED"),
        ("CancelledError", "CANCELLED"),
        ("UnavailableError", "UNAVAILABLE"),
        ("InternalError", "INTERNAL"),
        ("UnknownError", "UNKNOWN"),
        ("ClientStateError", "CLIENT_STATE"),
    ],
)
def test_codes_are_stable(kind: str, code: str) -> None:
    """Codes are what logs and metrics count by, so they do not change."""
    assert code == getattr(errors, kind).code


def test_what_may_be_tried_again() -> None:
    """Time, connection, server and rate may be better next time; everything else stays wrong."""
    expected = {"DeadlineExceededError", "UnavailableError", "InternalError", "RateLimitExceededError"}
    assert expected == {kind.__name__ for kind in KINDS if kind.retryable}


@EVERY_KIND
def test_message_is_what_prints(kind: type[MomentoError]) -> None:
    """The message is an attribute, and it is what the error prints."""
    message = "the cache is on fire"
    error = kind(message)
    assert (message, message) == (error.message, str(error))


@EVERY_KIND
def test_survives_a_process_boundary(kind: type[MomentoError]) -> None:
    """An error that was pickled or copied is of the same kind and says the same."""
    error = kind("too late")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  # our own bytes
        assert (kind, "too late", error.args) == (type(twin), twin.message, twin.args)


def test_a_bad_token_is_caught_as_a_value_error() -> None:
    """Code that knows nothing of this library catches what is wrong with an argument as a ValueError."""
    with pytest.raises(ValueError, match="no token"):
        raise InvalidTokenError("no token")
