import tracemalloc
from collections import UserDict
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from momento_lambda import BYTES, Cache, Cacheable, Hit, NoStore, SimpleCacheClient
from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.errors import DeadlineExceededError, InvalidArgumentError, UnavailableError

if TYPE_CHECKING:
    from momento_lambda.server import ManualClock
    from tests.caching.conftest import Faults, Make, Side, Wall

KEY = "user:{}"


class Source:
    """Where the values are, and a note of what was asked of it."""

    def __init__(self, absent: Iterable[Any] = ()) -> None:
        self.absent = set(absent)
        self.asked: list[list[Any]] = []

    def load(self, ids: list[Any]) -> dict[Any, Any]:
        """Return the values of ids."""
        self.asked.append(ids)
        return {id_: f"value of {id_!r}" for id_ in ids if id_ not in self.absent}


async def test_nothing_asks_nothing(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """No ids are answered without the cache and without the loader."""
    source = Source()
    assert {} == await side.get_or_load_many(make_cache(), [], source.load, key=KEY)
    assert ([], []) == (source.asked, faults.asked)


async def test_all_missing_then_all_there(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """What is missing is loaded in one call and stored in one; after that the loader is not called."""
    cache, source = make_cache(), Source()
    expected = {id_: f"value of {id_!r}" for id_ in ("a", "b", "c")}
    answers = [await side.get_or_load_many(cache, ["a", "b", "c"], source.load, key=KEY) for _ in range(2)]
    assert [expected, expected] == answers
    assert [["a", "b", "c"]] == source.asked
    assert ["get_multi", "set_multi", "get_multi"] == faults.asked


async def test_one_id_is_a_plain_get_and_set(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """A batch of one is no batch on the wire."""
    await side.get_or_load_many(make_cache(), ["a"], Source().load, key=KEY)
    assert ["get", "set"] == faults.asked


async def test_the_loader_gets_what_is_missing(cache: Cache, side: "Side") -> None:
    """Only the missing part is loaded, in the order asked; the answer has the order asked too."""
    source = Source()
    await side.get_or_load_many(cache, ["c", "a"], source.load, key=KEY)
    answer = await side.get_or_load_many(cache, ["d", "a", "b", "c"], source.load, key=KEY)
    assert ["d", "a", "b", "c"] == list(answer)
    assert [["c", "a"], ["d", "b"]] == source.asked


async def test_ids_may_come_from_a_generator(cache: Cache, side: "Side") -> None:
    """Ids are taken once, from whatever yields them; one that comes twice is asked and answered once."""
    source = Source()
    answer = await side.get_or_load_many(cache, (id_ for id_ in "abba"), source.load, key=KEY)
    assert ["a", "b"] == list(answer)
    assert [["a", "b"]] == source.asked


async def test_ids_of_different_kinds(cache: Cache, side: "Side") -> None:
    """Ids are told apart by kind: 1, "1" and (1,) have items of their own."""
    source = Source()
    for _ in range(2):
        answer = await side.get_or_load_many(cache, [1, "1", (1,), None], source.load, key=KEY)
        assert {id_: f"value of {id_!r}" for id_ in (1, "1", (1,), None)} == answer
    assert 1 == len(source.asked)


async def test_equal_ids_are_one(cache: Cache, side: "Side") -> None:
    """Of ids that are equal to a mapping the first counts, for the key too: 1 is not stored as True."""
    source = Source()
    for ids in ([1, True, 1.0], [1], [True]):
        await side.get_or_load_many(cache, ids, source.load, key=KEY)
    assert [[1], [True]] == source.asked
    assert bool is type(source.asked[1][0])


async def test_absent_ids_are_left_out(make_cache: "Make", side: "Side") -> None:
    """What the loader leaves out is absent from the answer; without a TTL for that it is asked for again; None not."""
    cache, source = make_cache(negative_ttl=None), Source(absent=["b"])
    for _ in range(2):
        answer = await side.get_or_load_many(cache, ["a", "b"], source.load, key=KEY)
        assert {"a": "value of 'a'"} == answer
    assert [["a", "b"], ["b"]] == source.asked
    asked: list[list[str]] = []

    def none(ids: list[str]) -> dict[str, None]:
        asked.append(ids)
        return dict.fromkeys(ids)

    for _ in range(2):
        assert {"c": None, "d": None} == await side.get_or_load_many(cache, ["c", "d"], none, key=KEY)
    assert [["c", "d"]] == asked


async def test_a_loader_may_return_more(cache: Cache, side: "Side", client: SimpleCacheClient, cache_name: str) -> None:
    """What was not asked for is neither answered nor stored; any mapping will do."""
    answer = await side.get_or_load_many(cache, ["a"], lambda _: UserDict(a=1, b=2), key=KEY)
    assert {"a": 1} == answer
    assert (True, False) == client.keys_exist(cache_name, ["user:a", "user:b"])


@pytest.mark.parametrize("returned", [None, [], [("a", 1)], "a", NoStore({"a": 1})], ids=range(5))
async def test_a_loader_returns_a_mapping(cache: Cache, side: "Side", returned: Any) -> None:
    """A batch loader that returns anything but a mapping is a slip of its author, who is told."""
    with pytest.raises(TypeError, match=f"returns a mapping of id to value, not {type(returned).__name__}"):
        await side.get_or_load_many(cache, ["a"], lambda _: returned, key=KEY)


async def test_what_the_loader_raises_is_raised(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """The loader's exception is the caller's, the same object, and nothing is stored."""
    error = UnavailableError("the loader's own")

    def load(_: list[str]) -> dict[str, int]:
        raise error

    with pytest.raises(UnavailableError) as caught:
        await side.get_or_load_many(make_cache(), ["a", "b"], load, key=KEY)
    assert error is caught.value
    assert ["get_multi"] == faults.asked


@pytest.mark.parametrize("failing", ["read", "write", "both"])
async def test_trouble_with_the_cache(faults: "Faults", make_cache: "Make", side: "Side", failing: str) -> None:
    """Whatever goes wrong with the cache, the loader answers, once; after a read that failed nothing is written."""
    error = DeadlineExceededError("chosen")
    faults.on_read = error if failing != "write" else None
    faults.on_write = error if failing != "read" else None
    source = Source()
    answer = await side.get_or_load_many(make_cache(), ["a", "b"], source.load, key=KEY)
    assert {"a": "value of 'a'", "b": "value of 'b'"} == answer
    assert [["a", "b"]] == source.asked
    assert (["get_multi", "set_multi"] if failing == "write" else ["get_multi"]) == faults.asked


async def test_each_value_has_its_own_life(
    cache: Cache, side: "Side", clock: "ManualClock", client: SimpleCacheClient, cache_name: str
) -> None:
    """Each value of a batch is stored for as long as it says, or not at all."""
    returned = {"a": 1, "b": Cacheable(2, ttl="1m"), "c": NoStore(3), "d": Cacheable(4), "e": object()}
    answer = await side.get_or_load_many(cache, list("abcd"), lambda _: returned, key=KEY, ttl="10m")
    assert {"a": 1, "b": 2, "c": 3, "d": 4} == answer
    ages = []
    for passed in ("0s", "59s", "1s", "9m"):
        clock.advance(passed)
        ages.append(client.keys_exist(cache_name, [f"user:{id_}" for id_ in "abcd"]))
    there, a, none = (True, True, False, True), (True, False, False, True), (False,) * 4
    assert [there, there, a, none] == ages


async def test_the_ttl_may_depend_on_the_value(
    cache: Cache, side: "Side", client: SimpleCacheClient, cache_name: str
) -> None:
    """A `ttl=` callable is asked of each id and its value."""
    returned = {"a": 10, "b": 20, "c": 0, "d": "no number"}
    lives_of = {"a": 1, "b": 2, "c": 1, "d": 1}
    await side.get_or_load_many(
        cache, list(returned), lambda _: returned, key=KEY, ttl=lambda id_, value: value * 2 / lives_of[id_]
    )
    lives = [client.item_get_ttl(cache_name, f"user:{id_}") for id_ in returned]
    assert [timedelta(seconds=20), timedelta(seconds=20), None, None] == lives


async def test_what_cannot_be_stored_does_not_hold_up_the_rest(
    make_cache: "Make", side: "Side", *, client: SimpleCacheClient, cache_name: str, log: Any
) -> None:
    """A value that no cache can hold is returned, and the others are stored."""
    cache, thing = make_cache(compress_over=None), object()
    returned = {"a": 1, "b": thing, "c": "x" * MAX_ITEM_BYTES, "d": 4}
    assert returned == await side.get_or_load_many(cache, list(returned), lambda _: returned, key=KEY)
    assert (True, False, False, True) == client.keys_exist(cache_name, [f"user:{id_}" for id_ in returned])
    assert 2 == len(log())


async def test_unreadable_bytes_are_loaded_anew(
    cache: Cache, side: "Side", client: SimpleCacheClient, cache_name: str
) -> None:
    """One item that cannot be read is loaded and overwritten; the others are hits."""
    source = Source()
    await side.get_or_load_many(cache, ["a", "b"], source.load, key=KEY)
    client.set(cache_name, "user:a", "foreign")
    answer = await side.get_or_load_many(cache, ["a", "b"], source.load, key=KEY)
    assert {"a": "value of 'a'", "b": "value of 'b'"} == answer
    assert [["a", "b"], ["a"]] == source.asked
    assert client.get(cache_name, "user:a") != Hit(b"foreign")


async def test_batches_and_single_reads_share_items(cache: Cache, side: "Side") -> None:
    """What a batch stored, a decorated function with the same template finds."""

    def user(name: str) -> str:
        raise AssertionError(name)

    await side.get_or_load_many(cache, ["a"], Source().load, key=KEY)
    assert "value of 'a'" == await side.value(side.cached(cache, user, key="user:{name}")("a"))


@pytest.mark.parametrize("key", ["user", "user:{id}", "user:{}:{}", "{{}}", "user:{"])
async def test_a_key_needs_a_place_for_the_id(cache: Cache, side: "Side", key: str) -> None:
    """A template without exactly one place for the id is refused before anything is asked."""
    source = Source()
    with pytest.raises(InvalidArgumentError, match="key template"):
        await side.get_or_load_many(cache, ["a"], source.load, key=key)
    assert [] == source.asked


@pytest.mark.parametrize("ids", ["abc", b"abc"], ids=["text", "bytes"])
async def test_one_text_is_not_ids(cache: Cache, side: "Side", ids: Any) -> None:
    """A text where ids belong is refused: its letters are not what was meant."""

    def load(ids: list[str]) -> dict[str, str]:
        raise AssertionError(ids)

    message = f"the ids are a single {type(ids).__name__}: give a list"
    with pytest.raises(InvalidArgumentError, match=message):
        await side.get_or_load_many(cache, ids, load, key=KEY)
    with pytest.raises(InvalidArgumentError, match=message):
        await side.value(side.cached_many(cache, load, key="{id}")(ids))


async def test_an_id_without_identity_is_refused(cache: Cache, side: "Side") -> None:
    """An id that cannot be part of a key is refused."""
    with pytest.raises(InvalidArgumentError, match="cannot be part of a cache key: it is of type object"):
        await side.get_or_load_many(cache, ["a", object()], Source().load, key=KEY)


async def test_large_batches(cache: Cache, side: "Side") -> None:
    """A batch of thousands is answered whole, in order."""
    source, ids = Source(), list(range(10_000))
    for _ in range(2):
        assert ids == list(await side.get_or_load_many(cache, ids, source.load, key=KEY))
    assert 1 == len(source.asked)


def test_memory_grows_with_the_batch(make_cache: "Make") -> None:
    """What reading a batch takes at most grows with the number of its ids, and no faster."""
    source = Source()

    def bytes_per_id(number: int) -> float:
        cache = make_cache(namespace=str(number))
        cache.get_or_load_many(range(number), source.load, key=KEY)
        tracemalloc.start()
        cache.get_or_load_many(range(number), source.load, key=KEY)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most / number

    assert bytes_per_id(3_000) < 1.5 * bytes_per_id(300)


async def test_batches_of_many_messages(make_cache: "Make", side: "Side") -> None:
    """Values that no message could carry together are stored and found all the same, with one call of the loader."""
    cache = make_cache(serializer=BYTES, compress_over=None)
    asked: list[list[int]] = []
    values = {number: bytes([number]) * 1_000_000 for number in range(6)}

    def load(ids: list[int]) -> dict[int, bytes]:
        asked.append(ids)
        return values

    for _ in range(2):
        assert values == await side.get_or_load_many(cache, values, load, key=KEY)
    assert [list(values)] == asked


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(batches=st.lists(st.lists(st.text("ab:~%", max_size=2) | st.integers(0, 3), max_size=5), max_size=4))
def test_batches_agree_with_a_dict(cache: Cache, batches: list[list[Any]]) -> None:
    """Whatever batches are asked for in a row, each answer is what the source would say, and no id is loaded twice."""
    cache = Cache(cache.name, namespace=repr(batches), timeout=30, connect_timeout=30)
    source = Source()
    for ids in batches:
        answer = cache.get_or_load_many(ids, source.load, key="{}")
        assert {id_: f"value of {id_!r}" for id_ in ids} == answer
    loaded = [id_ for ids in source.asked for id_ in ids]
    assert len(set(loaded)) == len(loaded)


async def test_absent_ids_are_remembered(
    make_cache: "Make", side: "Side", *, wall: "Wall", client: SimpleCacheClient, cache_name: str
) -> None:
    """What the loader leaves out is remembered for `negative_ttl`, absent from the answer all the while."""
    cache, source = make_cache(jitter=0, negative_ttl="30s", stale="1h", now_ms=wall), Source(absent=["b"])
    for passed in ("0s", "29999ms"):
        wall.advance(passed)
        assert {"a": "value of 'a'"} == await side.get_or_load_many(cache, ["a", "b"], source.load, key=KEY)
    assert (True,) == client.keys_exist(cache_name, ["user:b"])
    source.absent.clear()
    wall.advance("1ms")
    assert ["a", "b"] == list(await side.get_or_load_many(cache, ["a", "b"], source.load, key=KEY))
    assert [["a", "b"], ["b"]] == source.asked


async def test_absent_and_none_and_missing_differ(cache: Cache, side: "Side") -> None:
    """A None is in the answer, and is there for a single read; an absence is in neither; both spare the loader."""
    asked: list[list[str]] = []

    def load(ids: list[str]) -> dict[str, None]:
        asked.append(ids)
        return {id_: None for id_ in ids if id_ != "absent"}

    for _ in range(2):
        assert {"none": None} == await side.get_or_load_many(cache, ["none", "absent"], load, key="{}")
    assert [["none", "absent"]] == asked
    got = [await side.call(cache, "get", key, "default") for key in ("none", "absent", "missing")]
    assert [None, "default", "default"] == got


async def test_due_values_are_loaded_in_the_batch(make_cache: "Make", side: "Side", wall: "Wall") -> None:
    """Values past their TTL are loaded anew together with what is missing; those that are good are not."""
    cache, source = make_cache(jitter=0, stale="1m", now_ms=wall), Source()
    await side.get_or_load_many(cache, ["a", "b"], source.load, key=KEY, ttl="1m")
    wall.advance("30s")
    await side.get_or_load_many(cache, ["c"], source.load, key=KEY, ttl="1m")
    wall.advance("30s")
    answer = await side.get_or_load_many(cache, ["d", "a", "c"], source.load, key=KEY, ttl="1m")
    assert ["d", "a", "c"] == list(answer)
    assert [["a", "b"], ["c"], ["d", "a"]] == source.asked


async def test_stale_values_where_the_loader_fails(make_cache: "Make", side: "Side", wall: "Wall", log: Any) -> None:
    """Where the loader fails and all that it was asked for is there past its TTL, that is served, and it rests."""
    cache, source = make_cache(jitter=0, stale="1m", now_ms=wall, chance=lambda: 0.5), Source()
    expected = await side.get_or_load_many(cache, ["a", "b"], source.load, key=KEY, ttl="1m")
    error = ValueError("down")
    failed: list[list[str]] = []

    def fail(ids: list[str]) -> dict[str, str]:
        failed.append(ids)
        raise error

    for passed in ("60s", "1499ms", "1ms"):
        wall.advance(passed)
        with cache.observe() as seen:
            assert expected == await side.get_or_load_many(cache, ["a", "b"], fail, key=KEY)
        assert [2] == [event.items for event in seen.events if event.kind == "stale_hit"]
    assert [["a", "b"], ["a", "b"]] == failed
    assert 1 == len(log())
    wall.advance("3s")
    with pytest.raises(ValueError, match="down") as caught:
        await side.get_or_load_many(cache, ["a", "missing"], fail, key=KEY)
    assert error is caught.value
    wall.advance("1m")
    with pytest.raises(ValueError, match="down"):
        await side.get_or_load_many(cache, ["a", "b"], fail, key=KEY)


async def test_what_is_invalidated_meanwhile_is_not_stored(faults: "Faults", make_cache: "Make", side: "Side") -> None:
    """Of a batch, what is invalidated while it loads, or on its way to the cache, does not stay there."""
    cache = make_cache()

    def load(ids: list[str]) -> dict[str, int]:
        cache.invalidate("a")
        return dict.fromkeys(ids, 1)

    def invalidate(name: str) -> None:
        if name == "set_multi":
            cache.invalidate("b")

    faults.before = invalidate
    assert {"a": 1, "b": 1, "c": 1} == await side.get_or_load_many(cache, ["a", "b", "c"], load, key="{}")
    assert [None, None, 1] == [await side.call(cache, "get", key) for key in ("a", "b", "c")]
