import asyncio
import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.server import LocalServer
from momento_lambda.server.cache_service import PROCEDURES as CACHE_PROCEDURES
from momento_lambda.server.control_service import PROCEDURES as CONTROL_PROCEDURES
from momento_lambda.server.faults import FaultInjection
from momento_lambda.server.refusals import InjectedFaultError
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs

Call = Callable[..., Any]

GET = pb.GetRequest(cache_key=b"key")
MISS = pb.GetResponse(result=pb.MISS)
FAIL = {"error_rpcs": "get", "return_error": "unavailable"}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that faults pause for, none of which pass."""
    asked: list[float] = []

    async def sleep(seconds: float) -> None:
        asked.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return asked


class TestErrors:
    @pytest.mark.parametrize("status", [status for status in grpc.StatusCode if status is not grpc.StatusCode.OK])
    def test_every_status_can_be_asked_for(self, refusal: Call, status: grpc.StatusCode) -> None:
        """The call fails with the status that `return-error` names in kebab case."""
        name = status.name.lower().replace("_", "-")
        assert status.name == refusal(rpcs.GET, GET, error_rpcs="get", return_error=name)[0]

    def test_only_the_named_procedures_fail(self, refusal: Call, call: Call) -> None:
        """`error-rpcs` lists names with spaces between, and leaves every other procedure alone."""
        headers = {"error_rpcs": "set get-batch  get", "return_error": "internal"}
        assert "INTERNAL" == refusal(rpcs.GET, GET, **headers)[0]
        assert "INTERNAL" == refusal(rpcs.GET_BATCH, pb.GetBatchRequest(), **headers)[0]
        call(rpcs.DELETE, pb.DeleteRequest(), **headers)

    def test_only_the_first_calls_fail(self, refusal: Call, call: Call) -> None:
        """`error-count` fails so many calls of one `request-id`, and each id has its own count."""
        for request_id in ("one", "two"):
            headers = {**FAIL, "error_count": "2", "request_id": request_id}
            assert "UNAVAILABLE" == refusal(rpcs.GET, GET, **headers)[0]
            assert "UNAVAILABLE" == refusal(rpcs.GET, GET, **headers)[0]
            assert MISS == call(rpcs.GET, GET, **headers)

    def test_without_a_count_every_call_fails(self, refusal: Call) -> None:
        """An absent or empty `error-count` is no end."""
        for _ in range(3):
            assert "UNAVAILABLE" == refusal(rpcs.GET, GET, **FAIL, error_count="")[0]

    def test_a_count_of_zero_fails_none(self, call: Call) -> None:
        """No call is among the first none."""
        assert MISS == call(rpcs.GET, GET, **FAIL, error_count="0")

    @pytest.mark.parametrize(
        "headers",
        [
            {"error_rpcs": "get"},
            {"return_error": "unavailable"},
            {"error_rpcs": "get", "return_error": ""},
            {"error_rpcs": "", "return_error": "unavailable"},
            {"stream_error_rpcs": "get", "stream_error": "internal", "unheard_of": "1"},
        ],
        ids=["no status", "no procedures", "an empty status", "empty procedures", "other headers"],
    )
    def test_half_a_fault_is_none(self, call: Call, headers: dict[str, str]) -> None:
        """A fault that lacks a part, or is none of this server's, does nothing."""
        assert MISS == call(rpcs.GET, GET, **headers)

    @pytest.mark.parametrize(
        "headers",
        [
            {**FAIL, "return_error": "ok"},
            {**FAIL, "return_error": "UNAVAILABLE"},
            {**FAIL, "error_count": "-1"},
            {**FAIL, "error_count": "many"},
            {"delay_rpcs": "get", "delay_ms": "1.5"},
            {"delay_rpcs": "get", "delay_ms": "1" * 10},
        ],
    )
    def test_what_cannot_be_read_is_said(self, refusal: Call, headers: dict[str, str]) -> None:
        """A fault that would silently do nothing is an argument error that names its header."""
        status, _, words = refusal(rpcs.GET, GET, **headers)
        assert "INVALID_ARGUMENT" == status
        assert "the header `" in words

    def test_set_if_covers_its_older_form(self, refusal: Call) -> None:
        """`set-if` is the name of SetIfNotExists too."""
        request = pb.SetIfNotExistsRequest(cache_key=b"key", ttl_milliseconds=1_000)
        headers = {"error_rpcs": "set-if", "return_error": "aborted"}
        assert "ABORTED" == refusal(rpcs.SET_IF_NOT_EXISTS, request, **headers)[0]

    def test_names_are_the_procedures_in_kebab_case(self) -> None:
        """Every procedure can be named."""
        names = {name for procedure in (*CACHE_PROCEDURES, *CONTROL_PROCEDURES) for name in procedure.fault_names}
        assert names == {
            "create-cache",
            "delete",
            "delete-cache",
            "flush-cache",
            "get",
            "get-batch",
            "increment",
            "item-get-ttl",
            "item-get-type",
            "keys-exist",
            "list-caches",
            "ping",
            "set",
            "set-batch",
            "set-if",
            "set-if-not-exists",
            "update-ttl",
        }

    def test_off_unless_asked_for(self) -> None:
        """A server without faults does not look at the headers."""
        with LocalServer(authenticate=False) as server, grpc.insecure_channel(server.address) as channel:
            ping: Any = channel.unary_unary(rpcs.PING.path, response_deserializer=pb.PingResponse.FromString)
            metadata = (("error-rpcs", "ping"), ("return-error", "unavailable"))
            assert pb.PingResponse() == ping(b"", metadata=metadata, timeout=20)


