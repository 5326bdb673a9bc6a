"""The order of one load, without I/O: once in this process, once among processes with a lease, and then stored."""

import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final, NamedTuple, TypeAlias, final

from momento_lambda.caching.back_off import BackOff
from momento_lambda.caching.events import EventKind, Observers
from momento_lambda.caching.freshness import freshness
from momento_lambda.caching.lease import LINGER_SECONDS, Lease, left_nothing, left_value
from momento_lambda.caching.local_tier import UNCHANGING
from momento_lambda.caching.outcomes import Result, Source
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.results import found
from momento_lambda.caching.shelf import Packed, Shelf
from momento_lambda.caching.single_flight import LoadsUnderWay, SingleFlight
from momento_lambda.caching.steps import Beside, Get, GetMany, Load, Once, Pause, Plan, Raised, Remove, Step, Store
from momento_lambda.caching.trouble import Trouble
from momento_lambda.errors import MomentoError
from momento_lambda.responses import GetResponse, Hit, NotStored, Stored

SERVED: Final[dict[Source, EventKind]] = {"cache": "hit", "stale": "stale_hit", "negative": "negative_hit"}
"""What is told where a value is served from there."""

_FIRST_PAUSE_SECONDS: Final = 0.02
_LONGEST_PAUSE_SECONDS: Final = 0.5

Read: TypeAlias = Generator[Step, Any, Result[Any] | Raised]


@final
class Look(Get):
    """Read a key, and remember when. Answer: Hit or Miss.

    Attributes:
        policy: How it is read, and loaded where it is not there.
        landings: How many loads of this process had landed before.
        forgotten: How many keys this process's own tier had dropped before.
    """

    __slots__ = ("forgotten", "landings", "policy")

    def __init__(self, key: str, policy: Policy, landings: int, forgotten: int) -> None:
        self.key = key
        self.policy = policy
        self.landings = landings
        self.forgotten = forgotten


class Landing(NamedTuple):
    """What a load came to, for everyone who shares it.

    Attributes:
        outcome: What its leader gets.
        stored: The bytes of the value, of which the others make objects of their own; None where it has none.
        in_cache: Whether the remote cache holds it now.
    """

    outcome: Result[Any] | Raised
    stored: bytes | None = None
    in_cache: bool = False


_Landing: TypeAlias = Generator[Step, Any, Landing]
_Seen: TypeAlias = Packed | MomentoError | None
"""A fresh value, or why the cache could not be looked into, or that it holds none."""


