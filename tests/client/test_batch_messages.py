"""Batches as they travel: how many messages, how large, and none for nothing."""

from typing import TYPE_CHECKING

import pytest

from momento_lambda import Hit, LimitExceededError, Miss, SimpleCacheClientAsync, UnknownError
from momento_lambda.configuration import MAX_ITEM_BYTES
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs
from momento_lambda.wire.packed import PACKED_REPLIES

if TYPE_CHECKING:
    from tests.client.conftest import ScriptedServer

LIMIT = 5_243_000


async def test_small_batches_travel_once(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """A batch that fits a message is one message, whatever the number of items."""
    keys = [str(number) for number in range(2_000)]

    await client.get_multi("cache", keys)
    await client.set_multi("cache", dict.fromkeys(keys, "value"))
    await client.keys_exist("cache", keys)

    assert ["GetBatch", "SetBatch", "KeysExist"] == [attempt.rpc for attempt in server.attempts]


async def test_a_batch_of_one_is_a_get(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """One key is asked for by the call that costs the least, and answered as a batch is."""
    assert (Miss(),) == await client.get_multi("cache", ["key"])

    assert ["Get"] == [attempt.rpc for attempt in server.attempts]


async def test_large_batches_are_cut_by_bytes(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """Twelve megabytes travel in three messages, each within the limit, in the order given."""
    items = {f"key-{number:02}": bytes(400_000) for number in range(30)}

    await client.set_multi("cache", items)

    assert 3 == len(server.attempts)
    assert all(attempt.request_bytes <= LIMIT for attempt in server.attempts)
    sent = [item.cache_key.decode() for attempt in server.attempts for item in attempt.request.items]
    assert list(items) == sent


async def test_the_largest_item_fits(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """An item of exactly the limit fits a message, alone and at the end of a batch."""
    largest = bytes(MAX_ITEM_BYTES - 1)

    await client.set("cache", "k", largest)
    await client.set_multi("cache", {"small": b"value", "k": largest})

    assert ["Set", "SetBatch"] == [attempt.rpc for attempt in server.attempts]
    assert all(MAX_ITEM_BYTES < attempt.request_bytes <= LIMIT for attempt in server.attempts)


async def test_nothing_is_sent_for_nothing(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """An empty batch is no message."""
    assert () == await client.get_multi("cache", [])
    assert () == await client.keys_exist("cache", [])
    await client.set_multi("cache", {})

    assert [] == server.attempts


async def test_one_item_too_large_sends_nothing(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """A batch with one item over the limit is refused whole, before its first message."""
    items = {f"key-{number}": bytes(3_000_000) for number in range(3)} | {"last": bytes(MAX_ITEM_BYTES)}

    with pytest.raises(LimitExceededError):
        await client.set_multi("cache", items)

    assert [] == server.attempts


async def test_times_to_live_travel(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """Each item of a batch travels with its own TTL in milliseconds."""
    await client.set_multi("cache", {"a": "", "b": "", "c": ""}, ttl="90s", ttls={"b": 5})
    await client.set_multi("cache", {"a": ""})

    sent = [[item.ttl_milliseconds for item in attempt.request.items] for attempt in server.attempts]
    assert [[90_000, 5_000, 90_000], [60_000]] == sent


async def test_batches_alone_say_that_packed_answers_can_be_read(
    client: SimpleCacheClientAsync, server: "ScriptedServer"
) -> None:
    """Calls that stream their answers let the server pack them; others carry nothing for it."""
    await client.get_multi("cache", ["a", "b"])
    await client.set_multi("cache", {"a": ""})
    await client.get("cache", "a")

    name, value = PACKED_REPLIES
    assert [value, value, None] == [attempt.headers.get(name) for attempt in server.attempts]


async def test_packed_answers_are_read(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """Answers that come several to a message, or some so and some not, are answers in the order asked."""
    a, b, c = (pb.GetResponse(result=pb.HIT, cache_body=value) for value in (b"a", b"b", b"c"))
    server.replies[rpcs.GET_BATCH] = lambda _request: [pb.GetResponse(packed=[a, b]), c]
    ok = pb.SetResponse(result=pb.OK)
    server.replies[rpcs.SET_BATCH] = lambda _request: [pb.SetResponse(packed=[ok, ok])]

    assert (Hit(b"a"), Hit(b"b"), Hit(b"c")) == await client.get_multi("cache", ["a", "b", "c"])
    await client.set_multi("cache", {"a": "", "b": ""})


async def test_one_bad_answer_among_packed_ones(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """An item that was not stored is found out, wherever in a message its answer stands."""
    answers = [pb.SetResponse(result=pb.OK), pb.SetResponse(message="on fire")]
    server.replies[rpcs.SET_BATCH] = lambda _request: [pb.SetResponse(packed=answers)]

    with pytest.raises(UnknownError, match="on fire"):
        await client.set_multi("cache", {"a": "", "b": ""})


async def test_packed_answers_that_are_too_few(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """Answers are counted, not messages."""
    server.replies[rpcs.GET_BATCH] = lambda _request: [pb.GetResponse(packed=[pb.GetResponse(result=pb.MISS)])] * 2

    with pytest.raises(UnknownError, match="GetBatch answered 2 of 3 items"):
        await client.get_multi("cache", ["a", "b", "c"])


async def test_a_batch_with_too_few_answers(client: SimpleCacheClientAsync, server: "ScriptedServer") -> None:
    """A server that answers fewer items than were asked is found out, and nothing is attributed to the wrong key."""
    server.cut_streams()

    with pytest.raises(UnknownError, match="GetBatch answered 1 of 3 items"):
        await client.get_multi("cache", ["a", "b", "c"])
