"""How the server's own log is written: for a person, or one JSON object a line for what collects logs."""

import json
import logging
import sys
import time
from enum import Enum
from typing import Any, final


class LogFormat(Enum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


class LogLevel(Enum):
    """From which level on lines are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def start_logging(form: LogFormat, level: LogLevel) -> None:
    """Write the log of the whole process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form is LogFormat.JSON else TextFormatter())
    # What libraries say below a warning is about themselves.
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("momento_lambda").setLevel(level.name)


@final
class TextFormatter(logging.Formatter):
    """One line for a person, and below it how an exception came about."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")


@final
class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the same fields in each: `time`, `level`, `logger`, `message`.

    An exception adds `exception`, its type, and `stack`, how it came about.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line."""
        line: dict[str, Any] = {
            "time": _utc(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _utc(seconds: float) -> str:
    milliseconds = int(seconds * 1000) % 1000
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d}Z"
