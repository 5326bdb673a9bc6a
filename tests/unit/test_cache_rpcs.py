from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.errors import InvalidArgumentError, LimitExceededError, UnknownError
from momento_lambda.responses import MISS, NOT_STORED, STORED, Hit, TtlUpdate
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs
from momento_lambda.wire.rpc import Rpc

LIMIT = 5_243_000
RPCS = [rpc for rpc in vars(rpcs).values() if isinstance(rpc, Rpc)]
HIT, OTHER_HIT = pb.GetResponse(result=pb.HIT, cache_body=b"1"), pb.GetResponse(result=pb.HIT, cache_body=b"2")
MISSED = pb.GetResponse(result=pb.MISS)


def test_what_may_be_sent_twice() -> None:
    """Only reads and absolute writes are repeated: whatever depends on what is stored may have worked already."""
    expected = {"Get", "GetBatch", "Set", "SetBatch", "Delete", "KeysExist", "ItemGetTtl", "ItemGetType", "Ping"}
    assert expected == {rpc.name for rpc in RPCS if rpc.repeatable}


def test_what_streams() -> None:
    """Only batches answer with a stream."""
    expected = {"GetBatch", "SetBatch"}
    assert expected == {rpc.name for rpc in RPCS if rpc.streams}


@pytest.mark.parametrize(
    ("rpc", "service", "name"),
    [(rpcs.GET, "cache_client.Scs", "Get"), (rpcs.PING, "cache_client.Ping", "Ping")],
    ids=["Get", "Ping"],
)
def test_paths_hold_service_and_name(rpc: Rpc[Any, Any], service: str, name: str) -> None:
    """A procedure knows its service and its own name, and prints as its path."""
    assert (service, name, f"Rpc('/{service}/{name}')") == (rpc.service, rpc.name, repr(rpc))


@pytest.mark.parametrize(
    ("request_made", "expected"),
    [
        (rpcs.get_request("foo"), pb.GetRequest(cache_key=b"foo")),
        (rpcs.delete_request("foo"), pb.DeleteRequest(cache_key=b"foo")),
        (rpcs.item_get_ttl_request(b"foo"), pb.ItemGetTtlRequest(cache_key=b"foo")),
        (
            rpcs.set_request("foo", "123", 60_000),
            pb.SetRequest(cache_key=b"foo", cache_body=b"123", ttl_milliseconds=60_000),
        ),
        (
            rpcs.increment_request("foo", -2, 60_000),
            pb.IncrementRequest(cache_key=b"foo", amount=-2, ttl_milliseconds=60_000),
        ),
        (rpcs.update_ttl_request("foo", 60), pb.UpdateTtlRequest(cache_key=b"foo", overwrite_to_milliseconds=60_000)),
        (
            rpcs.increase_ttl_request("foo", "1m"),
            pb.UpdateTtlRequest(cache_key=b"foo", increase_to_milliseconds=60_000),
        ),
        (
            rpcs.decrease_ttl_request("foo", timedelta(minutes=1)),
            pb.UpdateTtlRequest(cache_key=b"foo", decrease_to_milliseconds=60_000),
        ),
    ],
    ids=["get", "delete", "item_get_ttl", "set", "increment", "update_ttl", "increase_ttl", "decrease_ttl"],
)
def test_requests(request_made: object, expected: object) -> None:
    """A request holds what was asked for in the protocol's form, and nothing else."""
    assert expected == request_made


CONDITIONS = [
    ("present", rpcs.set_if_present_request("foo", "new", 60_000), pb.Present()),
    ("absent", rpcs.set_if_absent_request("foo", "new", 60_000), pb.Absent()),
    ("equal", rpcs.set_if_equal_request("foo", "new", "old", 60_000), pb.Equal(value_to_check=b"old")),
    ("not_equal", rpcs.set_if_not_equal_request("foo", "new", "old", 60_000), pb.NotEqual(value_to_check=b"old")),
    (
        "present_and_not_equal",
        rpcs.set_if_present_and_not_equal_request("foo", "new", "old", 60_000),
        pb.PresentAndNotEqual(value_to_check=b"old"),
    ),
    (
        "absent_or_equal",
        rpcs.set_if_absent_or_equal_request("foo", "new", "old", 60_000),
        pb.AbsentOrEqual(value_to_check=b"old"),
    ),
]


