"""Ask several, and take the first answer."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from momento_lambda.errors import MomentoError, UnavailableError

Answer = TypeVar("Answer")


async def first_answer(answers: Iterable[Awaitable[Answer]]) -> Answer:
    """Return the first answer that comes; the others are not waited for.

    Raises:
        MomentoError: None came: why not, of the last to fail.
    """
    tasks = [asyncio.ensure_future(answer) for answer in answers]
    failure: MomentoError | None = None
    try:
        for task in asyncio.as_completed(tasks):
            try:
                return await task
            except MomentoError as error:
                failure = error
    finally:
        for unanswered in tasks:
            unanswered.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    raise failure or UnavailableError("the store has no node: check its URL")
