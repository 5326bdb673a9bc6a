"""The server against a model of it: any calls in any order, on a clock that the test moves."""

import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from momento_lambda.server import LocalServer, ManualClock
from momento_lambda.testing.redis_cluster import RedisCluster
from momento_lambda.testing.redis_server import RedisServer
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs
from momento_lambda.wire import control_pb2, control_rpcs
from momento_lambda.wire.rpc import Rpc

if TYPE_CHECKING:
    from tests.conftest import RedisClock

DAY = 86_400_000
INT64 = range(-(2**63), 2**63)

CACHES = st.sampled_from(["a", "b"])
ALL_KEYS = [b"", b"\xff\x00"]
KEYS = st.sampled_from(ALL_KEYS)
VALUES = st.sampled_from([b"", b"0", b"41", b"-5", b"word", b"9223372036854775807"])
# Redis takes none of 1 millisecond for what it is; tests of the server in memory do.
TTLS = st.sampled_from([0, 2, 1_000, 1_001, DAY, 2**64 - 1])
AMOUNTS = st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)])
CONDITIONS: dict[str, Any] = {
    "present": pb.Present,
    "absent": pb.Absent,
    "equal": pb.Equal,
    "not_equal": pb.NotEqual,
    "present_and_not_equal": pb.PresentAndNotEqual,
    "absent_or_equal": pb.AbsentOrEqual,
}


class Model:
    """What a cache server does, as plainly as it can be said."""

    def __init__(self) -> None:
        self.now = 0
        self.caches: dict[str, dict[bytes, tuple[bytes, int]]] = {}

    def expire(self) -> None:
        """Forget what is past its deadline."""
        for cache, items in self.caches.items():
            self.caches[cache] = {key: item for key, item in items.items() if self.now < item[1]}

    def value(self, cache: str, key: bytes) -> bytes | None:
        """Return what is stored."""
        return self.caches[cache].get(key, (None, 0))[0]

    def store(self, cache: str, key: bytes, value: bytes, ttl: int) -> None:
        """Store an item."""
        self.caches[cache][key] = (value, self.now + min(ttl, DAY))


def holds(condition: str, value: bytes | None, compared: bytes) -> bool:
    """Return whether a conditional write happens."""
    there, same = value is not None, value == compared
    return {
        "present": there,
        "absent": not there,
        "equal": there and same,
        "not_equal": not there or not same,
        "present_and_not_equal": there and not same,
        "absent_or_equal": not there or same,
    }[condition]


