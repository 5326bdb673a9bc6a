"""The parts of one cache, put together."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, final

from momento_lambda.caching.back_off import BackOff
from momento_lambda.caching.breaker import Breaker
from momento_lambda.caching.events import Observers
from momento_lambda.caching.lifetime import TtlOfValue
from momento_lambda.caching.loading import Loading
from momento_lambda.caching.local_tier import LocalTier
from momento_lambda.caching.options import Options
from momento_lambda.caching.policy import Policy
from momento_lambda.caching.read_aside import ReadAside
from momento_lambda.caching.record import Record
from momento_lambda.caching.remote import Remote
from momento_lambda.caching.running import Runner
from momento_lambda.caching.shelf import Shelf
from momento_lambda.caching.single_flight import LoadsUnderWay, SingleFlight
from momento_lambda.caching.trouble import Trouble
from momento_lambda.runtime.clients import ClientSource
from momento_lambda.runtime.invocation import time_left
from momento_lambda.ttl import Ttl

if TYPE_CHECKING:
    from momento_lambda.caching.read_many import ReadMany
    from momento_lambda.caching.writes import Writes


@final
class Workings(Record):
    """The parts of one cache that functions and calls work with."""

    options: Options
    default_policy: Policy
    reads: ReadAside
    loading: Loading
    remote: Remote
    runner: Runner
    shelf: Shelf
    flights: SingleFlight
    loads: LoadsUnderWay
    back_off: BackOff
    trouble: Trouble
    observers: Observers

    @functools.cached_property
    def batches(self) -> "ReadMany":
        """What reads many keys at once."""
        from momento_lambda.caching.read_many import ReadMany  # noqa: PLC0415  # few functions read so

        return ReadMany(
            self.shelf, loads=self.loads, back_off=self.back_off, trouble=self.trouble, observers=self.observers
        )

    @functools.cached_property
    def writes(self) -> "Writes":
        """What stores and removes values that were not just loaded."""
        from momento_lambda.caching.writes import Writes  # noqa: PLC0415  # few functions that read also write

        return Writes(
            self.shelf, flights=self.flights, loads=self.loads, trouble=self.trouble, observers=self.observers
        )

    def policy(self, ttl: Ttl | TtlOfValue | None) -> Policy:
        """Return what holds for one call that says how long its value lives, or does not."""
        return self.default_policy if ttl is None else self.options.policy(ttl=ttl)


def assemble(
    name: str | None,
    clients: ClientSource,
    options: Options,
    *,
    default_policy: Policy,
    breaker: Breaker,
    tier: LocalTier | None,
    observers: Observers,
    now_ms: Callable[[], int],
) -> Workings:
    """Return the parts of a cache.

    Args:
        name: The cache on the server; None where the environment should have named it.
        clients: Where clients come from.
        options: What holds for the whole cache.
        default_policy: What they are for a call that says nothing.
        breaker: What leaves the cache alone after failures.
        tier: The tier in this process, or None.
        observers: Who is told of what happens.
        now_ms: Milliseconds since 1970.

    Raises:
        InvalidArgumentError: The tier serves another cache.
    """
    if tier is not None:
        tier.serve(name or "")
    trouble = Trouble(name or "")
    flights, loads, back_off = SingleFlight(), LoadsUnderWay(), BackOff(options.chance)
    remote = Remote(clients, name, breaker=breaker, trouble=trouble, observers=observers, time_left=time_left)
    shelf = Shelf(trouble, observers, tier, now_ms)
    loading = Loading(
        shelf,
        flights=flights,
        loads=loads,
        back_off=back_off,
        trouble=trouble,
        observers=observers,
        time_left=time_left,
        chance=options.chance,
    )
    return Workings(
        options=options,
        default_policy=default_policy,
        reads=ReadAside(shelf, loading, observers, options.chance),
        loading=loading,
        remote=remote,
        runner=Runner(remote, flights),
        shelf=shelf,
        flights=flights,
        loads=loads,
        back_off=back_off,
        trouble=trouble,
        observers=observers,
    )
