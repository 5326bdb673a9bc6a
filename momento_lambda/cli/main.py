"""The console script's entry point."""

import os
import sys
from typing import Final, NoReturn

_NEEDED: Final = {"typer", "jwt", "platformdirs", "grpc_health", "grpc_reflection", "prometheus_client"}


def main() -> NoReturn:
    """Run `momento-lambda` with this process's arguments, and exit: 0 done, 1 failed, 2 wrong usage."""
    # What the transport would write of its own accord stands in the errors' one line already.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        from momento_lambda.cli.app import run  # noqa: PLC0415  # what is not installed is said in words below

        code = run()
    except ModuleNotFoundError as missing:
        if missing.name not in _NEEDED:
            raise
        sys.exit(
            f"momento-lambda: the command line needs the package {missing.name}, which is not installed: "
            "pip install 'momento-lambda[cli]'"
        )
    sys.exit(code)


if __name__ == "__main__":
    main()
