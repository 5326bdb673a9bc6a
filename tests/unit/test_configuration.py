import copy
import inspect
import pickle
from typing import Any

import pytest

from momento_lambda.configuration import MAX_ITEM_BYTES, Configuration
from momento_lambda.errors import InvalidArgumentError

NAMES = list(Configuration.__slots__)
TIMES = ("timeout", "control_timeout", "keepalive_time", "keepalive_timeout")
LEAST_MESSAGE = MAX_ITEM_BYTES + 64 * 1024
GREATEST_MESSAGE = 2**31 - 1


def values(configuration: Configuration) -> dict[str, object]:
    """Return all that a configuration holds, by name."""
    return {name: getattr(configuration, name) for name in NAMES}


def test_lambda() -> None:
    """On Lambda, calls are given up soon and probes are rare but answered fast, so that a thaw breaks nothing."""
    expected = {
        "timeout": 1.1,
        "control_timeout": 60.0,
        "retries": 3,
        "keepalive_time": 600.0,
        "keepalive_timeout": 1.0,
        "max_message_bytes": 5_243_000,
    }
    assert expected == values(Configuration.for_lambda())


def test_laptop_is_the_default() -> None:
    """On a laptop, and where nothing is said, calls are patient and the connection is probed often."""
    expected = {
        "timeout": 15.0,
        "control_timeout": 60.0,
        "retries": 3,
        "keepalive_time": 5.0,
        "keepalive_timeout": 1.0,
        "max_message_bytes": 5_243_000,
    }
    assert [expected, expected] == [values(Configuration.for_laptop()), values(Configuration())]


def test_item_limit_is_the_services() -> None:
    """An item of 4883 KiB fits."""
    kibibytes, rest = divmod(MAX_ITEM_BYTES, 1024)
    assert kibibytes == 4883
    assert rest == 0


@pytest.mark.parametrize("function", ["my-function", ""])
def test_detects_lambda(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    """Where the runtime has named the function, the configuration is Lambda's."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", function)
    assert Configuration.for_lambda() == Configuration.detect()


def test_detects_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no function is named, the configuration is the laptop's."""
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    assert Configuration.for_laptop() == Configuration.detect()


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("seconds", [0.001, 1, 86_400.0])
def test_times_within_bounds(name: str, seconds: float) -> None:
    """A time from one millisecond to one day is kept as it was given."""
    arguments: dict[str, Any] = {name: seconds}
    assert seconds == getattr(Configuration(**arguments), name)


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize(
    "seconds",
    [
        0,
        -1,
        0.0009,
        86_400.1,
        1e300,
        float("nan"),
        float("inf"),
        True,
        "5",
        pytest.param(10**5000, id="more digits than Python writes"),
    ],
)
def test_times_out_of_bounds(name: str, seconds: object) -> None:
    """Any other time is refused, named, and told what it may be."""
    arguments: dict[str, Any] = {name: seconds}
    with pytest.raises(InvalidArgumentError, match=rf"^{name} is .*: give seconds, from 0\.001 to 86400$"):
        Configuration(**arguments)


def test_only_the_probe_can_be_left_out() -> None:
    """None turns probes off, and is no value of any other time: a call without a timeout may never end."""
    assert Configuration(keepalive_time=None).keepalive_time is None
    for name in ("timeout", "control_timeout", "keepalive_timeout"):
        arguments: dict[str, Any] = {name: None}
        with pytest.raises(InvalidArgumentError, match=f"^{name} is None: give seconds"):
            Configuration(**arguments)


@pytest.mark.parametrize("retries", [-1, 1.5, True, None, "3", pytest.param(-(10**5000), id="many digits")])
def test_retries_out_of_bounds(retries: Any) -> None:
    """Retries are counted, from none at all."""
    assert Configuration(retries=0).retries == 0
    with pytest.raises(InvalidArgumentError, match=r"^retries is .*: give a whole number, 0 or more$"):
        Configuration(retries=retries)


@pytest.mark.parametrize("size", [LEAST_MESSAGE, GREATEST_MESSAGE])
def test_messages_within_bounds(size: int) -> None:
    """A message has room for the largest item at least, and a size that gRPC can hold at most."""
    assert size == Configuration(max_message_bytes=size).max_message_bytes


@pytest.mark.parametrize("size", [0, LEAST_MESSAGE - 1, GREATEST_MESSAGE + 1, 6e6, None, True])
def test_messages_out_of_bounds(size: Any) -> None:
    """A message of any other size is refused with the bounds named."""
    message = rf"^max_message_bytes is {size!r}: give from {LEAST_MESSAGE}, .*, to {GREATEST_MESSAGE}$"
    with pytest.raises(InvalidArgumentError, match=message.replace("+", r"\+")):
        Configuration(max_message_bytes=size)


@pytest.mark.parametrize("name", [*NAMES, "surprise"])
def test_nothing_can_be_changed(name: str) -> None:
    """No attribute can be set or deleted, and whoever tries is told of `replace`."""
    configuration = Configuration()
    with pytest.raises(AttributeError, match=rf"immutable: '{name}' cannot be set; .* with replace\(\)"):
        setattr(configuration, name, 1)
    with pytest.raises(AttributeError, match=rf"immutable: '{name}' cannot be deleted"):
        delattr(configuration, name)
    assert Configuration() == configuration


@pytest.mark.parametrize(
    ("name", "value"), [("timeout", 0.5), ("control_timeout", 5.0), ("retries", 0), ("max_message_bytes", 6_000_000)]
)
def test_replace_changes_one_thing(name: str, value: float) -> None:
    """A copy differs in what was asked for and in nothing else: above all, keepalive stays what Lambda needs."""
    configuration = Configuration.for_lambda()
    arguments: dict[str, Any] = {name: value}
    assert values(configuration) | {name: value} == values(configuration.replace(**arguments))
    assert Configuration.for_lambda() == configuration


def test_replace_keeps_the_probe_away() -> None:
    """Probes that are turned off stay off in a copy."""
    assert Configuration(keepalive_time=None).replace(timeout=2).keepalive_time is None


def test_replace_checks() -> None:
    """A copy is checked as the first was."""
    with pytest.raises(InvalidArgumentError, match="timeout is 0"):
        Configuration().replace(timeout=0)


def test_replace_has_no_unknown_names() -> None:
    """Every argument of `replace` is one of the constructor's."""
    assert set(inspect.signature(Configuration.replace).parameters) - {"self"} <= set(NAMES)


def test_equal_by_value() -> None:
    """Configurations with the same values are one in a set; with others, or other things, they are not."""
    assert {Configuration()} == {Configuration(), Configuration.for_laptop()}
    assert len({Configuration(), Configuration.for_lambda()}) == 2
    assert Configuration() != tuple(values(Configuration()).values())


def test_representation_is_how_to_make_it() -> None:
    """A configuration prints as the call that makes it."""
    configuration = Configuration(timeout=2.5, keepalive_time=None)
    assert configuration == eval(repr(configuration), {"Configuration": Configuration})  # noqa: S307  # our own text


def test_copies_and_pickles() -> None:
    """Immutable does not mean stuck: a configuration can be copied and sent to another process."""
    configuration = Configuration(timeout=2.5, keepalive_time=None)
    copies = [
        copy.copy(configuration),
        copy.deepcopy(configuration),
        *(pickle.loads(pickle.dumps(configuration, protocol)) for protocol in range(6)),  # noqa: S301  # our own bytes
    ]
    assert [configuration] * len(copies) == copies
