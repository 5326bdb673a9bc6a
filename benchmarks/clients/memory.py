"""How much memory this process holds as clients are added to it: a program, which prints megabytes as JSON.

python -m benchmarks.clients.memory MODULE PORT TOKEN CLIENTS
"""

import gc
import importlib
import json
import os
import sys
from pathlib import Path

from benchmarks.clients.client import Place

KEY, VALUE = "user:7", bytes(100)


def resident_megabytes() -> float:
    """Return the memory that is this process's own at the moment."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Import a client, use one, and as many more, and print what each step took."""
    module, port, token, further = sys.argv[1:]
    place = Place(int(port), token)
    nothing = resident_megabytes()
    threads = importlib.import_module(f"benchmarks.clients.{module}").Threads
    imported = resident_megabytes()
    clients = [threads(place)]
    clients[0].set(KEY, VALUE)
    used = resident_megabytes()
    for _ in range(int(further)):
        clients.append(threads(place))
        assert clients[-1].get(KEY) == VALUE
    each = (resident_megabytes() - used) / int(further)
    print(json.dumps({"imported": imported - nothing, "first client": used - imported, "each further": each}))


if __name__ == "__main__":
    main()
