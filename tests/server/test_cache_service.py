from collections.abc import Callable
from typing import Any

import pytest

from momento_lambda.server import ManualClock
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs
from momento_lambda.wire.packed import PACKED_REPLIES, unpack

Call = Callable[..., Any]

HIT = pb.GetResponse(result=pb.HIT, cache_body=b"value")
MISS = pb.GetResponse(result=pb.MISS)
MINUTE = 60_000
DAY = 86_400_000
PACKED = dict([PACKED_REPLIES])


def stored(call: Call, value: bytes = b"value", ttl_milliseconds: int = MINUTE) -> None:
    """Store an item under `key`."""
    call(rpcs.SET, pb.SetRequest(cache_key=b"key", cache_body=value, ttl_milliseconds=ttl_milliseconds))


def value_of(call: Call, key: bytes = b"key") -> bytes | None:
    """Return what is stored."""
    reply = call(rpcs.GET, pb.GetRequest(cache_key=key))
    return reply.cache_body if reply.result == pb.HIT else None


def remaining(call: Call) -> int | None:
    """Return the time to live that is left, in milliseconds."""
    reply = call(rpcs.ITEM_GET_TTL, pb.ItemGetTtlRequest(cache_key=b"key"))
    return reply.found.remaining_ttl_millis if reply.HasField("found") else None


class TestGetAndSet:
    def test_what_is_set_is_got(self, call: Call) -> None:
        """Set answers Ok, and Get answers Hit with the same bytes."""
        request = pb.SetRequest(cache_key=b"key", cache_body=b"value", ttl_milliseconds=MINUTE)
        assert pb.SetResponse(result=pb.OK) == call(rpcs.SET, request)
        assert HIT == call(rpcs.GET, pb.GetRequest(cache_key=b"key"))

    def test_nothing_set_is_a_miss(self, call: Call) -> None:
        """An item that is not there is a Miss and no failure."""
        assert MISS == call(rpcs.GET, pb.GetRequest(cache_key=b"key"))

    @pytest.mark.parametrize("value", [b"", b"\x00\xff", "zażółć".encode()])
    @pytest.mark.parametrize("key", [b"", b"\x00", b"a b\n"])
    def test_keys_and_values_are_any_bytes(self, call: Call, key: bytes, value: bytes) -> None:
        """Keys and values are bytes of every kind, none at all included."""
        call(rpcs.SET, pb.SetRequest(cache_key=key, cache_body=value, ttl_milliseconds=MINUTE))
        assert value == value_of(call, key)

    def test_deleted_is_gone(self, call: Call) -> None:
        """Delete succeeds, whether or not there is an item, and none is left."""
        stored(call)
        assert pb.DeleteResponse() == call(rpcs.DELETE, pb.DeleteRequest(cache_key=b"key"))
        assert value_of(call) is None
        assert pb.DeleteResponse() == call(rpcs.DELETE, pb.DeleteRequest(cache_key=b"key"))


