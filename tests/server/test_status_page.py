"""The status page as a browser shows it, while calls are made."""

import re
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from momento_lambda import CredentialProvider, SimpleCacheClient
from momento_lambda.loop_thread import LoopThread
from momento_lambda.server.admin_server import AdminAddress, AdminServer
from momento_lambda.server.memory_store import MemoryStore
from momento_lambda.server.server import CacheServer
from tests.left_out import NO_BROWSER

HOSTILE = "<b onclick=alert(1)>&"


class Page(HTMLParser):
    """What a page shows: the text of each element with an id, and the rows of each table's body."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.rows: dict[str, list[list[str]]] = {}
        self._id = self._body = ""
        self._in_cell = False
        self.feed(document)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note where text belongs that comes next."""
        self._id = dict(attributes).get("id") or ""
        if tag == "tbody":
            self._body = self._id
            self.rows[self._body] = []
        elif tag == "tr" and self._body:
            self.rows[self._body].append([])
        elif tag in ("th", "td") and self._body:
            self.rows[self._body][-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        """Note that no text belongs there any more."""
        self._id = ""
        if tag == "tbody":
            self._body = ""
        elif tag in ("th", "td"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._id:
            self.texts[self._id] = self.texts.get(self._id, "") + data
        if self._in_cell:
            self.rows[self._body][-1][-1] += data


@pytest.fixture(scope="module")
def chromium() -> str:
    """The browser."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip(NO_BROWSER)
    return found


@pytest.fixture
def browse(chromium: str, tmp_path: Path) -> Any:
    """Open an address in a browser of its own, for so many seconds of the page's time, and return what it printed."""

    def run(*options: str) -> str:
        command = [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1100,900"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000", *options),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603  # a browser
        return done.stdout

    return run


@pytest.fixture
def pages() -> Iterator[tuple[str, SimpleCacheClient]]:
    """The address of a server's status page, and a client of the server."""
    thread = LoopThread("status-page")
    server = CacheServer(MemoryStore(), keys=None)

    async def start() -> AdminServer:
        await server.start()
        return AdminServer(server, AdminAddress("127.0.0.1", 0))

    admin = thread.run(start())
    credentials = CredentialProvider.for_local(port=server.endpoint.port)
    with SimpleCacheClient(credentials, default_ttl=60) as client:
        client.create_cache("users-cache")
        yield admin.url, client
    thread.run(server.stop(0))
    thread.run(admin.stop())
    thread.close()


@pytest.fixture
def traffic(pages: tuple[str, SimpleCacheClient]) -> Iterator[None]:
    """Reads that hit three times of four, for as long as the test takes."""
    _, client = pages
    enough = threading.Event()

    def read() -> None:
        while not enough.is_set():
            client.get_multi("users-cache", ["a", "a", "a", "b"])

    client.set("users-cache", "a", "1")
    reader = threading.Thread(target=read)
    reader.start()
    yield
    enough.set()
    reader.join()


@pytest.mark.usefixtures("traffic")
def test_it_shows_what_happens_now(browse: Any, pages: tuple[str, SimpleCacheClient]) -> None:
    """A browser shows the state of the server, its caches and its procedures, and by how much they grow a second."""
    page = Page(browse("--dump-dom", pages[0]))
    assert "Ready" == page.texts["state"]
    assert 0 < number(page.texts["call-rate"])
    assert 0.6 < number(page.texts["hit-ratio"].removesuffix(" %")) / 100 < 0.9
    assert re.fullmatch(r"[\d.]+ (µs|ms|s)", page.texts["p50"])
    assert re.fullmatch(r"[\d.]+ (µs|ms|s)", page.texts["p99"])
    ((name, items, memory, reads, hits, misses, ratio),) = page.rows["caches"]
    assert ("users-cache", "1", page.texts["hit-ratio"]) == (name, items, ratio)
    assert re.fullmatch(r"[\d.]+ (B|KiB)", memory)
    assert 0 < number(reads)
    assert f"{100 * number(hits) / (number(hits) + number(misses)):.1f} %" == ratio
    procedures = {row[0]: row for row in page.rows["procedures"]}
    assert {"CreateCache", "Set", "GetBatch"} == procedures.keys()
    assert 0 < number(procedures["GetBatch"][1])


@pytest.mark.usefixtures("traffic")
def test_it_can_be_seen(browse: Any, pages: tuple[str, SimpleCacheClient], tmp_path: Path) -> None:
    """A browser draws it: the picture has the size of the window and is not of one colour."""
    picture = tmp_path / "status.png"
    browse(f"--screenshot={picture}", pages[0])
    content = picture.read_bytes()
    assert b"\x89PNG\r\n\x1a\n" == content[:8]
    assert (1100, 900) == struct.unpack(">II", content[16:24])
    # An empty page of this size takes a few thousand.
    assert 20_000 < len(content)


def test_a_name_is_never_markup(browse: Any, pages: tuple[str, SimpleCacheClient]) -> None:
    """A cache may be called anything: its name is shown as it is written."""
    url, client = pages
    client.create_cache(HOSTILE)
    page = Page(browse("--dump-dom", url))
    assert {HOSTILE, "users-cache"} == {row[0] for row in page.rows["caches"]}


def number(shown: str) -> float:
    """Return a number as the page writes it."""
    return float(shown.replace(",", ""))
