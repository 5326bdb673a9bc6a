"""What a function gets and what comes back."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from momento_lambda.testing import FunctionResponseError, LocalLambda

Make = Callable[..., LocalLambda]

ECHO = """
def handler(event, context):
    return event
"""

COUNTER = """
calls = 0

def handler(event, context):
    global calls
    calls += 1
    return calls
"""


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        {"id": "42", "nested": {"list": [1, 2.5, None, True]}},
        {"ключ": "naïve ☃ 🐍 \u2028", "\x00": "\x1f"},
        "plain text",
    ],
)
def test_an_event_goes_in_and_its_payload_comes_out(function: Make, event: Any) -> None:
    """Whatever JSON can carry reaches the handler, and comes back, unchanged."""
    with function(ECHO) as echo:
        invocation = echo.invoke(event)
    assert event == invocation.payload
    assert invocation.error is None


def test_a_large_payload_passes_both_ways(function: Make) -> None:
    """5 MB fit under Lambda's limit of 6 MB."""
    event = {"blob": "x" * 5_000_000}
    with function(ECHO) as echo:
        assert event == echo.invoke(event).payload


def test_a_response_over_the_limit_is_the_error_that_lambda_reports(function: Make) -> None:
    """What Lambda would not carry is refused here as well."""
    with function("def handler(event, context): return 'x' * 7_000_000") as big:
        error = big.invoke({}).error
    assert error is not None
    assert (error.type, error.message) == (
        "Function.ResponseSizeTooLarge",
        "The response has 7000002 bytes; Lambda carries 6291556 at most",
    )


def test_one_process_serves_every_event(function: Make) -> None:
    """Module-level state survives from one invocation to the next."""
    with function(COUNTER) as counter:
        assert [1, 2, 3] == [counter.invoke({}).payload for _ in range(3)]


def test_the_first_invocation_is_the_cold_one(function: Make) -> None:
    """Only the first event of an environment is cold, and only it carries the duration of the init."""
    with function(ECHO) as echo:
        cold, warm = echo.invoke({}), echo.invoke({})
    assert cold.cold
    assert cold.init_duration_ms is not None
    assert cold.init_duration_ms > cold.duration_ms > 0
    assert not warm.cold
    assert warm.init_duration_ms is None


def test_entering_again_is_a_new_environment(function: Make) -> None:
    """Nothing of the process before is left, and the first event is cold again."""
    counter = function(COUNTER)
    for _ in range(2):
        with counter:
            invocation = counter.invoke({})
        assert (1, True) == (invocation.payload, invocation.cold)


def test_an_exception_of_the_handler_is_an_outcome(function: Make) -> None:
    """It comes back with type, message and stack, and the environment lives on."""
    source = """
    class NoSuchUserError(Exception):
        pass

    def find(name):
        raise NoSuchUserError(f"no user {name}")

    def handler(event, context):
        return find(event["name"]) if "name" in event else "alive"
    """
    with function(source) as finder:
        failed, after = finder.invoke({"name": "Zoë"}), finder.invoke({})
    assert failed.payload is None
    assert failed.error is not None
    assert ("NoSuchUserError", "no user Zoë") == (failed.error.type, failed.error.message)
    assert "in find" in failed.error.stack[-1]
    assert "NoSuchUserError: no user Zoë" == str(failed.error)
    assert "alive" == after.payload


def test_what_json_cannot_carry_is_a_marshal_error(function: Make) -> None:
    """The runtime client refuses it as on Lambda, and the environment lives on."""
    with function("def handler(event, context): return {1, 2} if event else 'alive'") as odd:
        error, after = odd.invoke({"set": True}).error, odd.invoke({})
    assert error is not None
    assert "Runtime.MarshalError" == error.type
    assert "set is not JSON serializable" in error.message
    assert "alive" == after.payload


def test_bytes_that_are_not_json_are_named(function: Make) -> None:
    """The runtime client passes bytes on as they are; a payload they are not."""
    with (
        function("def handler(event, context): return b'\\xff\\x00'") as raw,
        pytest.raises(FunctionResponseError, match=r"app\.handler answered 2 bytes that are not JSON"),
    ):
        raw.invoke({})


def test_an_event_that_json_cannot_carry_costs_nothing(function: Make) -> None:
    """It fails where it was handed in, and the next event is still the cold one."""
    with function(ECHO) as echo:
        with pytest.raises(TypeError, match="set is not JSON serializable"):
            echo.invoke({1, 2})
        assert echo.invoke({}).cold


def test_the_context_tells_the_time_that_is_left(function: Make) -> None:
    """It counts from the timeout of the function, at the moment the event was handed out."""
    with function("def handler(event, context): return context.get_remaining_time_in_millis()", timeout=7) as f:
        assert 6_000 < f.invoke({}).payload <= 7_000


def test_the_context_names_the_function_and_the_request(function: Make) -> None:
    """A handler reads its own name, memory, ARN and request id from the context."""
    source = """
    def handler(event, context):
        return [
            context.function_name, context.function_version, context.memory_limit_in_mb,
            context.invoked_function_arn, context.log_group_name, context.aws_request_id,
        ]
    """
    with function(source, function_name="users", memory_size=256, environment={"AWS_REGION": "eu-west-1"}) as users:
        invocation = users.invoke({})
    assert [
        "users",
        "$LATEST",
        "256",
        "arn:aws:lambda:eu-west-1:123456789012:function:users",
        "/aws/lambda/users",
        invocation.request_id,
    ] == invocation.payload


def test_the_log_holds_all_that_was_written(function: Make) -> None:
    """Output, error output and logging are in the log as soon as the response is, and stay when it is over."""
    source = """
    import logging, os, sys
    print("at import")

    def handler(event, context):
        print("to output ☃")
        print("to error output", file=sys.stderr)
        logging.getLogger().warning("to the logger")
        os.write(1, b"past Python\\n")
    """
    with function(source) as talkative:
        assert "at import\n" == talkative.log
        talkative.invoke({})
        while_open = talkative.log
    for line in ("to output ☃", "to error output", "to the logger", "past Python"):
        assert line in while_open
    assert while_open == talkative.log


def test_threads_take_turns(function: Make) -> None:
    """An environment serves one event at a time, each caller its own."""
    with function(ECHO) as echo, ThreadPoolExecutor(4) as threads:
        payloads = threads.map(lambda n: echo.invoke({"n": n}).payload["n"], range(40))
        assert list(range(40)) == list(payloads)


def test_two_environments_at_once_are_apart(function: Make) -> None:
    """Each has its process and its state."""
    with function(COUNTER) as one, function(COUNTER) as other:
        assert [1, 2, 1] == [one.invoke({}).payload, one.invoke({}).payload, other.invoke({}).payload]


def test_numbers_and_order_survive(function: Make) -> None:
    """Decimals, big integers and the order of keys pass the two JSON libraries in between."""
    source = """
    from decimal import Decimal

    def handler(event, context):
        return {"z": 1, "a": Decimal("1.10"), "big": 2**70}
    """
    with function(source) as numbers:
        assert '{"z": 1, "a": 1.1, "big": 1180591620717411303424}' == json.dumps(numbers.invoke({}).payload)


def test_no_thread_is_left(function: Make) -> None:
    """Leaving the context joins every thread that entering it started."""
    before = set(threading.enumerate())
    with function(ECHO) as echo:
        echo.invoke({})
    assert before == set(threading.enumerate())