class TestBatches:
    def test_get_batch_answers_in_order(self, call: Call) -> None:
        """There is one reply for each item, in the order asked, and one for each repetition."""
        stored(call)
        items = [pb.GetRequest(cache_key=key) for key in (b"none", b"key", b"none", b"key")]
        assert [MISS, HIT, MISS, HIT] == call(rpcs.GET_BATCH, pb.GetBatchRequest(items=items))

    def test_set_batch_gives_each_item_its_own_ttl(self, call: Call, clock: ManualClock) -> None:
        """Every item answers Ok and lives as long as it says."""
        items = [
            pb.SetRequest(cache_key=b"short", cache_body=b"1", ttl_milliseconds=1_000),
            pb.SetRequest(cache_key=b"long", cache_body=b"2", ttl_milliseconds=2_000),
        ]
        assert [pb.SetResponse(result=pb.OK)] * 2 == call(rpcs.SET_BATCH, pb.SetBatchRequest(items=items))
        clock.advance("1s")
        assert (None, b"2") == (value_of(call, b"short"), value_of(call, b"long"))

    def test_an_empty_batch_is_an_empty_answer(self, call: Call) -> None:
        """A batch of nothing succeeds with no replies."""
        assert [] == call(rpcs.GET_BATCH, pb.GetBatchRequest())
        assert [] == call(rpcs.SET_BATCH, pb.SetBatchRequest())

    @pytest.mark.parametrize(
        ("bad", "status"),
        [
            (pb.SetRequest(cache_key=b"bad", ttl_milliseconds=0), "INVALID_ARGUMENT"),
            (
                pb.SetRequest(cache_key=b"bad", cache_body=bytes(5_000_190), ttl_milliseconds=MINUTE),
                "RESOURCE_EXHAUSTED",
            ),
        ],
        ids=["no time to live", "too large"],
    )
    def test_one_bad_item_leaves_none_stored(self, call: Call, refusal: Call, bad: pb.SetRequest, status: str) -> None:
        """A batch with an item that is refused fails as a whole and stores nothing."""
        good = pb.SetRequest(cache_key=b"key", cache_body=b"value", ttl_milliseconds=MINUTE)
        assert status == refusal(rpcs.SET_BATCH, pb.SetBatchRequest(items=[good, bad]))[0]
        assert value_of(call) is None

    def test_a_long_batch_of_a_large_item(self, call: Call) -> None:
        """Replies are made as they are sent, so that one large item can be asked for often."""
        stored(call, bytes(1_000_000))
        request = pb.GetBatchRequest(items=[pb.GetRequest(cache_key=b"key")] * 50)
        assert [1_000_000] * 50 == [len(reply.cache_body) for reply in call(rpcs.GET_BATCH, request)]

    def test_replies_are_packed_for_who_can_read_them(self, call: Call) -> None:
        """To a caller that says so, a batch of small items is one message, and to anyone else one for each item."""
        items = [pb.SetRequest(cache_key=b"%d" % key, cache_body=b"value", ttl_milliseconds=MINUTE) for key in range(9)]
        asked = pb.GetBatchRequest(items=[pb.GetRequest(cache_key=b"%d" % key) for key in range(10)])
        [stored] = call(rpcs.SET_BATCH, pb.SetBatchRequest(items=items), **PACKED)
        [got] = call(rpcs.GET_BATCH, asked, **PACKED)
        assert [pb.SetResponse(result=pb.OK)] * 9 == list(stored.packed)
        assert [*[HIT] * 9, MISS] == list(got.packed)
        assert [*[HIT] * 9, MISS] == call(rpcs.GET_BATCH, asked)

    def test_packed_replies_stay_small(self, call: Call) -> None:
        """Messages of packed replies stay far below the limit of a message, however large the batch is."""
        stored(call, bytes(20_000))
        asked = pb.GetBatchRequest(items=[pb.GetRequest(cache_key=b"key")] * 100)
        messages = call(rpcs.GET_BATCH, asked, **PACKED)
        assert [20_000] * 100 == [len(reply.cache_body) for reply in unpack(messages)]
        assert max(message.ByteSize() for message in messages) < 70_000

    def test_keys_exist_answers_in_order(self, call: Call, clock: ManualClock) -> None:
        """KeysExist says of each key whether it has an item, expired ones not; no keys, no answers."""
        stored(call)
        request = pb.KeysExistRequest(cache_keys=[b"none", b"key", b"key"])
        assert [False, True, True] == list(call(rpcs.KEYS_EXIST, request).exists)
        clock.advance("1m")
        assert [False, False, False] == list(call(rpcs.KEYS_EXIST, request).exists)
        assert [] == list(call(rpcs.KEYS_EXIST, pb.KeysExistRequest()).exists)


class TestSetIf:
    @pytest.mark.parametrize(
        ("condition", "missing", "same", "other"),
        [
            ({"present": pb.Present()}, False, True, True),
            ({"absent": pb.Absent()}, True, False, False),
            ({"equal": pb.Equal(value_to_check=b"same")}, False, True, False),
            ({"not_equal": pb.NotEqual(value_to_check=b"same")}, True, False, True),
            ({"present_and_not_equal": pb.PresentAndNotEqual(value_to_check=b"same")}, False, False, True),
            ({"absent_or_equal": pb.AbsentOrEqual(value_to_check=b"same")}, True, True, False),
        ],
        ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
    )
    @pytest.mark.parametrize("found", ["missing", "same", "other"])
    def test_condition(
        self, call: Call, condition: dict[str, Any], found: str, *, missing: bool, same: bool, other: bool
    ) -> None:
        """The item is written exactly where the condition holds of what is there."""
        if found != "missing":
            stored(call, found.encode())
        expected = {"missing": missing, "same": same, "other": other}[found]
        request = pb.SetIfRequest(cache_key=b"key", cache_body=b"new", ttl_milliseconds=MINUTE, **condition)
        assert ("stored" if expected else "not_stored") == call(rpcs.SET_IF, request).WhichOneof("result")
        before = None if found == "missing" else found.encode()
        assert (b"new" if expected else before) == value_of(call)

    def test_no_condition_is_refused(self, refusal: Call) -> None:
        """SetIf without a condition is an argument error that names the conditions."""
        status, _, words = refusal(rpcs.SET_IF, pb.SetIfRequest(cache_key=b"key", ttl_milliseconds=MINUTE))
        assert "INVALID_ARGUMENT" == status
        assert "absent_or_equal" in words

    def test_set_if_not_exists(self, call: Call, clock: ManualClock) -> None:
        """An item is stored where there is none, and one that is there keeps its value and time to live."""

        def ask(value: bytes, ttl: int) -> str | None:
            request = pb.SetIfNotExistsRequest(cache_key=b"key", cache_body=value, ttl_milliseconds=ttl)
            result: str | None = call(rpcs.SET_IF_NOT_EXISTS, request).WhichOneof("result")
            return result

        assert "stored" == ask(b"first", 2_000)
        assert "not_stored" == ask(b"second", MINUTE)
        assert (b"first", 2_000) == (value_of(call), remaining(call))
        clock.advance("2s")
        assert "stored" == ask(b"third", MINUTE)


