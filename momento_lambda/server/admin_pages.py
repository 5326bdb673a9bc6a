"""What the admin port answers: whether the server lives and is ready, its metrics, and its status for people.

    /             the status page
    /status.json  what it shows
    /metrics      for Prometheus
    /healthz      200 while the event loop answers
    /readyz       200 while calls should come here

A WSGI application, called from threads beside the event loop.
"""

import json
import os
import time
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, final

from prometheus_client import make_wsgi_app

from momento_lambda.server.metrics import registry
from momento_lambda.server.readiness import Health
from momento_lambda.server.status import Status
from momento_lambda.server.traffic import LATENCY_BOUNDS
from momento_lambda.version import __version__

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_METRICS: Final = "/metrics"

_HTML: Final = "text/html; charset=utf-8"
_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"

_MEMORY_FILE: Final = Path("/proc/self/statm")

# The page is one file: nothing of it comes from elsewhere, and nothing elsewhere may frame it.
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
)


class NoAnswerError(Exception):
    """The server's event loop did not answer in time."""


class Observed(Protocol):
    """A server, as it is seen from another thread. Every method may raise `NoAnswerError`."""

    def health(self) -> Health:
        """Return how it fares."""
        ...

    def status(self) -> Status:
        """Return what it says of itself."""
        ...


@final
class AdminPages:
    """The application.

    Args:
        server: What they are about.
        address: Where the server answers calls, for people to read.
    """

    def __init__(self, server: Observed, address: str) -> None:
        self._server = server
        self._address = address
        self._began = time.monotonic()
        self._page = files("momento_lambda.server").joinpath("status_page.html").read_bytes()
        self._metrics = make_wsgi_app(registry(server.status))
        self._pages: dict[str, Callable[[], tuple[str, str, bytes]]] = {
            "/": lambda: ("200 OK", _HTML, self._page),
            "/status.json": self._json,
            "/healthz": self._alive,
            "/readyz": self._ready,
        }

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        path = environ["PATH_INFO"]
        try:
            if path == _METRICS:
                answer: Iterable[bytes] = self._metrics(environ, start_response)
                return answer
            status, kind, body = self._answer(environ["REQUEST_METHOD"], path)
        except NoAnswerError:
            status, kind, body = "503 Service Unavailable", _TEXT, b"the server does not answer\n"
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *_HEADERS])
        return [body]

    def _answer(self, method: str, path: str) -> tuple[str, str, bytes]:
        if path not in self._pages:
            return "404 Not Found", _TEXT, f"there is: {' '.join(sorted({*self._pages, _METRICS}))}\n".encode()
        if method != "GET":
            return "405 Method Not Allowed", _TEXT, b"everything here is read with GET\n"
        return self._pages[path]()

    def _alive(self) -> tuple[str, str, bytes]:
        self._server.health()
        return "200 OK", _TEXT, b"alive\n"

    def _ready(self) -> tuple[str, str, bytes]:
        health = self._server.health()
        if health.ready:
            return "200 OK", _TEXT, b"ready\n"
        why = "draining" if health.draining else f"the store does not answer: {health.store_trouble}"
        return "503 Service Unavailable", _TEXT, f"{why}\n".encode()

    def _json(self) -> tuple[str, str, bytes]:
        status = self._server.status()
        shown: dict[str, Any] = {
            **status._asdict(),
            "health": status.health._asdict(),
            "procedures": [procedure._asdict() for procedure in status.procedures],
            "caches": [cache._asdict() for cache in status.caches],
            "version": __version__,
            "address": self._address,
            "uptime_seconds": time.monotonic() - self._began,
            "latency_bounds": LATENCY_BOUNDS,
            "resident_bytes": _resident_bytes(),
        }
        return "200 OK", _JSON, json.dumps(shown).encode()


def _resident_bytes() -> int | None:
    """Return the memory that this process has, where the system says so."""
    try:
        pages = int(_MEMORY_FILE.read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
