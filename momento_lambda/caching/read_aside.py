"""The order of one read, without I/O: what to ask of the cache and of the loader, and what to make of the answers.

A read is a plan: a generator that yields steps and is sent their outcomes. Whoever carries it out waits as its world
does, with threads or with coroutines. So the rules stand once.
"""

import os
import time
from collections.abc import Callable, Generator
from typing import Any, Final, TypeAlias, final

from momento_lambda.caching.back_off import BackOff
from momento_lambda.caching.envelope import Entry
from momento_lambda.caching.events import EventKind, Observers
from momento_lambda.caching.freshness import freshness
from momento_lambda.caching.lifetime import Loaded
from momento_lambda.caching.outcomes import Result, Source
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.remote import Remote
from momento_lambda.caching.shelf import Kept, Shelf
from momento_lambda.caching.single_flight import LoadsUnderWay, LoadUnderWay, SingleFlight
from momento_lambda.caching.steps import Beside, Load, Once, Pause, Plan, Raised, Step
from momento_lambda.caching.trouble import Trouble
from momento_lambda.errors import MomentoError
from momento_lambda.responses import Hit

LEASE_SUFFIX: Final = ":lease"
_FIRST_POLL_SECONDS: Final = 0.02
_LONGEST_POLL_SECONDS: Final = 0.5
_SERVED: Final[dict[Source, EventKind]] = {"cache": "hit", "stale": "stale_hit", "negative": "negative_hit"}

Read: TypeAlias = Generator[Step, Any, Result[Any] | Raised]


