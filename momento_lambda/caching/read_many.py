"""The order of one batch, without I/O: one read for all keys, one load for all that is missing, one write."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final, final

from momento_lambda.caching.back_off import BackOff
from momento_lambda.caching.envelope import Entry
from momento_lambda.caching.events import EventKind, Observers
from momento_lambda.caching.freshness import freshness
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.shelf import Kept, Shelf
from momento_lambda.caching.single_flight import LoadsUnderWay
from momento_lambda.caching.steps import Get, GetMany, Load, Raised, Remove, Step, Store
from momento_lambda.caching.trouble import Trouble
from momento_lambda.errors import MomentoError
from momento_lambda.responses import GetResponse

_NOTHING: Final = object()


def _never() -> float:
    return 0.0


@final
class ReadMany:
    """How one cache reads many keys at once.

    Args:
        shelf: What turns loaded values into stored ones and back, and this process's own tier.
        loads: What invalidations look at.
        back_off: The loaders that failed and rest.
        trouble: Where values that could not be loaded anew are remarked on.
        observers: Who is told of what happens.
        clock: Seconds, monotonic: what loaders cost.
    """

    def __init__(
        self,
        shelf: Shelf,
        *,
        loads: LoadsUnderWay,
        back_off: BackOff,
        trouble: Trouble,
        observers: Observers,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._shelf = shelf
        self._loads = loads
        self._back_off = back_off
        self._trouble = trouble
        self._observers = observers
        self._clock = clock

    def many(self, keys: Mapping[Any, str], policy: Policy) -> Generator[Step, Any, dict[Any, Any] | Raised]:
        """Read many keys by id; load in one call those that are missing or due, and store them.

        Returns a mapping of id to value, in the order of `keys`, without the ids that are absent.
        """
        if not keys:
            return {}
        now_ms = self._shelf.now_ms()
        local = ((id_, self._shelf.local(key, policy, now_ms)) for id_, key in keys.items())
        known = {id_: _entry(kept) for id_, kept in local if kept is not None}
        if known:
            self._observers.tell("local_hit", len(known))
        asked = {id_: key for id_, key in keys.items() if id_ not in known}
        error: MomentoError | None = None
        due: dict[Any, Entry] = {}
        if asked:
            since = self._shelf.forgotten
            answers = yield from _answers(list(asked.values()))
            if isinstance(answers, MomentoError):
                error = answers
                if policy.raise_errors:
                    return Raised(error)
                self._take_last_known(asked, policy, known)
            else:
                self._sort(asked, answers, policy, known, due, since=since)
        missing = {id_: key for id_, key in asked.items() if id_ not in known}
        if missing:
            loaded = yield from self._load(missing, policy, due, error)
            if isinstance(loaded, Raised):
                return loaded
            known |= loaded
        return {id_: known[id_].value for id_ in keys if id_ in known and not known[id_].absent}

    def _sort(
        self,
        asked: Mapping[Any, str],
        answers: Sequence[GetResponse],
        policy: Policy,
        known: dict[Any, Entry],
        due: dict[Any, Entry],
        *,
        since: int,
    ) -> None:
        """Put each answer where it belongs: known, due to be loaded anew, or in neither."""
        counts: dict[EventKind, int] = {"hit": 0, "negative_hit": 0, "stale_hit": 0}
        now_ms = self._shelf.now_ms()
        for (id_, key), answer in zip(asked.items(), answers, strict=False):
            entry = self._shelf.take(key, answer, policy, since)
            state = "gone" if entry is None else freshness(entry, now_ms, None, _never)
            if entry is None or state == "gone":
                continue
            if state == "stale" and not self._back_off.rests(key, now_ms):
                due[id_] = entry
                continue
            known[id_] = entry
            counts["negative_hit" if entry.negative else "stale_hit" if state == "stale" else "hit"] += 1
        for kind, count in counts.items():
            if count:
                self._observers.tell(kind, count)

    def _take_last_known(self, asked: Mapping[Any, str], policy: Policy, known: dict[Any, Entry]) -> None:
        """Where the remote cache did not answer, take what this process knew last."""
        found = ((id_, self._shelf.last_known(key, policy)) for id_, key in asked.items())
        last_known = {id_: _entry(kept) for id_, kept in found if kept is not None}
        if last_known:
            self._observers.tell("stale_hit", len(last_known))
        known |= last_known

    def _load(
        self, missing: Mapping[Any, str], policy: Policy, due: Mapping[Any, Entry], error: MomentoError | None
    ) -> Generator[Step, Any, dict[Any, Entry] | Raised]:
        if len(missing) > len(due):
            self._observers.tell("miss", len(missing) - len(due))
        with ExitStack() as stack:
            loads = {id_: stack.enter_context(self._loads.begin(key)) for id_, key in missing.items()}
            started = self._clock()
            returned = yield Load(list(missing))
            cost = self._clock() - started
            if not isinstance(returned, Raised) and not isinstance(returned, Mapping):
                returned = Raised(_not_a_mapping(returned))
            if isinstance(returned, Raised):
                return self._instead(missing, returned, due)
            self._observers.tell("load", len(missing), seconds=cost)
            entries, items, ttls = self._pack(missing, returned, policy, cost)
            valid = {id_: key for id_, key in missing.items() if key in items and loads[id_].valid}
            if valid and error is None:
                failed = yield Store(
                    {key: items[key] for key in valid.values()}, {key: ttls[key] for key in valid.values()}
                )
                for id_, key in valid.items() if failed is None else ():
                    if loads[id_].valid:
                        self._shelf.keep(key, items[key], entries[id_], policy)
                    else:
                        # It was invalidated on its way: whatever came first there, the older value must not stay.
                        yield Remove(key)
        return entries

    def _pack(
        self, missing: Mapping[Any, str], returned: Mapping[Any, Any], policy: Policy, cost: float
    ) -> tuple[dict[Any, Entry], dict[str, bytes], dict[str, float]]:
        entries: dict[Any, Entry] = {}
        items: dict[str, bytes] = {}
        ttls: dict[str, float] = {}
        for id_, key in missing.items():
            value = returned.get(id_, _NOTHING)
            absent = value is _NOTHING
            loaded = policy.lifetime.of_absence() if absent else policy.lifetime.of(value, id_)
            entry, stored, _ = self._shelf.pack(key, loaded, policy, cost, absent=absent)
            entries[id_] = entry
            if stored is not None:
                items[key], ttls[key] = stored, loaded.kept_ms / 1000
        return entries, items, ttls

    def _instead(
        self, missing: Mapping[Any, str], raised: Raised, due: Mapping[Any, Entry]
    ) -> dict[Any, Entry] | Raised:
        """Serve what is over due, if that answers for everything that was to be loaded."""
        self._observers.tell("load_error", error=type(raised.error).__name__)
        now_ms = self._shelf.now_ms()
        if any(id_ not in due or now_ms >= due[id_].gone_ms for id_ in missing):
            return raised
        self._trouble.not_loaded_anew(raised.error)
        for key in missing.values():
            self._back_off.rest(key, now_ms)
        self._observers.tell("stale_hit", len(due))
        return dict(due)


def _answers(keys: Sequence[str]) -> Generator[Step, Any, Sequence[GetResponse] | MomentoError]:
    """Ask for keys, for one in the way that costs less."""
    if len(keys) > 1:
        answers: Sequence[GetResponse] | MomentoError = yield GetMany(keys)
        return answers
    answer: GetResponse | MomentoError = yield Get(keys[0])
    return answer if isinstance(answer, MomentoError) else (answer,)


def _entry(kept: Kept) -> Entry:
    value, entry = kept
    return entry._replace(value=value)


def _not_a_mapping(returned: object) -> TypeError:
    return TypeError(
        f"a batch loader returns a mapping of id to value, not {type(returned).__name__}; leave out what is absent"
    )
