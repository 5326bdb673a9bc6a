"""Why tests are left out, in one wording each: the end of a run counts by it."""

from typing import Final

NO_RUNTIME_CLIENT: Final = "the local Lambda needs awslambdaric, which has wheels for Linux alone"
NO_WHEELS: Final = "uv's cache holds the wheels of a layer on Linux alone"
NO_PROC: Final = "the kernel's /proc is what Linux alone has"
NO_BROWSER: Final = "the status page needs a browser: apt-get install chromium"