class ServerMachine(RuleBasedStateMachine):
    """Each rule makes one call of the server and the same step of the model, and compares what both say."""

    def __init__(self, serve: Callable[[], LocalServer], advance: Callable[[timedelta], None]) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        self.advance_server = advance
        server = self.stack.enter_context(serve())
        self.channel = self.stack.enter_context(grpc.insecure_channel(server.address))
        self.model = Model()

    def teardown(self) -> None:
        """Stop the server."""
        self.stack.close()

    def ask(self, rpc: Rpc[Any, Any], request: Any, cache: str = "") -> Any:
        """Return the reply, the list of them where they stream, or the name of the status."""
        kind = self.channel.unary_stream if rpc.streams else self.channel.unary_unary
        procedure = kind(rpc.path, rpc.request.SerializeToString, rpc.reply.FromString)
        try:
            reply = procedure(request, metadata=(("cache", cache),), timeout=20)
            return list(reply) if rpc.streams else reply
        except grpc.RpcError as error:
            failed: Any = error
            return failed.code().name

    def expected_failure(self, cache: str, *ttls: int) -> str | None:
        """Return the status that a call fails with, whatever it does."""
        if cache not in self.model.caches:
            return "NOT_FOUND"
        return "INVALID_ARGUMENT" if 0 in ttls else None

    @initialize()
    def one_cache_to_begin_with(self) -> None:
        """Most runs have something to work on."""
        self.create("a")

    @rule(seconds=st.sampled_from([0.001, 0.999, 1, 86_399.999]))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.advance_server(timedelta(seconds=seconds))
        self.model.now += round(seconds * 1000)
        self.model.expire()

    @rule(cache=CACHES)
    def create(self, cache: str) -> None:
        """Create a cache."""
        reply = self.ask(control_rpcs.CREATE_CACHE, control_pb2.CreateCacheRequest(cache_name=cache))
        existed = cache in self.model.caches
        assert ("ALREADY_EXISTS" if existed else control_pb2.CreateCacheResponse()) == reply
        self.model.caches.setdefault(cache, {})

    @rule(cache=CACHES)
    def delete_cache(self, cache: str) -> None:
        """Delete a cache."""
        reply = self.ask(control_rpcs.DELETE_CACHE, control_pb2.DeleteCacheRequest(cache_name=cache))
        assert (self.expected_failure(cache) or control_pb2.DeleteCacheResponse()) == reply
        self.model.caches.pop(cache, None)

    @rule(cache=CACHES)
    def flush(self, cache: str) -> None:
        """Flush a cache."""
        reply = self.ask(control_rpcs.FLUSH_CACHE, control_pb2.FlushCacheRequest(cache_name=cache))
        assert (self.expected_failure(cache) or control_pb2.FlushCacheResponse()) == reply
        if cache in self.model.caches:
            self.model.caches[cache] = {}

    @rule(cache=CACHES, key=KEYS, value=VALUES, ttl=TTLS)
    def set(self, cache: str, key: bytes, value: bytes, ttl: int) -> None:
        """Store an item."""
        reply = self.ask(rpcs.SET, pb.SetRequest(cache_key=key, cache_body=value, ttl_milliseconds=ttl), cache)
        failure = self.expected_failure(cache, ttl)
        assert (failure or pb.SetResponse(result=pb.OK)) == reply
        if not failure:
            self.model.store(cache, key, value, ttl)

    @rule(cache=CACHES, items=st.lists(st.tuples(KEYS, VALUES, TTLS), max_size=4))
    def set_batch(self, cache: str, items: list[tuple[bytes, bytes, int]]) -> None:
        """Store several items, or none."""
        requests = [pb.SetRequest(cache_key=key, cache_body=value, ttl_milliseconds=ttl) for key, value, ttl in items]
        reply = self.ask(rpcs.SET_BATCH, pb.SetBatchRequest(items=requests), cache)
        failure = self.expected_failure(cache, *(ttl for _, _, ttl in items))
        assert (failure or [pb.SetResponse(result=pb.OK)] * len(items)) == reply
        if not failure:
            for key, value, ttl in items:
                self.model.store(cache, key, value, ttl)

    @rule(
        cache=CACHES,
        key=KEYS,
        value=VALUES,
        ttl=TTLS,
        condition=st.sampled_from(sorted(CONDITIONS)),
        compared=VALUES,
    )
    def set_if(self, *, cache: str, key: bytes, value: bytes, ttl: int, condition: str, compared: bytes) -> None:
        """Store an item on a condition."""
        kind = CONDITIONS[condition]
        message = kind() if condition in {"present", "absent"} else kind(value_to_check=compared)
        request = pb.SetIfRequest(cache_key=key, cache_body=value, ttl_milliseconds=ttl, **{condition: message})
        reply = self.ask(rpcs.SET_IF, request, cache)
        failure = self.expected_failure(cache, ttl)
        if failure:
            assert failure == reply
        elif holds(condition, self.model.value(cache, key), compared):
            assert "stored" == reply.WhichOneof("result")
            self.model.store(cache, key, value, ttl)
        else:
            assert "not_stored" == reply.WhichOneof("result")

    @rule(cache=CACHES, key=KEYS, value=VALUES, ttl=TTLS)
    def set_if_not_exists(self, cache: str, key: bytes, value: bytes, ttl: int) -> None:
        """Store an item where there is none."""
        request = pb.SetIfNotExistsRequest(cache_key=key, cache_body=value, ttl_milliseconds=ttl)
        reply = self.ask(rpcs.SET_IF_NOT_EXISTS, request, cache)
        failure = self.expected_failure(cache, ttl)
        if failure:
            assert failure == reply
        elif self.model.value(cache, key) is None:
            assert "stored" == reply.WhichOneof("result")
            self.model.store(cache, key, value, ttl)
        else:
            assert "not_stored" == reply.WhichOneof("result")

    @rule(cache=CACHES, key=KEYS, amount=AMOUNTS, ttl=TTLS)
    def increment(self, cache: str, key: bytes, amount: int, ttl: int) -> None:
        """Add to an item."""
        reply = self.ask(rpcs.INCREMENT, pb.IncrementRequest(cache_key=key, amount=amount, ttl_milliseconds=ttl), cache)
        failure = self.expected_failure(cache, ttl)
        if not failure:
            value = self.model.value(cache, key)
            if value in {b"", b"word"} or int(value or b"0") + amount not in INT64:
                failure = "FAILED_PRECONDITION"
        if failure:
            assert failure == reply
            return
        total = int(self.model.value(cache, key) or b"0") + amount
        assert total == reply.value
        self.model.store(cache, key, str(total).encode(), ttl)

    @rule(cache=CACHES, key=KEYS, ttl=TTLS, change=st.sampled_from(["overwrite", "increase", "decrease"]))
    def update_ttl(self, cache: str, key: bytes, ttl: int, change: str) -> None:
        """Give an item another time to live."""
        request = pb.UpdateTtlRequest(cache_key=key, **{f"{change}_to_milliseconds": ttl})
        reply = self.ask(rpcs.UPDATE_TTL, request, cache)
        failure = self.expected_failure(cache, ttl)
        if failure:
            assert failure == reply
            return
        item = self.model.caches[cache].get(key)
        if item is None:
            assert "missing" == reply.WhichOneof("result")
            return
        value, old = item
        new = self.model.now + min(ttl, DAY)
        applies = {"overwrite": True, "increase": new > old, "decrease": new < old}[change]
        assert ("set" if applies else "not_set") == reply.WhichOneof("result")
        if applies:
            self.model.caches[cache][key] = (value, new)

    @rule(cache=CACHES, key=KEYS)
    def delete(self, cache: str, key: bytes) -> None:
        """Remove an item."""
        reply = self.ask(rpcs.DELETE, pb.DeleteRequest(cache_key=key), cache)
        assert (self.expected_failure(cache) or pb.DeleteResponse()) == reply
        self.model.caches.get(cache, {}).pop(key, None)

    @rule(cache=CACHES, keys=st.lists(KEYS, max_size=5))
    def look(self, cache: str, keys: list[bytes]) -> None:
        """Ask for several items in one batch, and which there are."""
        batch = pb.GetBatchRequest(items=[pb.GetRequest(cache_key=key) for key in keys])
        got = self.ask(rpcs.GET_BATCH, batch, cache)
        exist = self.ask(rpcs.KEYS_EXIST, pb.KeysExistRequest(cache_keys=keys), cache)
        if cache not in self.model.caches:
            assert ("NOT_FOUND", "NOT_FOUND") == (got, exist)
            return
        values = [self.model.value(cache, key) for key in keys]
        assert values == [reply.cache_body if reply.result == pb.HIT else None for reply in got]
        assert [value is not None for value in values] == list(exist.exists)

    @invariant()
    def both_hold_the_same(self) -> None:
        """After every step the server lists the model's caches, and each key is and has left what the model says."""
        listed = self.ask(control_rpcs.LIST_CACHES, control_pb2.ListCachesRequest())
        assert sorted(self.model.caches) == [cache.cache_name for cache in listed.cache]
        for cache, items in self.model.caches.items():
            for key in ALL_KEYS:
                self.check_item(cache, key, items.get(key))

    def check_item(self, cache: str, key: bytes, item: tuple[bytes, int] | None) -> None:
        """Compare one item."""
        got = self.ask(rpcs.GET, pb.GetRequest(cache_key=key), cache)
        left = self.ask(rpcs.ITEM_GET_TTL, pb.ItemGetTtlRequest(cache_key=key), cache)
        kind = self.ask(rpcs.ITEM_GET_TYPE, pb.ItemGetTypeRequest(cache_key=key), cache)
        if item is None:
            assert pb.GetResponse(result=pb.MISS) == got
            assert ("missing", "missing") == (left.WhichOneof("result"), kind.WhichOneof("result"))
        else:
            value, deadline = item
            assert pb.GetResponse(result=pb.HIT, cache_body=value) == got
            assert deadline - self.model.now == left.found.remaining_ttl_millis
            assert "found" == kind.WhichOneof("result")


