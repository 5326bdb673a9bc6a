"""The order of one read, without I/O: what to ask of the cache and of the loader, and what to make of the answers.

A read is a generator. It yields steps and is sent their outcomes; whoever runs it waits as its world does, with
threads or with coroutines. So the rules stand once.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias, final

from momento_lambda.caching.envelope import Entry, seal, unseal
from momento_lambda.caching.lifetime import Lifetime, Loaded
from momento_lambda.caching.outcomes import Result
from momento_lambda.caching.serializers import Serializer
from momento_lambda.caching.trouble import Trouble
from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.errors import InvalidArgumentError, LimitExceededError, MomentoError
from momento_lambda.responses import GetResponse, Hit
from momento_lambda.wire.arguments import item_bytes


@final
class Get:
    """Read keys from the cache. Its outcome: an answer per key, or the MomentoError that stood in the way."""

    __slots__ = ("keys",)

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys


@final
class Load:
    """Call the loader. Its outcome: what the loader returned; what it raises ends the read."""

    __slots__ = ("arguments",)

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments


@final
class Store:
    """Write items to the cache, with TTLs in seconds. Its outcome: None, or the MomentoError that stood in the way."""

    __slots__ = ("items", "ttls")

    def __init__(self, items: Mapping[str, bytes], ttls: Mapping[str, float]) -> None:
        self.items = items
        self.ttls = ttls


Step: TypeAlias = Get | Load | Store


@final
class ReadAside:
    """How one cache reads: its serializer, its clock, and where it reports trouble.

    Args:
        serializer: What turns values into bytes and back.
        trouble: Where what goes wrong is said.
        now_ms: Milliseconds since 1970.
    """

    __slots__ = ("_now_ms", "_serializer", "_trouble")

    def __init__(
        self,
        serializer: Serializer,
        trouble: Trouble,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._serializer = serializer
        self._trouble = trouble
        self._now_ms = now_ms

    def one(self, key: str, lifetime: Lifetime) -> Generator[Step, Any, Result[Any]]:
        """Read one key; where it is missing, load its value and store it. Returns a `Result`."""
        answers, error = yield from self._get([key])
        entry = self._entry(answers[0]) if error is None else None
        if entry is not None:
            return Result(entry.value, "cache")
        loaded = self._loaded(lifetime, (yield Load()))
        if error is None:
            error = yield from self._store({key: loaded})
        return Result(loaded.value, "loader", error)

    def many(self, keys: Mapping[Any, str], lifetime: Lifetime) -> Generator[Step, Any, dict[Any, Any]]:
        """Read many keys by id; load in one call those that are missing, and store them.

        Returns a mapping of id to value, in the order of `keys`, without the ids that the loader left out.
        """
        if not keys:
            return {}
        answers, error = yield from self._get(list(keys.values()))
        entries = [self._entry(answer) for answer in answers] if error is None else [None] * len(keys)
        found = {id_: entry.value for id_, entry in zip(keys, entries, strict=True) if entry is not None}
        missing = [id_ for id_ in keys if id_ not in found]
        if missing:
            returned = _asked_for(missing, (yield Load(missing)))
            loaded = {id_: self._loaded(lifetime, value) for id_, value in returned.items()}
            if error is None:
                yield from self._store({keys[id_]: item for id_, item in loaded.items()})
            found.update((id_, item.value) for id_, item in loaded.items())
        return {id_: found[id_] for id_ in keys if id_ in found}

    def _get(self, keys: Sequence[str]) -> Generator[Step, Any, tuple[Sequence[GetResponse], MomentoError | None]]:
        outcome = yield Get(keys)
        if isinstance(outcome, MomentoError):
            self._trouble.failed("read", outcome)
            return (), outcome
        self._trouble.worked("read")
        return outcome, None

    def _entry(self, answer: GetResponse) -> Entry | None:
        if not isinstance(answer, Hit):
            return None
        entry = unseal(answer.value_bytes, self._serializer)
        if entry is None:
            self._trouble.remark("a stored value could not be read, and was loaded anew")
        return entry

    def _loaded(self, lifetime: Lifetime, returned: Any) -> Loaded:
        loaded = lifetime.of(returned)
        if loaded.problem is not None:
            self._trouble.remark(loaded.problem)
        return loaded

    def _store(self, loaded: Mapping[str, Loaded]) -> Generator[Step, Any, MomentoError | None]:
        sealed = {key: self._seal(key, item) for key, item in loaded.items()}
        items = {key: stored for key, stored in sealed.items() if stored is not None}
        if not items:
            return None
        error: MomentoError | None = yield Store(items, {key: (loaded[key].ttl_ms or 0) / 1000 for key in items})
        if error is None:
            self._trouble.worked("write")
        else:
            self._trouble.failed("write", error)
        return error

    def _seal(self, key: str, loaded: Loaded) -> bytes | None:
        """Return what to store for a loaded value, or None where it is not to be stored or cannot be."""
        if loaded.ttl_ms is None:
            return None
        now_ms = self._now_ms()
        try:
            stored = seal(Entry(loaded.value, now_ms, now_ms + loaded.ttl_ms), self._serializer)
            item_bytes(key, stored)
        except InvalidArgumentError as error:
            self._trouble.remark(f"a value was returned and not stored: {error.message}")
            return None
        except LimitExceededError:
            # Without its size, which would make every such value a new remark.
            self._trouble.remark(f"a value was returned and not stored: with its key it is over {MAX_ITEM_BYTES} bytes")
            return None
        return stored


def _asked_for(missing: Sequence[Any], returned: Any) -> dict[Any, Any]:
    """Return what a batch loader answered of what it was asked.

    Raises:
        TypeError: It did not return a mapping.
    """
    if not isinstance(returned, Mapping):
        raise TypeError(
            f"a batch loader returns a mapping of id to value, not {type(returned).__name__}; leave out what is absent"
        )
    return {id_: returned[id_] for id_ in missing if id_ in returned}
