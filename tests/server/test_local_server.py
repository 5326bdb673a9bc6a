import asyncio
import threading
from datetime import timedelta
from typing import Any

import grpc
import grpc.aio
import pytest

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.server import ListenError, LocalServer, ServerStateError, SigningKey
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs
from momento_lambda.wire import control_pb2, control_rpcs


def ping(address: str) -> pb.PingResponse:
    """Ask whether a server answers."""
    with grpc.insecure_channel(address) as channel:
        procedure: Any = channel.unary_unary(rpcs.PING.path, response_deserializer=pb.PingResponse.FromString)
        reply: pb.PingResponse = procedure(b"", timeout=20)
        return reply


def get(server: LocalServer, token: str, cache: str = "cache") -> pb.GetResponse:
    """Ask a server for an item."""
    with grpc.insecure_channel(server.address) as channel:
        procedure: Any = channel.unary_unary(rpcs.GET.path, response_deserializer=pb.GetResponse.FromString)
        metadata = (("authorization", token), ("cache", cache))
        reply: pb.GetResponse = procedure(b"", metadata=metadata, timeout=20)
        return reply


def server_threads() -> int:
    """How many servers have a thread in this process, those of other tests' fixtures included."""
    return sum(thread.name == "momento-lambda-server" for thread in threading.enumerate())


class TestAThreadOfItsOwn:
    def test_it_serves_in_its_block(self) -> None:
        """It answers inside the block, and neither the port nor the thread is there afterwards."""
        others = server_threads()
        with LocalServer() as server:
            assert others + 1 == server_threads()
            address, port = server.address, server.port
            assert ("127.0.0.1", f"127.0.0.1:{port}") == (server.host, address)
            assert pb.PingResponse() == ping(address)
        assert others == server_threads()
        with LocalServer(port=port):
            assert pb.PingResponse() == ping(address)

    def test_it_stops_when_the_block_fails(self) -> None:
        """An exception ends the server too, and is the block's own."""

        def fail(server: LocalServer) -> None:
            ports.append(server.port)
            raise ZeroDivisionError

        ports: list[int] = []
        with pytest.raises(ZeroDivisionError), LocalServer() as server:
            fail(server)
        with LocalServer(port=ports[0]):
            pass

    def test_each_block_begins_anew(self) -> None:
        """The caches are those it was given, and tokens of before are still good."""
        server = LocalServer(caches=["cache"])
        with server:
            token = server.create_token()
        with server:
            assert pb.GetResponse(result=pb.MISS) == get(server, token)

    def test_one_block_at_a_time(self) -> None:
        """It cannot be started while it runs."""
        with LocalServer() as server:
            with pytest.raises(ServerStateError, match="running already"):
                server.__enter__()
            assert pb.PingResponse() == ping(server.address)

    async def test_asynchronous_callers_use_it_too(self) -> None:
        """A server in its own thread answers a caller's event loop."""
        with LocalServer() as server:
            async with grpc.aio.insecure_channel(server.address) as channel:
                procedure: Any = channel.unary_unary(rpcs.PING.path)
                assert b"" == await procedure(b"", timeout=20)


class TestTheCallersLoop:
    async def test_it_serves_in_its_block(self) -> None:
        """It answers inside the block, from the loop that runs, and the port is free afterwards."""
        others = server_threads()
        async with LocalServer() as server:
            address = server.address
            assert pb.PingResponse() == await asyncio.to_thread(ping, address)
            assert others == server_threads()
        with pytest.raises(ServerStateError):
            _ = server.address

    async def test_it_answers_the_same_loop(self) -> None:
        """A caller may ask from the loop that serves, many calls at once."""
        async with LocalServer() as server, grpc.aio.insecure_channel(server.address) as channel:
            procedure: Any = channel.unary_unary(rpcs.PING.path)
            assert [b""] * 50 == await asyncio.gather(*(procedure(b"", timeout=20) for _ in range(50)))

    async def test_one_block_at_a_time(self) -> None:
        """It cannot be started while it runs."""
        async with LocalServer() as server:
            with pytest.raises(ServerStateError, match="running already"):
                await server.__aenter__()


class TestInFlight:
    def test_a_call_in_flight_is_finished(self) -> None:
        """What was asked before the block ended is answered."""
        with LocalServer(authenticate=False, faults=True) as server, grpc.insecure_channel(server.address) as channel:
            procedure: Any = channel.unary_unary(rpcs.PING.path)
            # The second call is sent on the same connection after the first, and answered before it: by then the
            # first is in flight.
            slow = procedure.future(b"", metadata=(("delay-rpcs", "ping"), ("delay-ms", "200")), timeout=20)
            procedure(b"", timeout=20)
            server.__exit__(None, None, None)
            assert b"" == slow.result()

    def test_one_that_takes_too_long_is_cut_off(self) -> None:
        """After the grace, the block ends, and the caller is told."""
        server = LocalServer(authenticate=False, faults=True, grace=0.05)
        with server, grpc.insecure_channel(server.address) as channel:
            procedure: Any = channel.unary_unary(rpcs.PING.path)
            slow = procedure.future(b"", metadata=(("delay-rpcs", "ping"), ("delay-ms", "60000")), timeout=50)
            procedure(b"", timeout=20)
            server.__exit__(None, None, None)
            assert slow.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


