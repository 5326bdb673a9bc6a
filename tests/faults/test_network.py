"""A cache behind a network that fails: what a handler returns, what it costs, and how the cache comes back."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from momento_lambda.server import LocalServer
from momento_lambda.testing import FaultProxy

if TYPE_CHECKING:
    from tests.faults.conftest import Function

CACHE: Final = "users-cache"
IDS: Final = [str(number) for number in range(1, 21)]
USERS: Final = [{"user": id_} for id_ in IDS]

Fault: TypeAlias = Callable[[FaultProxy], None]


def refuse(proxy: FaultProxy) -> None:
    """Take the server away: what was open is cut, and nobody listens."""
    proxy.refuse()
    proxy.reset()


def delay(proxy: FaultProxy) -> None:
    """Take longer for everything than any timeout."""
    proxy.add_latency(60)


SILENT: Final[list[Fault]] = [FaultProxy.black_hole, FaultProxy.freeze, delay]
LOUD: Final[list[Fault]] = [FaultProxy.reset_on_data, FaultProxy.half_close_on_data, refuse]


@pytest.mark.parametrize("fault", SILENT)
def test_silence_costs_two_timeouts(warm: "Function", proxy: FaultProxy, fault: Fault) -> None:
    """A server that falls silent costs a handler two timeouts, and all that it asks beyond them is not even tried."""
    fault(proxy)
    outcome = warm.invoke(*IDS)
    assert (USERS, IDS) == (outcome.value, outcome.loaded)
    assert ["DEADLINE_EXCEEDED"] * 2 == outcome.errors
    assert (1, len(IDS) - 2, 0) == tuple(outcome.told[kind] for kind in ("breaker_open", "breaker_skip", "store"))


@pytest.mark.parametrize("fault", SILENT)
def test_a_cold_start_in_silence(function: "Function", proxy: FaultProxy, fault: Fault) -> None:
    """An environment that never reached its server pays for one connection and one operation, and no more."""
    fault(proxy)
    outcome = function.invoke(*IDS)
    assert (USERS, IDS) == (outcome.value, outcome.loaded)
    assert 2 == len(outcome.errors)
    assert len(IDS) - 2 == outcome.told["breaker_skip"]


@pytest.mark.parametrize("fault", LOUD)
def test_a_broken_connection(warm: "Function", proxy: FaultProxy, fault: Fault) -> None:
    """A server whose connections break is left alone after two failures as well; every loader runs once."""
    fault(proxy)
    outcome = warm.invoke(*IDS)
    assert (USERS, IDS) == (outcome.value, outcome.loaded)
    assert 2 == len(outcome.errors)
    assert (1, len(IDS) - 2, 0) == tuple(outcome.told[kind] for kind in ("breaker_open", "breaker_skip", "store"))


@pytest.mark.parametrize("fault", [*SILENT, *LOUD])
def test_recovery_is_noticed(warm: "Function", proxy: FaultProxy, fault: Fault) -> None:
    """Once the network is well and the breaker lets a probe through, values come from the cache, the old ones too."""
    fault(proxy)
    assert ["1", "2"] == warm.invoke("1", "2").loaded
    proxy.heal()
    outcome = warm.recover("1")
    assert (1, []) == (outcome.told["hit"], outcome.errors)


def test_recovery_costs_a_probe(warm: "Function", proxy: FaultProxy) -> None:
    """While the server stays silent, each time that the breaker lets a probe through costs one timeout."""
    proxy.freeze()
    warm.invoke(*IDS)
    warm.let_a_probe_through()
    outcome = warm.invoke(*IDS)
    assert (USERS, IDS) == (outcome.value, outcome.loaded)
    assert ["DEADLINE_EXCEEDED"] == outcome.errors
    assert len(IDS) - 1 == outcome.told["breaker_skip"]


@pytest.mark.parametrize("fault", ["reset", "half_close"])
def test_an_idle_connection_is_cut(warm: "Function", proxy: FaultProxy, fault: str) -> None:
    """A connection that is cut between invocations costs no lookup its value, and the next is there by itself."""
    getattr(proxy, fault)()
    outcome = warm.invoke("1")
    assert [{"user": "1"}] == outcome.value
    assert len(outcome.loaded) <= 1
    assert [] == warm.recover("1").loaded
    assert 2 == proxy.connections_opened


@pytest.mark.parametrize("fault", [*SILENT, *LOUD, FaultProxy.reset, FaultProxy.half_close])
def test_trouble_while_the_loader_runs(warm: "Function", proxy: FaultProxy, fault: Fault) -> None:
    """A network that fails between reading and storing costs the value its place in the cache, and nobody its value."""
    warm.during_load = partial(fault, proxy)
    outcome = warm.invoke("2")
    assert ([{"user": "2"}], ["2"]) == (outcome.value, outcome.loaded)
    assert 1 == outcome.told["miss"]
    assert 1 == outcome.told["store"] + len(outcome.errors)


def test_a_server_that_restarts(warm: "Function", proxy: FaultProxy) -> None:
    """A server that is replaced by an empty one is used as soon as it is there; what it lost is loaded once."""
    with LocalServer(authenticate=False, caches=[CACHE], grace=0) as another:
        refuse(proxy)
        assert (["1"], 1) == (warm.invoke("1").loaded, proxy.connections_opened)
        proxy.point_to(another.host, another.port)
        proxy.heal()
        assert [] == warm.recover("1").loaded
        assert (USERS[:1], []) == warm.invoke("1")[:2]