class TestIncrement:
    @pytest.mark.parametrize(
        ("stored_value", "amount", "total"),
        [
            (None, 5, 5),
            (None, 0, 0),
            (b"52", 1, 53),
            (b"-7", 3, -4),
            (b"9223372036854775806", 1, 2**63 - 1),
            (b"-9223372036854775807", -1, -(2**63)),
        ],
    )
    def test_sum_is_kept_as_text(self, call: Call, stored_value: bytes | None, amount: int, total: int) -> None:
        """The sum is answered and kept as decimal text; nothing counts as 0."""
        if stored_value is not None:
            stored(call, stored_value)
        request = pb.IncrementRequest(cache_key=b"key", amount=amount, ttl_milliseconds=MINUTE)
        assert total == call(rpcs.INCREMENT, request).value
        assert str(total).encode() == value_of(call)

    @pytest.mark.parametrize(
        ("stored_value", "amount"),
        [
            (b"word", 1),
            (b"", 1),
            (b"1.5", 1),
            (b" 1", 1),
            (b"+1", 1),
            (b"01", 1),
            (b"-0", 1),
            (b"1_0", 1),
            ("٣".encode(), 1),
            (b"9223372036854775808", 0),
            (b"9" * 5_000, 1),
            (b"9223372036854775807", 1),
            (b"-9223372036854775808", -1),
        ],
    )
    def test_what_is_no_integer_of_64_bits_is_refused(
        self, call: Call, refusal: Call, stored_value: bytes, amount: int
    ) -> None:
        """Neither an item nor a sum may be anything else, and the item stays as it was."""
        stored(call, stored_value)
        request = pb.IncrementRequest(cache_key=b"key", amount=amount, ttl_milliseconds=1)
        assert "FAILED_PRECONDITION" == refusal(rpcs.INCREMENT, request)[0]
        assert (stored_value, MINUTE) == (value_of(call), remaining(call))

    def test_the_time_to_live_is_always_set(self, call: Call) -> None:
        """An increment gives the item the time to live that it names, also a shorter one."""
        stored(call, b"1", ttl_milliseconds=1_111_000)
        call(rpcs.INCREMENT, pb.IncrementRequest(cache_key=b"key", amount=1, ttl_milliseconds=1_000))
        assert 1_000 == remaining(call)