def check(serve: Callable[[], LocalServer], advance: Callable[[timedelta], None], examples: int) -> None:
    """Run the machine."""
    run_state_machine_as_test(
        lambda: ServerMachine(serve, advance),  # type: ignore[arg-type]  # any maker of machines will do
        settings=settings(max_examples=examples, stateful_step_count=40, deadline=None),
    )


def test_memory() -> None:
    """A server in memory does what the model does."""
    clock = ManualClock()
    check(lambda: LocalServer(authenticate=False, clock=clock), clock.advance, examples=40)


def test_redis(redis_server: RedisServer, redis_clock: "RedisClock") -> None:
    """A server on one Redis does what the model does."""
    check(lambda: on_redis(f"valkey://{redis_server.address}", [redis_server]), redis_clock.advance, examples=8)


def test_redis_cluster(redis_cluster: RedisCluster, redis_clock: "RedisClock") -> None:
    """A server on a cluster of three primaries does what the model does."""
    url = f"valkey-cluster://{redis_cluster.addresses}"
    check(lambda: on_redis(url, redis_cluster.primaries), redis_clock.advance, examples=8)


def on_redis(url: str, primaries: Sequence[RedisServer]) -> LocalServer:
    """Return a server whose store is empty."""
    for node in primaries:
        node.command("FLUSHALL")
    return LocalServer(authenticate=False, store=url)
