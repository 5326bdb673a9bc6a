"""The context that is none, beside the real one."""

import pytest

from momento_lambda.testing import LambdaContext
from tests.left_out import NO_RUNTIME_CLIENT


def public(value: object) -> set[str]:
    """Return the names that a handler may use."""
    return {name for name in dir(value) if not name.startswith("_")}


def test_it_has_what_the_real_one_has() -> None:
    """Every attribute and method, and nothing on top: a test must not pass on what Lambda lacks."""
    real = pytest.importorskip("awslambdaric.lambda_context", reason=NO_RUNTIME_CLIENT).LambdaContext(
        "id", None, None, 0, "arn"
    )
    ours = LambdaContext()
    assert public(real) == public(ours)
    assert set(real.identity.__slots__) == set(vars(ours.identity))


def test_time_runs_out_and_stays_out() -> None:
    """Whole milliseconds, on the clock that was handed in, and never less than none."""
    now = [100.0]
    context = LambdaContext(timeout=3, clock=lambda: now[0])
    left = []
    for now[0] in (100.0, 101.2505, 103.0, 200.0):
        left.append(context.get_remaining_time_in_millis())
    assert [3000, 1749, 0, 0] == left
    assert {int} == set(map(type, left))


def test_it_says_what_it_was_told() -> None:
    """Name and memory, the latter as text, and what follows from the name."""
    context = LambdaContext(function_name="users", memory_size=256)
    assert ("users", "256", "/aws/lambda/users", "$LATEST") == (
        context.function_name,
        context.memory_limit_in_mb,
        context.log_group_name,
        context.function_version,
    )
    assert "arn:aws:lambda:us-east-1:123456789012:function:users" == context.invoked_function_arn
    assert (None, None, {}) == (context.client_context, context.tenant_id, context.w3c())


def test_every_invocation_has_an_id_of_its_own() -> None:
    """Idempotency, say, is keyed by it."""
    assert LambdaContext().aws_request_id != LambdaContext().aws_request_id


def test_its_log_is_the_output(capsys: pytest.CaptureFixture[str]) -> None:
    """Written as it is, without a line's end."""
    LambdaContext().log({"a": 1})
    assert "{'a': 1}" == capsys.readouterr().out
