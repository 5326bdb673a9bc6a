import asyncio
from typing import TYPE_CHECKING

import pytest
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from momento_lambda.errors import UnavailableError
from momento_lambda.server.store_url import Address, StoreUrl
from momento_lambda.server.valkey.connections import connections
from momento_lambda.server.valkey.errors import OutcomeUnknownError, UnreachableError
from momento_lambda.server.valkey.link import Connect, Link
from momento_lambda.testing import FaultProxy
from momento_lambda.testing.redis_server import RedisServer, free_port

if TYPE_CHECKING:
    from tests.valkey.conftest import MakeLink, Until


async def test_calls_share_a_connection(redis: RedisServer, link: "MakeLink") -> None:
    """However many calls there are at once, there is one connection, and each gets its own reply."""
    with FaultProxy("127.0.0.1", redis.port) as proxy:
        node = link(proxy.port)
        replies = await asyncio.gather(*(node.ask(("ECHO", b"%d" % number)) for number in range(500)))
        assert [b"%d" % number for number in range(500)] == replies
        assert 1 == proxy.connections_opened


async def test_an_error_is_one_call_s_own(redis: RedisServer, link: "MakeLink") -> None:
    """A reply that is an error is raised to whom it was meant for; those around it get theirs."""
    node = link(redis.port)
    replies = await asyncio.gather(*(node.ask(("ECHO", *args)) for args in (["a"], [], ["b"])), return_exceptions=True)
    assert (b"a", b"b") == (replies[0], replies[2])
    assert isinstance(replies[1], ResponseError)


async def test_whoever_gives_up_takes_no_other_s_reply(redis: RedisServer, link: "MakeLink") -> None:
    """A call that is cancelled leaves the replies of others in their places."""
    node = link(redis.port)
    await node.ask(("PING",))
    given_up, kept = (asyncio.create_task(node.ask(("ECHO", word))) for word in ("a", "b"))
    await asyncio.sleep(0)
    given_up.cancel()
    assert b"b" == await kept
    assert given_up.cancelled()


async def test_a_lost_reply_leaves_the_outcome_unknown(redis: RedisServer, link: "MakeLink", until: "Until") -> None:
    """Where the connection is lost before the reply, that is said, and the command is not sent again."""
    with FaultProxy("127.0.0.1", redis.port) as proxy:
        node = link(proxy.port)
        await node.ask(("PING",))
        proxy.add_latency(0.1)
        asked = asyncio.create_task(node.ask(("INCR", "count")))
        await until(lambda: redis.command("GET", "count") == b"$1\r\n1\r\n")
        proxy.reset()
        with pytest.raises(OutcomeUnknownError, match="may have been done"):
            await asked
        proxy.heal()
        assert b"1" == await node.ask(("GET", "count"))
        assert 2 == proxy.connections_opened


async def test_what_was_not_sent_was_not_done(link: "MakeLink") -> None:
    """Where nobody listens, that is said, with the address and the reason."""
    port = free_port()
    with pytest.raises(UnreachableError, match=rf"127.0.0.1:{port} cannot be reached: .*nothing was done"):
        await link(port).ask(("PING",))


async def test_a_node_that_is_gone_fails_calls_at_once(connect: Connect) -> None:
    """Calls that come together, and those right after, make one attempt to connect between them."""
    attempts = []

    def counted(address: Address) -> AbstractConnection:
        attempts.append(address)
        return connect(address)

    node = Link(Address("127.0.0.1", free_port()), counted)
    failures = await asyncio.gather(*(node.ask(("PING",)) for _ in range(10)), return_exceptions=True)
    with pytest.raises(UnreachableError):
        await node.ask(("PING",))
    assert [UnreachableError] * 10 == list(map(type, failures))
    assert 1 == len(attempts)


async def test_a_node_that_comes_back_is_found(link: "MakeLink") -> None:
    """A link to a node that was restarted connects again by itself."""
    with RedisServer() as server:
        node = link(server.port)
        await node.ask(("SET", "key", "value"))
        server.kill()
        with pytest.raises(UnavailableError):
            await node.ask(("GET", "key"))
        server.start()
        server.wait_until_ready()
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await node.ask(("GET", "key")) is None
                except UnreachableError:
                    await asyncio.sleep(0.01)
                else:
                    return


async def test_silence_is_the_end_of_a_connection(redis: RedisServer, link: "MakeLink") -> None:
    """A node that owes a reply and says nothing for too long is given up, and connected to anew."""
    with FaultProxy("127.0.0.1", redis.port) as proxy:
        node = link(proxy.port, patience=0.1)
        await node.ask(("PING",))
        proxy.black_hole()
        with pytest.raises(OutcomeUnknownError, match=r"no reply within 0.1 s"):
            await node.ask(("INCR", "count"))
        proxy.heal()
        assert b"PONG" == await node.ask(("PING",))


async def test_slowness_is_not(link: "MakeLink") -> None:
    """As long as replies come, however slowly, those that are behind them are waited for."""
    with RedisServer() as server:
        node = link(server.port, patience=0.5)
        # Each waits for a replica that there is none of.
        waits = [node.ask(("WAIT", 1, 200)) for _ in range(4)]
        assert [0] * 4 == await asyncio.gather(*waits)


async def test_a_node_that_accepts_and_says_nothing_is_not_waited_for(redis: RedisServer, link: "MakeLink") -> None:
    """A connection that is not ready in time counts as none."""
    with FaultProxy("127.0.0.1", redis.port) as proxy:
        proxy.freeze()
        with pytest.raises(UnreachableError, match="no connection within 1 s"):
            await link(proxy.port).ask(("PING",))


async def test_closing_ends_what_is_asked(redis: RedisServer, link: "MakeLink") -> None:
    """Whoever waits for a reply then is told that it will not come."""
    with FaultProxy("127.0.0.1", redis.port) as proxy:
        node = link(proxy.port)
        await node.ask(("PING",))
        proxy.freeze()
        asked = asyncio.create_task(node.ask(("PING",)))
        await asyncio.sleep(0)
        assert not node.idle
        await node.close()
        with pytest.raises(UnavailableError):
            await asked
        assert node.idle


async def test_a_wrong_password_is_said_and_not_shown() -> None:
    """What the node says of it is the reason; the password is in no message."""
    with RedisServer("--requirepass", "right") as server:
        connect = connections(StoreUrl((Address("127.0.0.1", server.port),), password="wrong-secret"))
        node = Link(Address("127.0.0.1", server.port), connect)
        with pytest.raises(UnreachableError, match="password") as caught:
            await node.ask(("PING",))
        assert "wrong-secret" not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r}"
