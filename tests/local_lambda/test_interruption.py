import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from momento_lambda.testing import local_lambda_available
from momento_lambda.testing.interruption import interrupted_once
from tests.left_out import NO_RUNTIME_CLIENT

ROOT = Path(__file__).parents[2]


def interrupted_everywhere(scene: str, folder: Path) -> int:
    """Play a scene with Ctrl-C at each of its points, and return how many there were."""
    command = [sys.executable, "-m", "tests.interrupted_everywhere", scene, str(folder)]
    played = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603  # ours
    assert 0 == played.returncode, played.stderr
    return int(played.stdout)


@pytest.mark.skipif(not local_lambda_available(), reason=NO_RUNTIME_CLIENT)
def test_an_invocation_can_be_interrupted_anywhere(tmp_path: Path) -> None:
    """Wherever Ctrl-C strikes, the function answers the next event, and ends when it is left."""
    assert interrupted_everywhere("invocations", tmp_path) > 100


@pytest.mark.parametrize("scene", ["loops", "proxies"])
def test_waiting_for_a_loop_can_be_interrupted_anywhere(scene: str, tmp_path: Path) -> None:
    """Wherever Ctrl-C strikes who waits for a loop in another thread, that takes more work, and ends when told to."""
    assert interrupted_everywhere(scene, tmp_path) > 5


@pytest.mark.parametrize(
    ("ending", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)], ids=["Ctrl-C", "SIGTERM"]
)
def test_clearing_away_is_not_cut_short(ending: signal.Signals, error: type[BaseException]) -> None:
    """The first Ctrl-C or SIGTERM ends the block; those after it, of either kind, wait for nothing and end nothing."""
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    cleared = []

    def work() -> None:
        with interrupted_once():
            try:
                os.kill(os.getpid(), ending)
            finally:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGTERM)
                cleared.append("all")

    with pytest.raises(error) as ended:
        work()
    assert ["all"] == cleared
    assert (128 + signal.SIGTERM if error is SystemExit else None) == getattr(ended.value, "code", None)
    assert handlers == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))


def test_what_is_ignored_stays_ignored() -> None:
    """A program in the background, which was told to ignore Ctrl-C, goes on doing so."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupted_once():
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.SIG_IGN == signal.getsignal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