@pytest.mark.parametrize(("name", "request_made", "condition"), CONDITIONS, ids=[name for name, *_ in CONDITIONS])
def test_conditions(name: str, request_made: pb.SetIfRequest, condition: object) -> None:
    """Each conditional write sets its own condition and no other, beside the item and its time to live."""
    assert name == request_made.WhichOneof("condition")
    assert condition == getattr(request_made, name)
    expected = {"cache_key": b"foo", "cache_body": b"new", "ttl_milliseconds": 60_000, name: condition}
    assert expected == {field.name: value for field, value in request_made.ListFields()}


def test_every_condition_can_be_asked_for() -> None:
    """There is a request for each condition that the protocol has."""
    expected = {field.name for field in pb.SetIfRequest.DESCRIPTOR.oneofs_by_name["condition"].fields}
    assert expected == {name for name, *_ in CONDITIONS}


@pytest.mark.parametrize("amount", [0, 1, -1, 2**63 - 1, -(2**63)])
def test_amounts(amount: int) -> None:
    """Any integer of 64 bits can be added, zero and the extremes too."""
    assert amount == rpcs.increment_request("foo", amount, 60_000).amount


@pytest.mark.parametrize(
    ("amount", "wrong"),
    [
        pytest.param(2**63, "out of range", id="too large"),
        pytest.param(-(2**63) - 1, "out of range", id="too small"),
        pytest.param(10**5000, "out of range", id="more digits than Python writes"),
        pytest.param(True, "of type bool", id="bool"),
        pytest.param(1.0, "of type float", id="float"),
        pytest.param("s3cret", "of type str", id="str"),
        pytest.param(None, "of type NoneType", id="None"),
    ],
)
def test_bad_amounts(amount: Any, wrong: str) -> None:
    """Anything else is refused by its kind, and the refusal says what fits."""
    with pytest.raises(InvalidArgumentError, match=rf"^the amount is {wrong}: give an integer of 64 bits"):
        rpcs.increment_request("foo", amount, 60_000)


@pytest.mark.parametrize("ask", [rpcs.update_ttl_request, rpcs.increase_ttl_request, rpcs.decrease_ttl_request])
def test_ttl_updates_are_checked(ask: Callable[[str, int], object]) -> None:
    """A new time to live keeps to the range of any other."""
    with pytest.raises(InvalidArgumentError, match="between 1 second and 1 day"):
        ask("foo", 0)


@pytest.mark.parametrize(
    "write",
    [
        lambda key, value: rpcs.set_request(key, value, 1_000),
        lambda key, value: rpcs.set_batch_requests({key: value}, 1_000, None, LIMIT),
        lambda key, value: rpcs.set_if_absent_request(key, value, 1_000),
        lambda key, value: rpcs.set_if_equal_request(key, value, b"", 1_000),
    ],
    ids=["set", "set_batch", "set_if_absent", "set_if_equal"],
)
def test_items_over_the_limit(write: Callable[[bytes, bytes], object]) -> None:
    """An item that no server takes is refused before it is sent, in whatever way it would be written."""
    write(b"k", b"x" * (MAX_ITEM_BYTES - 1))
    with pytest.raises(LimitExceededError, match=f"the item has {MAX_ITEM_BYTES + 1} bytes"):
        write(b"k", b"x" * MAX_ITEM_BYTES)


@pytest.mark.parametrize(
    "ask", [rpcs.set_if_equal_request, rpcs.set_if_not_equal_request, rpcs.set_if_absent_or_equal_request]
)
def test_a_value_to_compare_with_is_checked(ask: Callable[[str, str, Any, int], object]) -> None:
    """What a condition compares with is a value, and is refused like one."""
    with pytest.raises(InvalidArgumentError, match=r"^the value is of type int: give str or bytes$"):
        ask("foo", "new", 7, 60_000)


