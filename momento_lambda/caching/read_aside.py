"""The order of one read, without I/O: what to ask of the cache, and what to make of its answer.

A read is a plan: a generator that yields steps and is sent their outcomes. Whoever carries it out waits as its world
does, with threads or with coroutines. So the rules stand once.
"""

from collections.abc import Callable, Generator
from typing import Any, cast, final

from momento_lambda.caching.envelope import Entry
from momento_lambda.caching.events import Observers
from momento_lambda.caching.freshness import freshness
from momento_lambda.caching.loading import SERVED, Loading, Look, Read
from momento_lambda.caching.outcomes import Result
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.results import found, result_of
from momento_lambda.caching.shelf import Kept, Packed, Shelf
from momento_lambda.caching.steps import Raised, Step
from momento_lambda.errors import MomentoError
from momento_lambda.responses import GetResponse, Hit


@final
class ReadAside:
    """How one cache reads.

    Args:
        shelf: What turns stored values into loaded ones, and this process's own tier.
        loading: What loads what is missing or due.
        observers: Who is told of what happens.
        chance: A number in [0, 1).
    """

    def __init__(self, shelf: Shelf, loading: Loading, observers: Observers, chance: Callable[[], float]) -> None:
        self._shelf = shelf
        self._loading = loading
        self._observers = observers
        self._chance = chance

    def kept(self, key: str, policy: Policy) -> Kept | None:
        """Return the value that this process's own tier may serve, and its times, or None. No step is needed."""
        kept = self._shelf.local(key, policy, self._shelf.now_ms())
        if kept is not None:
            self._observers.tell("local_hit")
        return kept

    def local(self, key: str, policy: Policy) -> Result[Any] | None:
        """Return what this process's own tier may serve, or None. No step is needed."""
        kept = self.kept(key, policy)
        return None if kept is None else result_of(*kept, "local", self._shelf.now_ms())

    def after(self, look: Look, answer: GetResponse | MomentoError) -> Result[Any] | Read:
        """Return what the remote cache holds, where it may be served as it is; else the plan of what to do instead."""
        if isinstance(answer, MomentoError):
            return self._without_cache(look, answer)
        entry, now_ms = self._shelf.take(look.key, answer, look.policy, look.forgotten), self._shelf.now_ms()
        state = "gone" if entry is None else freshness(entry, now_ms, look.policy.beta, self._chance)
        # What a batch remembers as left out is no value to a single read, which may find one.
        if entry is None or entry.absent or state == "gone":
            self._observers.tell("miss", seconds=look.seconds)
            return self._loading.missing(look)
        if state == "fresh":
            return self._hit(look, entry, now_ms)
        # Only a hit has an entry.
        held = Packed(entry, cast("Hit", answer).value_bytes)
        return self._due(look, held, early=state == "early")

    def one(self, key: str, policy: Policy) -> Read:
        """Read one key; where it is missing or due, load its value and store it."""
        local = self.local(key, policy) if policy.local else None
        if local is not None:
            return local
        look = self._loading.look(key, policy)
        after = self.after(look, (yield look))
        return after if isinstance(after, Result) else (yield from after)

    def peek(self, key: str, policy: Policy) -> Generator[Step, Any, Result[Any] | Raised | None]:
        """Return what the cache holds, or None; nothing is loaded."""
        local = self.local(key, policy)
        if local is not None:
            return local
        look = self._loading.look(key, policy)
        answer = yield look
        if isinstance(answer, MomentoError):
            if policy.raise_errors:
                return Raised(answer)
            self._observers.tell("miss")
            return None
        entry, now_ms = self._shelf.take(key, answer, policy, look.forgotten), self._shelf.now_ms()
        if entry is None or entry.absent or freshness(entry, now_ms, None, self._chance) == "gone":
            self._observers.tell("miss", seconds=look.seconds)
            return None
        return self._hit(look, entry, now_ms)

    def _due(self, look: Look, held: Packed, *, early: bool) -> Read:
        """Have a value loaded anew, by the caller or beside it; in the latter case, serve what is held."""
        anew = yield from self._loading.due(look, held, early=early)
        return self._hit(look, held.entry, self._shelf.now_ms()) if anew is None else anew

    def _hit(self, look: Look, entry: Entry, now_ms: int) -> Result[Any]:
        result = found(entry, now_ms)
        self._observers.tell(SERVED[result.source], seconds=look.seconds)
        return result

    def _without_cache(self, look: Look, error: MomentoError) -> Read:
        """Serve what this process knew last, or else load; nothing is stored where the cache cannot be read."""
        if look.policy.raise_errors:
            return Raised(error)
        known = self._shelf.last_known(look.key, look.policy)
        if known is not None:
            self._observers.tell("stale_hit")
            return result_of(*known, "stale", self._shelf.now_ms(), error)
        self._observers.tell("miss")
        return (yield from self._loading.without_cache(look, error))