class TestTimeToLive:
    @pytest.mark.parametrize("ttl", [1, 999, 1_000, DAY])
    def test_an_item_is_gone_at_its_deadline(self, call: Call, clock: ManualClock, ttl: int) -> None:
        """It is there until the last millisecond before, and not at the deadline itself."""
        stored(call, ttl_milliseconds=ttl)
        clock.advance((ttl - 1) / 1000)
        assert (b"value", 1) == (value_of(call), remaining(call))
        clock.advance("1ms")
        assert (None, None) == (value_of(call), remaining(call))

    @pytest.mark.parametrize("ttl", [DAY + 1, 2**63, 2**64 - 1])
    def test_more_than_a_day_is_a_day(self, call: Call, ttl: int) -> None:
        """A longer time to live is cut to one day."""
        stored(call, ttl_milliseconds=ttl)
        assert DAY == remaining(call)

    @pytest.mark.parametrize(
        ("rpc", "request_"),
        [
            (rpcs.SET, pb.SetRequest(cache_key=b"key")),
            (rpcs.SET_IF, pb.SetIfRequest(cache_key=b"key", absent=pb.Absent())),
            (rpcs.SET_IF_NOT_EXISTS, pb.SetIfNotExistsRequest(cache_key=b"key")),
            (rpcs.INCREMENT, pb.IncrementRequest(cache_key=b"key", amount=1)),
            (rpcs.UPDATE_TTL, pb.UpdateTtlRequest(cache_key=b"key", overwrite_to_milliseconds=0)),
            (rpcs.UPDATE_TTL, pb.UpdateTtlRequest(cache_key=b"key", increase_to_milliseconds=0)),
            (rpcs.UPDATE_TTL, pb.UpdateTtlRequest(cache_key=b"key")),
        ],
        ids=["set", "set_if", "set_if_not_exists", "increment", "overwrite", "increase", "none given"],
    )
    def test_none_is_refused(self, refusal: Call, rpc: Any, request_: Any) -> None:
        """A time to live of 0, or none at all, is an argument error."""
        status, err, words = refusal(rpc, request_)
        assert ("INVALID_ARGUMENT", None) == (status, err)
        assert "milliseconds" in words

    @pytest.mark.parametrize(
        ("field", "asked", "result", "left"),
        [
            ("overwrite_to_milliseconds", MINUTE - 1, "set", MINUTE - 1),
            ("overwrite_to_milliseconds", MINUTE + 1, "set", MINUTE + 1),
            ("overwrite_to_milliseconds", 2**63, "set", DAY),
            ("increase_to_milliseconds", MINUTE + 1, "set", MINUTE + 1),
            ("increase_to_milliseconds", MINUTE, "not_set", MINUTE),
            ("increase_to_milliseconds", MINUTE - 1, "not_set", MINUTE),
            ("decrease_to_milliseconds", MINUTE - 1, "set", MINUTE - 1),
            ("decrease_to_milliseconds", MINUTE, "not_set", MINUTE),
            ("decrease_to_milliseconds", MINUTE + 1, "not_set", MINUTE),
        ],
    )
    def test_update(self, call: Call, field: str, asked: int, result: str, left: int) -> None:
        """Overwriting always applies, increasing and decreasing only where they do so; the value stays."""
        stored(call)
        request = pb.UpdateTtlRequest(cache_key=b"key", **{field: asked})
        assert result == call(rpcs.UPDATE_TTL, request).WhichOneof("result")
        assert (b"value", left) == (value_of(call), remaining(call))

    def test_update_of_nothing_is_missing(self, call: Call, clock: ManualClock) -> None:
        """Neither an item that never was nor one that has expired can be given more time."""
        request = pb.UpdateTtlRequest(cache_key=b"key", overwrite_to_milliseconds=MINUTE)
        assert "missing" == call(rpcs.UPDATE_TTL, request).WhichOneof("result")
        stored(call)
        clock.advance("1m")
        assert "missing" == call(rpcs.UPDATE_TTL, request).WhichOneof("result")


class TestItemType:
    def test_what_is_set_is_a_scalar(self, call: Call) -> None:
        """An item that was set is a scalar."""
        stored(call)
        reply = call(rpcs.ITEM_GET_TYPE, pb.ItemGetTypeRequest(cache_key=b"key"))
        assert "found" == reply.WhichOneof("result")
        assert pb.ItemGetTypeResponse.SCALAR == reply.found.item_type

    def test_nothing_has_no_type(self, call: Call) -> None:
        """An item that is not there has no type."""
        reply = call(rpcs.ITEM_GET_TYPE, pb.ItemGetTypeRequest(cache_key=b"key"))
        assert "missing" == reply.WhichOneof("result")


class TestItemLimit:
    LIMIT = 4_883 * 1_024

    def test_the_largest_item_is_stored_and_read(self, call: Call) -> None:
        """Key and value of 4883 KiB together are stored, and come back whole."""
        value = bytes(self.LIMIT - len(b"key"))
        stored(call, value)
        assert value == value_of(call)

    @pytest.mark.parametrize("excess", [1, 1_000_000, 5_500_000])
    def test_a_larger_one_is_refused_in_our_own_words(self, refusal: Call, call: Call, excess: int) -> None:
        """One byte more, and far more, is refused with the trailer and words that clients look for."""
        value = bytes(self.LIMIT - len(b"key") + excess)
        request = pb.SetRequest(cache_key=b"key", cache_body=value, ttl_milliseconds=MINUTE)
        status, err, words = refusal(rpcs.SET, request)
        assert ("RESOURCE_EXHAUSTED", "request_size_limit_exceeded") == (status, err)
        assert "item size" in words
        assert "request limit" in words
        assert value_of(call) is None

    def test_a_key_that_leaves_no_room_for_a_number_is_refused(self, refusal: Call) -> None:
        """An increment is held to the same limit."""
        request = pb.IncrementRequest(cache_key=bytes(self.LIMIT), amount=1, ttl_milliseconds=MINUTE)
        assert ("RESOURCE_EXHAUSTED", "request_size_limit_exceeded") == refusal(rpcs.INCREMENT, request)[:2]
