"""The example, run as a user would run it."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "idempotency.py"
PATIENCE = 60


def test_the_example_says_what_happened() -> None:
    """Each payment is charged once, a failed one again, and none while the cache is down."""
    done = subprocess.run(  # noqa: S603  # our own program
        [sys.executable, str(EXAMPLE)], capture_output=True, check=True, text=True, timeout=PATIENCE
    )
    assert "" == done.stderr
    said = done.stdout.splitlines()
    *before, last = (line.strip() for line in said if line.startswith(" "))
    assert [
        "the bank is asked for 5",
        "{'charged': 5}",
        "{'charged': 5}",
        "the bank is asked for 500",
        "ValueError: the bank refused",
        "the bank is asked for 500",
        "{'charged': 500}",
    ] == before
    assert last.startswith("IdempotencyPersistenceLayerError: Failed to save in progress record")
