import io
import sys

import pytest

from momento_lambda_layer import MissingExtraError, plan_layers
from momento_lambda_layer.progress import DONE, STEPS, reporting

PLANS = plan_layers()[:2]


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody watches, every step is a line on standard error."""
    with reporting(PLANS) as progress:
        progress(PLANS[0], STEPS[0])
        progress(PLANS[1], DONE)
    assert capsys.readouterr().err == f"{PLANS[0]}: fetching wheels\n{PLANS[1]}: done\n"


def test_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal every layer has a row, whatever it has come to."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with reporting(PLANS) as progress:
        for step in (*STEPS, DONE):
            progress(PLANS[0], step)
    shown = terminal.getvalue()
    assert all(str(plan) in shown for plan in PLANS)
    assert "done" in shown
    assert "waiting" in shown


def test_terminal_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without rich, the error says what to install."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with pytest.raises(MissingExtraError, match="rich is needed"), reporting(PLANS):
        pass