@pytest.mark.parametrize(
    ("reply", "expected"), [(HIT, Hit(b"1")), (MISSED, MISS), (pb.GetResponse(result=pb.HIT), Hit(b""))]
)
def test_reading_get(reply: pb.GetResponse, expected: object) -> None:
    """A hit holds the item, be it empty, and a miss is one."""
    assert expected == rpcs.read_get(reply)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (pb.SetIfResponse(stored=pb.SetIfResponse.Stored()), STORED),
        (pb.SetIfResponse(not_stored=pb.SetIfResponse.NotStored()), NOT_STORED),
    ],
    ids=["stored", "not stored"],
)
def test_reading_set_if(reply: pb.SetIfResponse, expected: object) -> None:
    """A conditional write was stored or was not."""
    assert expected == rpcs.read_set_if(reply)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (pb.UpdateTtlResponse(set=pb.UpdateTtlResponse.Set()), TtlUpdate.SET),
        (pb.UpdateTtlResponse(not_set=pb.UpdateTtlResponse.NotSet()), TtlUpdate.NOT_SET),
        (pb.UpdateTtlResponse(missing=pb.UpdateTtlResponse.Missing()), TtlUpdate.MISSING),
    ],
    ids=["set", "not set", "missing"],
)
def test_reading_update_ttl(reply: pb.UpdateTtlResponse, expected: TtlUpdate) -> None:
    """A new time to live was set, was not, or there was no item."""
    assert expected is rpcs.read_update_ttl(reply)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            pb.ItemGetTtlResponse(found=pb.ItemGetTtlResponse.Found(remaining_ttl_millis=1_500)),
            timedelta(seconds=1.5),
        ),
        (pb.ItemGetTtlResponse(found=pb.ItemGetTtlResponse.Found()), timedelta(0)),
        (pb.ItemGetTtlResponse(missing=pb.ItemGetTtlResponse.Missing()), None),
    ],
    ids=["found", "found at its end", "missing"],
)
def test_reading_item_get_ttl(reply: pb.ItemGetTtlResponse, expected: timedelta | None) -> None:
    """An item has a time left, be it none, or does not exist."""
    assert expected == rpcs.read_item_get_ttl(reply)


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: rpcs.read_get(pb.GetResponse()), "Get .*: no reason given"),
        (lambda: rpcs.read_get(pb.GetResponse(result=pb.OK)), "Get .*: no reason given"),
        (lambda: rpcs.read_get(pb.GetResponse(message="on fire")), "Get .*: on fire"),
        (lambda: rpcs.read_get(pb.GetResponse.FromString(b"\x08\x09")), "Get "),
        (lambda: rpcs.read_get_batch(2, [HIT, pb.GetResponse(message="on fire")]), "Get .*: on fire"),
        (lambda: rpcs.read_set(pb.SetResponse()), "Set "),
        (lambda: rpcs.read_set(pb.SetResponse(result=pb.HIT, message="on fire")), "Set .*: on fire"),
        (lambda: rpcs.read_set_batch(1, [pb.SetResponse(message="on fire")]), "Set .*: on fire"),
        (lambda: rpcs.read_set_if(pb.SetIfResponse()), "SetIf "),
        (lambda: rpcs.read_update_ttl(pb.UpdateTtlResponse()), "UpdateTtl "),
        (lambda: rpcs.read_item_get_ttl(pb.ItemGetTtlResponse()), "ItemGetTtl "),
        (
            lambda: rpcs.read_item_get_ttl(
                pb.ItemGetTtlResponse(found=pb.ItemGetTtlResponse.Found(remaining_ttl_millis=2**64 - 1))
            ),
            "ItemGetTtl ",
        ),
    ],
    ids=[
        "get without a result",
        "get with another's result",
        "get with a reason",
        "get with a result of the future",
        "one of a get batch",
        "set without a result",
        "set with a reason",
        "one of a set batch",
        "set_if without a result",
        "update_ttl without a result",
        "item_get_ttl without a result",
        "item_get_ttl of ages",
    ],
)
def test_answers_that_the_protocol_does_not_name(read: Callable[[], object], said: str) -> None:
    """An answer that means nothing is an error that names the procedure, and the server's reason where it has one."""
    with pytest.raises(UnknownError, match=rf"^{said}"):
        read()


def test_batches_read_in_order() -> None:
    """A batch's answers are in the order asked, each a hit or a miss of its own; those of a set are all good."""
    expected = [Hit(b"2"), MISS, Hit(b"1")]
    assert expected == rpcs.read_get_batch(3, [OTHER_HIT, MISSED, HIT])
    rpcs.read_set_batch(2, [pb.SetResponse(result=pb.OK)] * 2)
    flags = [True, False, True]
    assert flags == rpcs.read_keys_exist(3, pb.KeysExistResponse(exists=flags))


