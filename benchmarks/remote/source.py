"""A table that is as slow as a table is: enough of DynamoDB for boto3's `get_item`, after a latency drawn by chance."""

import json
import math
import random
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import NormalDist
from typing import Final, final

_P99_DEVIATIONS: Final = NormalDist().inv_cdf(0.99)


@final
@dataclass(frozen=True)
class Latency:
    """A log-normal latency: most answers come close to the median, a few much later, none before 0.

    Attributes:
        median_ms: Half of the answers take longer.
        p99_ms: One of a hundred takes longer.
    """

    median_ms: float
    p99_ms: float

    def draw(self, chance: random.Random) -> float:
        """Return the seconds that one answer takes."""
        deviation = math.log(self.p99_ms / self.median_ms) / _P99_DEVIATIONS
        return chance.lognormvariate(math.log(self.median_ms), deviation) / 1000

    def __str__(self) -> str:
        return f"{self.median_ms:g} ms, {self.p99_ms:g} ms"


@final
class Source(ThreadingHTTPServer):
    """The server: every table has every item, whatever its id.

    Args:
        latency: What each answer takes, beside what the machine takes for it.
        body: An attribute of each item, beside its id.
        seed: What the latencies are drawn with.
    """

    daemon_threads = True

    def __init__(self, latency: Latency, body: str, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self._latency = latency
        self._body = body
        self._chance = random.Random(seed)  # noqa: S311  # latencies, not secrets
        self._drawing = threading.Lock()

    def answer(self, request: bytes) -> bytes:
        """Return the item that a `GetItem` asks for, when it is time."""
        with self._drawing:
            seconds = self._latency.draw(self._chance)
        time.sleep(seconds)
        return json.dumps({"Item": {**json.loads(request)["Key"], "body": {"S": self._body}}}).encode()


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as boto3 and the service keep them
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body go out together
    server: Source

    def do_POST(self) -> None:  # the name that the base class calls
        answer = self.server.answer(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as in the base class
        """Say nothing of single requests."""
