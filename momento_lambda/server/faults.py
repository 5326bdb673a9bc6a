"""Failures and delays that a caller asks for in the headers of its call, to see how it copes with them."""

import asyncio
import re
from collections.abc import Collection, Mapping
from typing import Final, final

import grpc

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.server.refusals import InjectedFaultError

_STATUSES: Final = {
    status.name.lower().replace("_", "-"): status for status in grpc.StatusCode if status is not grpc.StatusCode.OK
}
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_REMEMBERED: Final = 10_000


@final
class FaultInjection:
    """Delays and fails the calls whose headers ask for it.

    `delay-rpcs` and `error-rpcs` name procedures, in kebab case with spaces between; `delay-ms` and `return-error` say
    what happens to them, the delay first; `delay-count` and `error-count` to how many calls, counted for each
    `request-id`. An empty header counts as absent, and a header that the protocol does not name is not looked at.
    """

    __slots__ = ("_done", "_remembered")

    def __init__(self, *, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        # By kind and request id. The oldest are forgotten, since ids are made up anew for ever.
        self._done: dict[tuple[str, str], int] = {}

    async def inject(self, names: Collection[str], headers: Mapping[str, str | bytes]) -> None:
        """Do to a call what its headers ask for.

        Args:
            names: What the procedure is called.
            headers: The call's metadata.

        Raises:
            InjectedFaultError: The failure asked for.
            InvalidArgumentError: A header that cannot be read.
        """
        delay_ms = _count(headers, "delay-ms")
        if delay_ms and self._applies("delay", names, headers):
            await asyncio.sleep(delay_ms / 1000)
        status = _status(headers)
        if status and self._applies("error", names, headers):
            raise InjectedFaultError(status)

    def _applies(self, kind: str, names: Collection[str], headers: Mapping[str, str | bytes]) -> bool:
        """Whether a call is among those that a fault is for, which counts it."""
        if set(_text(headers, f"{kind}-rpcs").split()).isdisjoint(names):
            return False
        limit = _count(headers, f"{kind}-count")
        if limit is None:
            return True
        key = kind, _text(headers, "request-id")
        done = self._done.pop(key, 0)
        self._done[key] = done + 1
        if len(self._done) > self._remembered:
            del self._done[next(iter(self._done))]
        return done < limit


def _text(headers: Mapping[str, str | bytes], name: str) -> str:
    value = headers.get(name, "")
    return value if isinstance(value, str) else ""


def _count(headers: Mapping[str, str | bytes], name: str) -> int | None:
    text = _text(headers, name)
    if not text:
        return None
    if not _COUNT.fullmatch(text):
        raise InvalidArgumentError(f"the header `{name}` is {text[:40]!r}: give a whole number of at most 9 digits")
    return int(text)


def _status(headers: Mapping[str, str | bytes]) -> grpc.StatusCode | None:
    text = _text(headers, "return-error")
    if not text:
        return None
    if text not in _STATUSES:
        raise InvalidArgumentError(f"the header `return-error` is {text[:40]!r}: give one of {', '.join(_STATUSES)}")
    return _STATUSES[text]
