"""Print the synchronous client from the asynchronous one, or check that it is what would be printed.

Each rule must change something and nothing asynchronous may be left over, so a rule that has become useless, or one
that is missing, fails here.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parent.parent / "momento_lambda" / "client"
SOURCE = CLIENT / "async_client.py"
TARGET = CLIENT / "sync_client.py"

HEADER = """\
# Do not edit: scripts/generate_sync_client.py prints this from async_client.py. Change that and run `make sync-client`.
"""
RULES = (
    (r'"""The client for asyncio\."""', '"""The client for threads, which may share one."""'),
    (r"SimpleCacheClientAsync", "SimpleCacheClient"),
    (r"AsyncChannel", "SyncChannel"),
    (r"async_channel", "sync_channel"),
    (r"AsyncIterator", "Iterator"),
    (r"__aenter__", "__enter__"),
    (r"__aexit__", "__exit__"),
    (r"\basync def\b", "def"),
    (r"\bawait ", ""),
    (
        r"ClientStateError: The client is closed, or belongs to another event loop\.",
        "ClientStateError: The client is closed.",
    ),
)
LEFT_OVER = re.compile(r"async|await|event loop", re.IGNORECASE)


def sync_source(source: str) -> str:
    """Return the synchronous text of an asynchronous module.

    Raises:
        ValueError: A rule changed nothing, or something asynchronous was left over.
    """
    for pattern, replacement in RULES:
        source, count = re.subn(pattern, replacement, source)
        if not count:
            raise ValueError(f"the rule {pattern!r} changed nothing: remove it")
    left = LEFT_OVER.search(source)
    if left is not None:
        line = source.count("\n", 0, left.start()) + 1
        raise ValueError(f"line {line} still says {left.group()!r}: a rule is missing")
    return formatted(HEADER + source)


def formatted(source: str) -> str:
    """Return a module in the project's format, imports sorted."""
    for command in (["check", "--select", "I", "--fix"], ["format"]):
        arguments = [sys.executable, "-m", "ruff", *command, "--quiet", "--stdin-filename", str(TARGET), "-"]
        source = subprocess.run(arguments, input=source, capture_output=True, text=True, check=True).stdout  # noqa: S603  # fixed commands
    return source


def main() -> int:
    """Write the synchronous client, or with --check say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where the file differs")
    check = parser.parse_args().check
    made = sync_source(SOURCE.read_text())
    if not check:
        TARGET.write_text(made)
        return 0
    if not TARGET.exists() or TARGET.read_text() != made:
        print(f"{TARGET.name} is not what {SOURCE.name} prints; run: make sync-client", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
