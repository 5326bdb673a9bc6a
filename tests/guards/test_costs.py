"""What a warm call costs, in counts that no machine changes, and how much of that is allowed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from momento_lambda.server import LocalServer

PROGRAM = Path(__file__).with_name("counted_calls.py")

# About a quarter above what was counted with Python 3.11: other releases of Python have other instructions, and gRPC's
# own objects are among the bytes. Who needs more has found something that each call of every user is to pay for.
LIMITS = {
    # A call: of this library's functions, the interpreter's instructions inside of them, bytes at their highest.
    "get": (18, 310, 8_000),
    "set": (20, 370, 8_000),
    # A hundred keys: three calls and a hundred instructions for each, beyond those of a single call.
    "get_multi of 100": (400, 11_500, 42_000),
    # Beyond those of its get: the key, the plan of a read, and the value out of its envelope.
    "@cached": (55, 1_150, 8_500),
}
KEPT_BYTES = 8
"""What a call may leave behind: nothing, but for what gRPC itself may note down once in a hundred calls."""


@pytest.fixture(scope="module")
def counted() -> dict[str, dict[str, int]]:
    """What calls cost in a process where nothing else is traced."""
    with LocalServer(authenticate=False, caches=["counted"], grace=0) as server:
        done = subprocess.run(  # noqa: S603  # our own program
            [sys.executable, str(PROGRAM), str(server.port)],
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
        )
    found: dict[str, dict[str, int]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("call", LIMITS)
def test_a_warm_call(counted: dict[str, dict[str, int]], call: str) -> None:
    """A warm call executes no more of this library than its limit, needs no more memory, and keeps none of it."""
    cost = counted[call]
    over = {
        name: cost[name]
        for name, limit in zip(("calls", "instructions", "bytes"), LIMITS[call], strict=True)
        if cost[name] > limit
    }
    assert {} == over
    assert cost["bytes kept"] <= KEPT_BYTES
