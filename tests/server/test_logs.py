import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from momento_lambda.server.logs import LogFormat, LogLevel, start_logging
from tests.kept_logging import kept_logging


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    """The logging of the process, put back afterwards."""
    with kept_logging():
        logging.getLogger().handlers[:] = []
        yield


def test_a_line_of_json_is_one_event(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a message holds, its record is one line: an object with a time in UTC, a level, a logger and it."""
    start_logging(LogFormat.JSON, LogLevel.INFO)
    logging.getLogger("momento_lambda.server").info('a "message"\nof %d lines, é', 2)
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    age = datetime.now(UTC) - datetime.fromisoformat(event.pop("time"))
    assert 0 <= age.total_seconds() < 3_600
    assert {
        "level": "info",
        "logger": "momento_lambda.server",
        "message": 'a "message"\nof 2 lines, é',
    } == event


def test_an_exception_is_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception does not spread over many lines: it is two more fields."""
    start_logging(LogFormat.JSON, LogLevel.ERROR)
    try:
        int("wrong")
    except ValueError:
        logging.getLogger("momento_lambda.server").exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert "ValueError" == event["exception"]
    assert event["stack"].endswith("'wrong'")


@pytest.mark.parametrize("form", LogFormat)
def test_the_level_is_ours_alone(capsys: pytest.CaptureFixture[str], form: LogFormat) -> None:
    """Below the level nothing is written, and what other libraries say only from a warning on."""
    start_logging(form, LogLevel.INFO)
    logging.getLogger("momento_lambda.server").debug("too fine")
    logging.getLogger("someone.else").info("not ours")
    assert "" == capsys.readouterr().err
    logging.getLogger("someone.else").warning("a warning")
    logging.getLogger("momento_lambda.server").info("ours")
    assert 2 == len(capsys.readouterr().err.splitlines())


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """As text, a record is the time, the level, the logger and the message."""
    start_logging(LogFormat.TEXT, LogLevel.WARNING)
    logging.getLogger("momento_lambda.server").warning("a message")
    assert capsys.readouterr().err.endswith(" WARNING momento_lambda.server: a message\n")
