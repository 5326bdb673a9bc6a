import io
import sys

import pytest

from momento_lambda_layer.publish_progress import uploading


class Terminal(io.StringIO):
    """Standard error, where it is a terminal."""

    def isatty(self) -> bool:
        """Return that a person is watching."""
        return True


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody watches, one plain line on standard error says what is under way."""
    with uploading("uploading it", 100) as advance:
        advance(50)
        advance(50)
    assert ("", "uploading it ...\n") == capsys.readouterr()


@pytest.mark.parametrize("size", [100, None])
def test_bar(monkeypatch: pytest.MonkeyPatch, size: int | None) -> None:
    """On a terminal a bar shows how far it is, where that is known, and a line remains when it is over."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with uploading("uploading it", size) as advance:
        advance(40)
    shown = terminal.getvalue()
    assert "━" in shown
    assert ("40%" in shown) == (size is not None)
    assert shown.endswith("uploading it\n")


def test_terminal_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without rich, a terminal gets the plain line."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("momento_lambda_layer.publish_progress.find_spec", lambda _: None)
    with uploading("uploading it", 100):
        pass
    assert "uploading it ...\n" == terminal.getvalue()