class TestTokens:
    def test_credentials_are_good(self) -> None:
        """They name the server's address for both planes and carry a token that allows everything."""
        with LocalServer(caches=["cache"]) as server:
            provider = server.credentials
            assert {server.address} == {provider.cache_endpoint.target, provider.control_endpoint.target}
            assert pb.GetResponse(result=pb.MISS) == get(server, provider.auth_token)

    def test_a_key_makes_tokens_for_every_server_that_has_it(self) -> None:
        """Servers that share a key accept each other's tokens, and others do not."""
        key = SigningKey.generate()
        with (
            LocalServer(signing_key=key) as one,
            LocalServer(signing_key=key, caches=["cache"]) as two,
            LocalServer(caches=["cache"]) as stranger,
        ):
            token = one.create_token(expires=timedelta(hours=1), allow="read:*")
            assert pb.GetResponse(result=pb.MISS) == get(two, token)
            with pytest.raises(grpc.RpcError, match="not signed by this server"):
                get(stranger, token)

    def test_without_authentication_anyone_may_ask(self) -> None:
        """No token, an empty one and any other are all good; none can be made."""
        with LocalServer(authenticate=False, caches=["cache"]) as server:
            assert "" == server.credentials.auth_token
            for token in ("", "anything"):
                assert pb.GetResponse(result=pb.MISS) == get(server, token)
            with pytest.raises(ServerStateError, match="asks for no token"):
                server.create_token()

    def test_nothing_is_known_before_it_runs(self) -> None:
        """Where it listens is asked for inside the block."""
        server = LocalServer()
        for ask in (lambda: server.port, lambda: server.address, lambda: server.credentials, server.create_token):
            with pytest.raises(ServerStateError, match="inside its `with` block"):
                ask()


class TestWhatCannotBe:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "example.com", ""])  # noqa: S104  # refused
    def test_no_authentication_where_others_can_reach_it(self, host: str) -> None:
        """Without authentication only loopback is listened on."""
        with pytest.raises(InvalidArgumentError, match="loopback alone"):
            LocalServer(host=host, authenticate=False)

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "example.com", ""])  # noqa: S104  # refused
    def test_plaintext_where_others_can_read_it(self, host: str) -> None:
        """Without TLS only loopback is listened on, unless it is said that something before the server encrypts."""
        with pytest.raises(InvalidArgumentError, match="--tls-cert") as caught:
            LocalServer(host=host)
        assert "--insecure" in caught.value.message
        LocalServer(host=host, insecure=True)
        LocalServer(host=host, tls_certificate=b"certificate", tls_key=b"key")
        with pytest.raises(InvalidArgumentError, match="without authentication"):
            LocalServer(host=host, authenticate=False, insecure=True)

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
    def test_no_authentication_on_loopback(self, host: str) -> None:
        """Every loopback address is one that only this machine reaches."""
        with LocalServer(host=host, authenticate=False) as server:
            assert pb.PingResponse() == ping(server.address)

    def test_a_port_that_is_taken(self) -> None:
        """A second server on a port is refused in words, and does not share it in silence."""
        with LocalServer() as server:
            with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{server.port}: Address already in use"):
                LocalServer(port=server.port).__enter__()
            assert pb.PingResponse() == ping(server.address)

    @pytest.mark.parametrize("port", [-1, 65_536])
    def test_a_port_that_is_none(self, port: int) -> None:
        """The words say what a port is."""
        with pytest.raises(InvalidArgumentError, match="0 to 65535"):
            LocalServer(port=port)

    def test_a_cache_that_cannot_be(self) -> None:
        """A name that no header carries is refused before the server starts."""
        with pytest.raises(InvalidArgumentError, match="printable ASCII"):
            LocalServer(caches=["a\nb"])

    def test_a_full_server_says_so(self) -> None:
        """A ceiling refuses writes, with no trailer that would blame the size of the request."""
        with (
            LocalServer(authenticate=False, caches=["cache"], max_store_bytes=100) as server,
            grpc.insecure_channel(server.address) as channel,
        ):
            procedure: Any = channel.unary_unary(rpcs.SET.path, pb.SetRequest.SerializeToString)
            with pytest.raises(grpc.RpcError, match="the store is full") as caught:
                procedure(pb.SetRequest(ttl_milliseconds=1_000), metadata=(("cache", "cache"),), timeout=20)
            failed: Any = caught.value
            assert grpc.StatusCode.RESOURCE_EXHAUSTED is failed.code()
            assert "err" not in dict(failed.trailing_metadata())

    def test_the_caches_are_those_given(self) -> None:
        """All of them are there from the start."""
        with (
            LocalServer(authenticate=False, caches=["b", "a", "b"]) as server,
            grpc.insecure_channel(server.address) as channel,
        ):
            rpc = control_rpcs.LIST_CACHES
            procedure: Any = channel.unary_unary(rpc.path, response_deserializer=rpc.reply.FromString)
            reply: control_pb2.ListCachesResponse = procedure(b"", timeout=20)
            assert ["a", "b"] == [cache.cache_name for cache in reply.cache]