class TestDelays:
    def test_a_call_waits(self, call: Call) -> None:
        """`delay-ms` holds back the answer to a procedure that `delay-rpcs` names."""
        before = time.monotonic()
        assert MISS == call(rpcs.GET, GET, delay_rpcs="get", delay_ms="50")
        assert 0.05 <= time.monotonic() - before

    async def test_the_delay_comes_first(self, pauses: list[float]) -> None:
        """A call that asks for both waits, and then fails."""
        headers = {"delay-rpcs": "get", "delay-ms": "1500", "error-rpcs": "get", "return-error": "internal"}
        with pytest.raises(InjectedFaultError, match="INTERNAL"):
            await FaultInjection().inject({"get"}, headers)
        assert [1.5] == pauses

    async def test_only_the_first_calls_wait(self, pauses: list[float]) -> None:
        """`delay-count` is kept for each id, apart from the count of errors."""
        faults = FaultInjection()
        headers = {"delay-rpcs": "get", "delay-ms": "10", "delay-count": "1", "request-id": "one"}
        for _ in range(3):
            await faults.inject({"get"}, headers)
        assert [0.01] == pauses
        await faults.inject({"get"}, {**headers, "request-id": "two"})
        assert [0.01, 0.01] == pauses

    async def test_no_delay_is_none(self, pauses: list[float]) -> None:
        """A delay of 0 does not wait."""
        await FaultInjection().inject({"get"}, {"delay-rpcs": "get", "delay-ms": "0"})
        assert [] == pauses

    async def test_other_procedures_do_not_wait(self, pauses: list[float]) -> None:
        """A delay is for the procedures that it names."""
        await FaultInjection().inject({"set"}, {"delay-rpcs": "get", "delay-ms": "10"})
        assert [] == pauses


class TestCounters:
    async def test_they_are_few(self) -> None:
        """The oldest id is forgotten where there are too many, and one that is in use is not."""
        faults = FaultInjection(remembered=2)

        async def fails(request_id: str) -> bool:
            headers = {"error-rpcs": "get", "return-error": "internal", "error-count": "1", "request-id": request_id}
            try:
                await faults.inject({"get"}, headers)
            except InjectedFaultError:
                return True
            return False

        assert [True, True] == [await fails("one"), await fails("two")]
        assert [False, True] == [await fails("one"), await fails("three")]
        assert [False, True] == [await fails("one"), await fails("two")]

    async def test_binary_headers_are_not_faults(self) -> None:
        """A header whose value is bytes counts as absent."""
        await FaultInjection().inject({"get"}, {"error-rpcs": b"get", "return-error": b"internal"})

    async def test_a_long_value_is_shown_in_part(self) -> None:
        """The words of a refusal do not grow with the header."""
        with pytest.raises(InvalidArgumentError) as caught:
            await FaultInjection().inject({"get"}, {"delay-ms": "x" * 5_000})
        assert 200 > len(caught.value.message)
