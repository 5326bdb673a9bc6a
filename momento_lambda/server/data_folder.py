"""Where the server keeps what outlives it."""

from pathlib import Path

import platformdirs


def default_data_folder() -> Path:
    """Return the folder for this user on this system. It need not exist."""
    return platformdirs.user_data_path("momento-lambda", appauthor=False)