@final
class ReadAside:
    """How one cache reads.

    Args:
        remote: The remote cache.
        shelf: What turns loaded values into stored ones and back, and this process's own tier.
        flights: The loads of this process.
        loads: What invalidations look at.
        back_off: The loaders that failed and rest.
        trouble: Where a value that could not be loaded anew is remarked on.
        observers: Who is told of what happens.
        time_left: The seconds that the invocation has left; None where nobody says.
        clock: Seconds, monotonic: what loaders cost.
        chance: A number in [0, 1).
    """

    def __init__(
        self,
        remote: Remote,
        shelf: Shelf,
        *,
        flights: SingleFlight,
        loads: LoadsUnderWay,
        back_off: BackOff,
        trouble: Trouble,
        observers: Observers,
        time_left: Callable[[], float | None],
        clock: Callable[[], float] = time.perf_counter,
        chance: Callable[[], float],
    ) -> None:
        self._remote = remote
        self._shelf = shelf
        self._flights = flights
        self._loads = loads
        self._back_off = back_off
        self._trouble = trouble
        self._observers = observers
        self._time_left = time_left
        self._clock = clock
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
        return None if kept is None else _result(*kept, "local", self._shelf.now_ms())

    def one(self, key: str, policy: Policy) -> Read:
        """Read one key; where it is missing or due, load its value and store it."""
        local = self.local(key, policy) if policy.local else None
        if local is not None:
            return local
        ticket, asked_at = self._flights.ticket(), self._clock()
        entry, error = yield from self._fetch(key, policy)
        took = self._clock() - asked_at
        if error is not None:
            return (yield from self._without_cache(key, policy, error))
        state = "gone" if entry is None else freshness(entry, self._shelf.now_ms(), policy.beta, self._chance)
        if entry is None or state == "gone":
            self._observers.tell("miss", seconds=took)
            return (yield from self._once(key, lambda: self._load(key, policy, ticket=ticket, fallback=None)))
        if state != "fresh" and (yield from self._refreshed_inline(key, policy, ticket, entry, early=state == "early")):
            return (yield from self._once(key, lambda: self._load(key, policy, ticket=ticket, fallback=entry)))
        return self._served(entry, took)

    def refresh(self, key: str, policy: Policy) -> Read:
        """Load a value anew and store it, whatever the cache holds and whatever is being loaded already."""
        self._loads.invalidate(key)
        self._flights.forget(key)
        return (yield from self._once(key, lambda: self._load_and_store(key, policy, None, error=None)))

    def peek(self, key: str, policy: Policy) -> Generator[Step, Any, Result[Any] | Raised | None]:
        """Return what the cache holds, or None; nothing is loaded."""
        local = self.local(key, policy)
        if local is not None:
            return local
        asked_at = self._clock()
        entry, error = yield from self._fetch(key, policy)
        took = self._clock() - asked_at
        if error is not None and policy.raise_errors:
            return Raised(error)
        if entry is None or freshness(entry, self._shelf.now_ms(), None, self._chance) == "gone":
            self._observers.tell("miss", seconds=took)
            return None
        return self._served(entry, took)

    def _refreshed_inline(
        self, key: str, policy: Policy, ticket: int, entry: Entry, *, early: bool
    ) -> Generator[Step, Any, bool]:
        """Start loading a value anew beside the caller; where that cannot be, whether the caller should."""
        if self._back_off.rests(key, self._shelf.now_ms()):
            return False

        def load() -> Plan:
            return self._load(key, policy, ticket=ticket, fallback=entry)

        beside = yield Beside(key, load, entry.cost_ms / 1000)
        inline = beside is None and (policy.early_inline or not early)
        if early and (beside or inline):
            self._observers.tell("early_refresh")
        return inline

    def _fetch(self, key: str, policy: Policy) -> Generator[Step, Any, tuple[Entry | None, MomentoError | None]]:
        since = self._shelf.forgotten
        answers, error = yield from self._remote.fetch([key])
        if error is not None or not isinstance(answers[0], Hit):
            return None, error
        entry = self._shelf.take(key, answers[0].value_bytes, policy, since)
        # What a batch remembers as left out is no value to a single read, which may find one.
        return (None if entry is None or entry.absent else entry), None

    def _without_cache(self, key: str, policy: Policy, error: MomentoError) -> Read:
        if policy.raise_errors:
            return Raised(error)
        known = self._shelf.last_known(key, policy)
        if known is not None:
            self._observers.tell("stale_hit")
            return _result(*known, "stale", self._shelf.now_ms(), error)
        self._observers.tell("miss")
        return (yield from self._once(key, lambda: self._load_and_store(key, policy, None, error=error)))

    def _once(self, key: str, plan: Callable[[], Plan]) -> Read:
        outcome, led = yield Once(key, plan)
        shared: Result[Any] | Raised = outcome
        if not led:
            self._observers.tell("shared")
        elif isinstance(shared, Result) and shared.source in _SERVED:
            self._observers.tell(_SERVED[shared.source])
        return shared

    def _load(self, key: str, policy: Policy, *, ticket: int, fallback: Entry | None) -> Read:
        """Load a value, unless somebody did since the cache was asked, or holds the lease to do so."""
        if self._flights.landed_since(key, ticket):
            entry, error = yield from self._fetch(key, policy)
            if entry is not None and freshness(entry, self._shelf.now_ms(), None, self._chance) == "fresh":
                return self._found(entry)
            if error is not None:
                return (yield from self._load_and_store(key, policy, fallback, error=error))
        if policy.lease_seconds is None:
            return (yield from self._load_and_store(key, policy, fallback, error=None))
        claimed_at = self._clock()
        held = yield from self._remote.claim(key + LEASE_SUFFIX, os.urandom(16), policy.lease_seconds)
        if held is False:
            if fallback is not None:
                return self._found(fallback)
            entry = yield from self._await_other(key, policy, policy.lease_seconds)
            if entry is not None:
                return self._found(entry)
        outcome = yield from self._load_and_store(key, policy, fallback, error=None)
        # A lease that ran out may be another's by now.
        if held and self._clock() - claimed_at < policy.lease_seconds:
            yield from self._remote.remove(key + LEASE_SUFFIX)
        return outcome

    def _await_other(self, key: str, policy: Policy, seconds: float) -> Generator[Step, Any, Entry | None]:
        """Wait for what the holder of the lease stores; None when it does not in time, or the cache cannot say."""
        pause, waited = _FIRST_POLL_SECONDS, 0.0
        while waited < seconds:
            jittered = pause * (1 + self._chance()) / 2
            left = self._time_left()
            if left is not None and left <= jittered:
                return None
            yield Pause(jittered)
            waited += jittered
            pause = min(pause * 2, _LONGEST_POLL_SECONDS)
            entry, error = yield from self._fetch(key, policy)
            if error is not None:
                return None
            if entry is not None and freshness(entry, self._shelf.now_ms(), None, self._chance) == "fresh":
                return entry
        return None

    def _load_and_store(self, key: str, policy: Policy, fallback: Entry | None, *, error: MomentoError | None) -> Read:
        """Load a value and store it; where the cache could not be read, it is not written either."""
        with self._loads.begin(key) as load:
            started = self._clock()
            returned = yield Load()
            cost = self._clock() - started
            if isinstance(returned, Raised):
                return self._instead(key, returned, fallback)
            self._observers.tell("load", seconds=cost)
            loaded = policy.lifetime.of(returned)
            entry, stored = self._shelf.pack(key, loaded, policy, cost)
            if stored is not None and error is None and load.valid:
                error = yield from self._remote.store({key: stored}, {key: loaded.kept_ms / 1000})
                if error is None:
                    error = yield from self._settle(key, stored, entry, policy, load)
        value = entry.value if policy.decode_loaded else loaded.value
        return Result(value, "loader", age=0.0, ttl_left=_seconds(loaded), cache_error=error)

    def _settle(
        self, key: str, stored: bytes, entry: Entry, policy: Policy, load: LoadUnderWay
    ) -> Generator[Step, Any, MomentoError | None]:
        """Keep here too what was stored, unless it was invalidated on its way: then it must not stay there either."""
        if load.valid:
            self._shelf.keep(key, stored, entry, policy)
            return None
        return (yield from self._remote.remove(key))

    def _instead(self, key: str, raised: Raised, fallback: Entry | None) -> Result[Any] | Raised:
        self._observers.tell("load_error", error=type(raised.error).__name__)
        if fallback is None:
            return raised
        self._trouble.not_loaded_anew(raised.error)
        now_ms = self._shelf.now_ms()
        if now_ms >= fallback.gone_ms:
            return raised
        self._back_off.rest(key, now_ms)
        return self._found(fallback)

    def _served(self, entry: Entry, seconds: float) -> Result[Any]:
        found = self._found(entry)
        self._observers.tell(_SERVED[found.source], seconds=seconds)
        return found

    def _found(self, entry: Entry) -> Result[Any]:
        """Return an entry as a result. Who serves it tells of it: what was loaded beside a caller serves nobody."""
        now_ms = self._shelf.now_ms()
        source: Source = "negative" if entry.negative else "stale" if now_ms >= entry.due_ms else "cache"
        return _result(entry.value, entry, source, now_ms)


def _result(value: Any, entry: Entry, source: Source, now_ms: int, error: MomentoError | None = None) -> Result[Any]:
    if not entry.created_ms:
        return Result(value, source, cache_error=error)
    age, left = (now_ms - entry.created_ms) / 1000, (entry.due_ms - now_ms) / 1000
    return Result(value, source, age=age, ttl_left=left, cache_error=error)


def _seconds(loaded: Loaded) -> float | None:
    return None if loaded.ttl_ms is None else loaded.ttl_ms / 1000
