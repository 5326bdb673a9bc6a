"""Put the wheels of every layer into uv's cache, so that layers can be built and tested offline.

python scripts/warm_layer_cache.py
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from momento_lambda_layer import LayerError, Packages, Target, plan_layers
from momento_lambda_layer.fetch import fetch

# What a user adds is resolved together with what the lock's packages say that they need: the second asks for that.
CHOICES = (Packages(powertools=True), Packages(requirements=("typing-extensions",)))


def warm(target: Target, packages: Packages) -> None:
    """Fetch the wheels of a target once."""
    with TemporaryDirectory(prefix="momento-lambda-") as folder:
        fetch(Path(folder, "python"), target, packages)


def main() -> int:
    """Fetch for the whole matrix."""
    targets = [target for plan in plan_layers() for target in plan.targets]
    try:
        with ThreadPoolExecutor() as executor:
            list(executor.map(lambda pair: warm(*pair), product(targets, CHOICES)))
    except LayerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"uv's cache holds the wheels for {', '.join(map(str, targets))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
