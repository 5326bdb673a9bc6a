from collections.abc import Callable
from typing import Any

import pytest

from momento_lambda.server import LocalServer
from momento_lambda.server.cache_service import PROCEDURES as CACHE_PROCEDURES
from momento_lambda.server.control_service import PROCEDURES as CONTROL_PROCEDURES
from momento_lambda.server.procedure import Procedure
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs
from momento_lambda.wire.rpc import Rpc

Call = Callable[..., Any]

PROCEDURES = [procedure for procedure in (*CACHE_PROCEDURES, *CONTROL_PROCEDURES) if procedure.rpc is not rpcs.PING]
# Wrong in every way: each case below puts one more thing right, and sees the next one refused.
BAD_REQUEST = pb.SetRequest(cache_key=b"key", ttl_milliseconds=0)


def test_each_check_comes_before_the_next(server: LocalServer, refusal: Call) -> None:
    """A fault comes first, then who asks, what they may do, whether the cache exists, what is asked, and the work."""
    reader = server.create_token(allow="read:*")
    fault = {"error_rpcs": "set", "return_error": "aborted"}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("ABORTED", {"token": "junk", "cache": "none such", **fault}),
        ("UNAUTHENTICATED", {"token": "junk", "cache": "none such"}),
        ("PERMISSION_DENIED", {"token": reader, "cache": "none such"}),
    ]
    for writer in (server.create_token(allow="write:*"), server.create_token(allow="write:*/k*")):
        last: list[tuple[str, dict[str, Any]]] = [
            ("NOT_FOUND", {"token": writer, "cache": "none such"}),
            ("INVALID_ARGUMENT", {"token": writer, "cache": "cache"}),
        ]
        for status, options in (*steps, *last):
            assert status == refusal(rpcs.SET, BAD_REQUEST, **options)[0]


@pytest.mark.parametrize("procedure", PROCEDURES, ids=lambda procedure: procedure.rpc.name)
class TestEveryProcedure:
    def test_asks_for_a_token(self, refusal: Call, procedure: Procedure) -> None:
        """Without a token nothing is answered."""
        status, err, words = refusal(procedure.rpc, procedure.rpc.request(), token=None)
        assert ("UNAUTHENTICATED", None) == (status, err)
        assert "token" in words

    def test_takes_its_own_message(self, refusal: Call, procedure: Procedure) -> None:
        """Bytes that are not the message are an argument error, and no failure of the server's."""
        assert "INVALID_ARGUMENT" == refusal(procedure.rpc, b"\xff\xff\xff")[0]


@pytest.mark.parametrize("procedure", CACHE_PROCEDURES, ids=lambda procedure: procedure.rpc.name)
class TestEveryCacheProcedure:
    def test_asks_for_a_cache_that_exists(self, refusal: Call, procedure: Procedure) -> None:
        """An unknown cache is NOT_FOUND with the trailer, also on a stream and with arguments that are wrong."""
        status, err, words = refusal(procedure.rpc, procedure.rpc.request(), cache="none such")
        assert ("NOT_FOUND", "cache_not_found") == (status, err)
        assert "'none such'" in words

    @pytest.mark.parametrize("cache", [None, ""], ids=["absent", "empty"])
    def test_asks_for_a_cache_by_name(self, refusal: Call, procedure: Procedure, cache: str | None) -> None:
        """A call that names no cache is told which header to send."""
        status, _, words = refusal(procedure.rpc, procedure.rpc.request(), cache=cache)
        assert "INVALID_ARGUMENT" == status
        assert "`cache` header" in words


def test_a_long_name_is_shown_in_part(refusal: Call) -> None:
    """The words of a failure do not grow with what was asked."""
    _, _, words = refusal(rpcs.GET, pb.GetRequest(), cache="x" * 3_000)
    assert 200 > len(words)


def test_what_is_not_spoken_is_unimplemented(call: Call, refusal: Call) -> None:
    """Any other procedure of the protocol is UNIMPLEMENTED, in words that name it."""
    rpc = Rpc("/cache_client.Scs/ListFetch", pb.GetRequest, pb.GetResponse)
    status, _, words = refusal(rpc, pb.GetRequest())
    assert "UNIMPLEMENTED" == status
    assert "/cache_client.Scs/ListFetch" in words
    stream = Rpc("/cache_client.pubsub.Pubsub/Subscribe", pb.GetRequest, pb.GetResponse, streams=True)
    assert "UNIMPLEMENTED" == refusal(stream, pb.GetRequest())[0]
    assert pb.GetResponse(result=pb.MISS) == call(rpcs.GET, pb.GetRequest())