@pytest.mark.parametrize("answered", [0, 1, 3])
def test_answers_that_do_not_add_up(answered: int) -> None:
    """Answers carry no key, so when there are more or fewer than were asked for, none can be trusted."""
    for name, read in (
        ("GetBatch", lambda: rpcs.read_get_batch(2, [HIT] * answered)),
        ("SetBatch", lambda: rpcs.read_set_batch(2, [pb.SetResponse(result=pb.OK)] * answered)),
        ("KeysExist", lambda: rpcs.read_keys_exist(2, pb.KeysExistResponse(exists=[True] * answered))),
    ):
        with pytest.raises(UnknownError, match=f"^{name} answered {answered} of 2 items$"):
            read()


def test_one_batch_for_what_fits() -> None:
    """A batch that fits a message is one request, however many its items, in the order given."""
    keys = [f"key-{number}" for number in range(10_000)]
    [asked] = rpcs.get_batch_requests(keys, LIMIT)
    assert [key.encode() for key in keys] == [item.cache_key for item in asked.items]
    [existing] = rpcs.keys_exist_requests(keys, LIMIT)
    assert [key.encode() for key in keys] == list(existing.cache_keys)
    [stored] = rpcs.set_batch_requests(dict.fromkeys(keys, b"1"), 60_000, None, LIMIT)
    assert [key.encode() for key in keys] == [item.cache_key for item in stored.items]


def test_two_batches_for_what_does_not() -> None:
    """Items of the largest size go one to a message."""
    items = {f"{number}": b"x" * (MAX_ITEM_BYTES - 1) for number in range(3)}
    requests = rpcs.set_batch_requests(items, 60_000, None, LIMIT)
    assert [[b"0"], [b"1"], [b"2"]] == [[item.cache_key for item in request.items] for request in requests]
    assert all(request.ByteSize() <= LIMIT for request in requests)


def test_no_batch_for_nothing() -> None:
    """An empty batch makes no request."""
    assert [] == [
        *rpcs.get_batch_requests([], LIMIT),
        *rpcs.keys_exist_requests([], LIMIT),
        *rpcs.set_batch_requests({}, 60_000, None, LIMIT),
        *rpcs.set_batch_requests({}, 60_000, {}, LIMIT),
    ]


def test_ttls_per_key() -> None:
    """An item has its own time to live where `ttls` has one, be the key written as text or as bytes."""
    items: dict[str | bytes, str | bytes] = {"a": "1", b"b": b"2", "c": "3", "d": "4"}
    ttls: dict[str | bytes, int | str | timedelta] = {b"a": 5, "b": "10s", "c": timedelta(minutes=1)}
    [request] = rpcs.set_batch_requests(items, 99_000, ttls, LIMIT)
    assert request == pb.SetBatchRequest(
        items=[
            pb.SetRequest(cache_key=b"a", cache_body=b"1", ttl_milliseconds=5_000),
            pb.SetRequest(cache_key=b"b", cache_body=b"2", ttl_milliseconds=10_000),
            pb.SetRequest(cache_key=b"c", cache_body=b"3", ttl_milliseconds=60_000),
            pb.SetRequest(cache_key=b"d", cache_body=b"4", ttl_milliseconds=99_000),
        ]
    )


def test_ttls_for_strangers() -> None:
    """A time to live for a key that is not set is a slip; the refusal counts such keys and shows none."""
    strangers: dict[str | bytes, int] = {"a": 5, "s3cret": 5, b"s3cret-too": 5}
    expected = r"^ttls names keys that are not among the items \(2 of 3\): give only keys of items$"
    with pytest.raises(InvalidArgumentError, match=expected):
        rpcs.set_batch_requests({"a": "1"}, 60_000, strangers, LIMIT)
    with pytest.raises(InvalidArgumentError, match=r"\(1 of 1\)"):
        rpcs.set_batch_requests({}, 60_000, {"a": 5}, LIMIT)


def test_ttls_are_checked() -> None:
    """A time to live in `ttls` keeps to the range of any other."""
    with pytest.raises(InvalidArgumentError, match="between 1 second and 1 day"):
        rpcs.set_batch_requests({"a": "1"}, 60_000, {"a": 0}, LIMIT)


@pytest.mark.parametrize("ask", [rpcs.get_batch_requests, rpcs.keys_exist_requests])
def test_batches_check_their_keys(ask: Callable[[Any, int], object]) -> None:
    """A batch takes several keys, each str or bytes."""
    with pytest.raises(InvalidArgumentError, match=r"^keys is a single str"):
        ask("foo", LIMIT)
    with pytest.raises(InvalidArgumentError, match=r"^the key is of type int"):
        ask(["foo", 7], LIMIT)
