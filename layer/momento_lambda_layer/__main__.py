"""``python -m momento_lambda_layer``."""

import sys

from momento_lambda_layer.cli import main

if __name__ == "__main__":
    sys.exit(main())