@final
class Loading:
    """How one cache loads.

    Args:
        shelf: What turns loaded values into stored ones, and this process's own tier.
        flights: The loads that callers of this process share.
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
        self._shelf = shelf
        self._flights = flights
        self._loads = loads
        self._back_off = back_off
        self._trouble = trouble
        self._observers = observers
        self._time_left = time_left
        self._clock = clock
        self._chance = chance

    def look(self, key: str, policy: Policy) -> Look:
        """Return what to ask of the remote cache for a key."""
        return Look(key, policy, self._flights.landings, self._shelf.forgotten)

    def missing(self, look: Look) -> Read:
        """Load what the cache does not hold."""
        return (yield from self._shared(look.key, look.policy, lambda: self._load(look, held=None)))

    def due(self, look: Look, held: Packed, *, early: bool) -> Generator[Step, Any, Result[Any] | Raised | None]:
        """Load what the cache holds, and what should be loaded anew.

        Args:
            look: What found it.
            held: What the cache holds, to be served where the load fails.
            early: Whether it is good still.

        Returns:
            None where the caller gets what is held: a load is under way beside it, or none is to be.
        """
        key, policy = look.key, look.policy
        if self._back_off.rests(key, self._shelf.now_ms()):
            return None

        def load() -> Plan:
            return self._load(look, held)

        beside = yield Beside(key, load, held.entry.cost_ms / 1000)
        inline = beside is None and (policy.early_inline or not early)
        if early and (beside or inline):
            self._observers.tell("early_refresh")
        return (yield from self._shared(key, policy, load)) if inline else None

    def without_cache(self, look: Look, error: MomentoError) -> Read:
        """Load what the cache could not be asked for, and store nothing: it would most likely fail too."""
        key, policy = look.key, look.policy
        return (yield from self._shared(key, policy, lambda: self._load_and_store(key, policy, None, error)))

    def refresh(self, key: str, policy: Policy) -> Read:
        """Load a value anew and store it, whatever the cache holds and whatever is being loaded already."""
        self._loads.invalidate(key)
        self._flights.forget(key)
        return (yield from self._shared(key, policy, lambda: self._load_and_store(key, policy, None)))

    def _shared(self, key: str, policy: Policy, load: Callable[[], _Landing]) -> Read:
        """Load once in this process, whoever else asks meanwhile."""
        landing, led = yield Once(key, load)
        outcome: Result[Any] | Raised = landing.outcome
        if not led:
            self._observers.tell("shared")
            return _own(landing, policy)
        if isinstance(outcome, Result) and outcome.source in SERVED:
            self._observers.tell(SERVED[outcome.source])
        return outcome

    def _load(self, look: Look, held: Packed | None) -> _Landing:
        """Load a value, unless somebody did since the cache was looked into, or holds the lease to do so."""
        key, policy = look.key, look.policy
        if self._flights.landed_since(key, look.landings):
            look = self.look(key, policy)
            seen = self._fresh(look, (yield look))
            if seen is not None:
                return (yield from self._load_unless(seen, key, policy, held))
        if policy.lease_seconds is None:
            return (yield from self._load_and_store(key, policy, held))
        return (yield from self._load_with(Lease(key, policy.lease_seconds), look, held))

    def _load_with(self, lease: Lease, look: Look, held: Packed | None) -> _Landing:
        """Load a value with the lease, or wait for whoever has it."""
        key, policy, claim = look.key, look.policy, lease.claim()
        claimed = yield claim
        leading, seen = isinstance(claimed, Stored), None
        if isinstance(claimed, NotStored):
            if held is not None:
                return self._served(held)
            leading, seen = yield from self._await_holder(lease, key, policy)
        elif leading and claim.asked_at + claim.seconds - look.asked_at >= LINGER_SECONDS:
            # Whoever stored the value since may have left no trace in the lease, so long after.
            again = self.look(key, policy)
            seen = self._fresh(again, (yield again))
        landing = yield from self._load_unless(seen, key, policy, held)
        if leading:
            yield lease.let_go(stored=landing.in_cache)
        return landing

    def _await_holder(self, lease: Lease, key: str, policy: Policy) -> Generator[Step, Any, tuple[bool, _Seen]]:
        """Wait for the holder of a lease, as long as it may take.

        Returns:
            Whether the lease is one's own by now, and what the holder stored.
        """
        pauses = self._pauses(lease.seconds)
        while (over := (yield from self._look_at_holder(lease, key, policy))) is None:
            pause = next(pauses, None)
            if pause is None:
                return False, None
            yield Pause(pause)
        return over

    def _look_at_holder(
        self, lease: Lease, key: str, policy: Policy
    ) -> Generator[Step, Any, tuple[bool, _Seen] | None]:
        """Look at what the holder of a lease came to, and take its place where it left nothing; None while it loads."""
        look = self.look(key, policy)
        answers = yield GetMany((key, lease.key))
        if isinstance(answers, MomentoError):
            return False, answers
        value, left = answers
        seen = self._fresh(look, value)
        if seen is None and left_value(left):
            # It may have stored the value between the two answers.
            seen = self._fresh(look, (yield look))
        if seen is not None or left_nothing(left):
            return False, seen
        attempt = lease.succeed(left)
        leading = attempt is not None and isinstance((yield attempt), Stored)
        return (True, None) if leading else None

    def _pauses(self, seconds: float) -> Iterator[float]:
        """Return pauses that grow, for some seconds, and no longer than the invocation lasts."""
        pause, waited = _FIRST_PAUSE_SECONDS, 0.0
        while waited < seconds:
            jittered, left = pause * (1 + self._chance()) / 2, self._time_left()
            if left is not None and left <= jittered:
                return
            yield jittered
            waited += jittered
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _fresh(self, look: Look, answer: GetResponse | MomentoError) -> _Seen:
        """Return what the cache holds by now, where somebody else loaded it."""
        if isinstance(answer, MomentoError):
            return answer
        entry = self._shelf.take(look.key, answer, look.policy, look.forgotten)
        if entry is None or entry.absent or not isinstance(answer, Hit):
            return None
        fresh = freshness(entry, self._shelf.now_ms(), None, self._chance) == "fresh"
        return Packed(entry, answer.value_bytes) if fresh else None

    def _load_unless(self, seen: _Seen, key: str, policy: Policy, held: Packed | None) -> _Landing:
        """Load a value and store it, unless the cache was seen to hold it, or could not be looked into."""
        if isinstance(seen, Packed):
            return self._served(seen)
        return (yield from self._load_and_store(key, policy, held, seen))

    def _load_and_store(
        self, key: str, policy: Policy, held: Packed | None, error: MomentoError | None = None
    ) -> _Landing:
        """Load a value and store it; where the cache could not be read, it is not written either."""
        in_cache = False
        with self._loads.begin(key) as load:
            started = self._clock()
            returned = yield Load()
            cost = self._clock() - started
            if isinstance(returned, Raised):
                return self._instead(key, returned, held)
            self._observers.tell("load", seconds=cost)
            loaded = policy.lifetime.of(returned)
            entry, stored, _ = self._shelf.pack(key, loaded, policy, cost)
            if stored is not None and error is None and load.valid:
                error = yield Store({key: stored}, {key: loaded.kept_ms / 1000})
                in_cache = error is None and load.valid
                if in_cache:
                    self._shelf.keep(key, stored, entry, policy)
                elif error is None:
                    # It was invalidated on its way: then it must not stay there either.
                    error = yield Remove(key)
        value = entry.value if policy.decode_loaded else loaded.value
        ttl_left = None if loaded.ttl_ms is None else loaded.ttl_ms / 1000
        return Landing(Result(value, "loader", 0.0, ttl_left, error), stored, in_cache)

    def _instead(self, key: str, raised: Raised, held: Packed | None) -> Landing:
        """Serve what the cache holds in place of what could not be loaded anew, while that may be."""
        self._observers.tell("load_error", error=type(raised.error).__name__)
        if held is None:
            return Landing(raised)
        self._trouble.not_loaded_anew(raised.error)
        now_ms = self._shelf.now_ms()
        if now_ms >= held.entry.gone_ms:
            return Landing(raised)
        self._back_off.rest(key, now_ms)
        return self._served(held)

    def _served(self, seen: Packed) -> Landing:
        """Return what the cache holds. Who serves it tells of it: what is loaded beside a caller serves nobody."""
        return Landing(found(seen.entry, self._shelf.now_ms()), seen.stored, in_cache=True)


def _own(landing: Landing, policy: Policy) -> Result[Any] | Raised:
    """Return another's outcome with a value of one's own: what one caller changes, no other may see changed."""
    outcome = landing.outcome
    if isinstance(outcome, Raised) or landing.stored is None or type(outcome.value) in UNCHANGING:
        return outcome
    entry = policy.packing.unpack(landing.stored)
    if entry is None:
        return outcome
    return Result(entry.value, outcome.source, outcome.age, outcome.ttl_left, outcome.cache_error)
