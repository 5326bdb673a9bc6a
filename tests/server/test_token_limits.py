from collections.abc import Callable
from typing import Any

import grpc
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momento_lambda.errors import AuthenticationError, InvalidArgumentError, LimitExceededError
from momento_lambda.server import LocalServer, ManualClock, SigningKey, TokenLimits
from momento_lambda.server.accounts import Account, Accounts
from momento_lambda.server.clock import NANOSECONDS_PER_SECOND
from momento_lambda.server.limits import RequestRateError, ThroughputError
from momento_lambda.server.signing_key import SigningKeysInMemory
from momento_lambda.server.token_limits import UNLIMITED
from momento_lambda.server.tokens import TokenVerifier, create_token
from momento_lambda.wire import auth_rpcs
from momento_lambda.wire import cache_pb2 as pb
from momento_lambda.wire import cache_rpcs as rpcs

Call = Callable[..., Any]

TTL = 60_000
GET = pb.GetRequest(cache_key=b"key")
RATE, THROUGHPUT, ITEM = (
    ("RESOURCE_EXHAUSTED", f"{name}_limit_exceeded") for name in ("operations_rate", "throughput_rate", "item_size")
)


def item(size: int) -> pb.SetRequest:
    """Ask that an item of so many bytes, key plus value, be stored."""
    return pb.SetRequest(cache_key=b"key", cache_body=bytes(size - 3), ttl_milliseconds=TTL)


WRITES = {
    "Set": (rpcs.SET, item),
    "SetBatch": (rpcs.SET_BATCH, lambda size: pb.SetBatchRequest(items=[item(4), item(size)])),
    "SetIf": (
        rpcs.SET_IF,
        lambda size: pb.SetIfRequest(
            cache_key=b"key", cache_body=bytes(size - 3), ttl_milliseconds=TTL, present=pb.Present()
        ),
    ),
    "SetIfNotExists": (
        rpcs.SET_IF_NOT_EXISTS,
        lambda size: pb.SetIfNotExistsRequest(cache_key=b"key", cache_body=bytes(size - 3), ttl_milliseconds=TTL),
    ),
    "Increment": (
        rpcs.INCREMENT,
        lambda size: pb.IncrementRequest(cache_key=bytes(size - 20), amount=1, ttl_milliseconds=TTL),
    ),
}


class TestOverTheWire:
    def test_requests(self, server: LocalServer, clock: ManualClock, call: Call, refusal: Call) -> None:
        """As many as a second allows come at once, then one for each that time makes up for; others are not held up."""
        token = server.create_token(limits=TokenLimits(requests_per_second=10))
        for _ in range(10):
            call(rpcs.GET, GET, token=token)
        status, err, words = refusal(rpcs.GET, GET, token=token)
        assert RATE == (status, err)
        assert "operations" in words
        call(rpcs.GET, GET)
        call(rpcs.GET, GET, token=server.create_token(limits=TokenLimits(requests_per_second=10)))
        clock.advance("100ms")
        call(rpcs.GET, GET, token=token)
        assert RATE == refusal(rpcs.GET, GET, token=token)[:2]
        clock.advance("1h")
        for _ in range(10):
            call(rpcs.GET, GET, token=token)
        assert RATE == refusal(rpcs.GET, GET, token=token)[:2]

    def test_bytes_of_requests(self, server: LocalServer, clock: ManualClock, call: Call, refusal: Call) -> None:
        """What goes beyond a second's worth is let through once, and made up for before the next call."""
        token = server.create_token(limits=TokenLimits(bytes_per_second=1_000))
        call(rpcs.SET, item(3_400), token=token)
        status, err, words = refusal(rpcs.GET, GET, token=token)
        assert THROUGHPUT == (status, err)
        assert "throughput" in words
        clock.advance("2s")
        assert THROUGHPUT == refusal(rpcs.GET, GET, token=token)[:2]
        clock.advance("1s")
        call(rpcs.GET, GET, token=server.create_token())
        call(rpcs.KEYS_EXIST, pb.KeysExistRequest(), token=token)

    @pytest.mark.parametrize(
        "ask", [(rpcs.GET, GET), (rpcs.GET_BATCH, pb.GetBatchRequest(items=[GET]))], ids=["one", "batch"]
    )
    def test_bytes_of_replies(
        self, server: LocalServer, clock: ManualClock, call: Call, refusal: Call, ask: Any
    ) -> None:
        """What is read is charged like what is written."""
        call(rpcs.SET, item(5_000))
        token = server.create_token(limits=TokenLimits(bytes_per_second=1_000))
        call(*ask, token=token)
        assert THROUGHPUT == refusal(*ask, token=token)[:2]
        clock.advance("4s")
        assert THROUGHPUT == refusal(*ask, token=token)[:2]
        clock.advance("1s")
        call(*ask, token=token)

    @pytest.mark.parametrize(("rpc", "request_of"), WRITES.values(), ids=WRITES)
    def test_items(self, server: LocalServer, call: Call, refusal: Call, rpc: Any, request_of: Any) -> None:
        """An item over the limit is refused, by every procedure that writes, and nothing is stored."""
        token = server.create_token(limits=TokenLimits(item_bytes=100))
        status, err, words = refusal(rpc, request_of(101), token=token)
        assert ITEM == (status, err)
        assert "item size" in words
        assert pb.GetResponse(result=pb.MISS) == call(rpcs.GET, GET)
        call(rpc, request_of(100), token=token)
        call(rpc, request_of(101))

    def test_what_is_denied_counts(self, server: LocalServer, refusal: Call) -> None:
        """Whoever asks for what they may not do does not do so without end either."""
        token = server.create_token(allow="read:other", limits=TokenLimits(requests_per_second=1))
        assert "PERMISSION_DENIED" == refusal(rpcs.GET, GET, token=token)[0]
        assert RATE == refusal(rpcs.GET, GET, token=token)[:2]

    def test_tokens_that_are_made_with_it_draw_on_it(self, server: LocalServer, call: Call, refusal: Call) -> None:
        """Nobody gets more by making more tokens, nor by making some with those."""
        token = server.create_token(limits=TokenLimits(requests_per_second=4, item_bytes=10))
        request = auth_rpcs.disposable_token_request("", ["read-write:*"], 60, None)
        child = call(auth_rpcs.GENERATE_DISPOSABLE_TOKEN, request, token=token).api_key
        grandchild = call(auth_rpcs.GENERATE_DISPOSABLE_TOKEN, request, token=child).api_key
        assert ITEM == refusal(rpcs.SET, item(11), token=grandchild)[:2]
        call(rpcs.GET, GET, token=grandchild)
        for each in (token, child, grandchild):
            assert RATE == refusal(rpcs.GET, GET, token=each)[:2]

    def test_limits_of_the_server(self) -> None:
        """They hold for every token that names none of its own, those that allow everything among them."""
        limits = TokenLimits(requests_per_second=1, item_bytes=10)
        with (
            LocalServer(clock=ManualClock(), limits=limits, caches=["cache"]) as server,
            grpc.insecure_channel(server.address) as channel,
        ):

            def ask(token: str) -> str | None:
                get: Any = channel.unary_unary(rpcs.GET.path, rpcs.GET.request.SerializeToString)
                try:
                    get(GET, metadata=(("authorization", token), ("cache", "cache")), timeout=20)
                except grpc.RpcError as error:
                    failed: Any = error
                    return str(dict(failed.trailing_metadata())["err"])
                return None

            plain = server.create_token()
            faster = server.create_token(limits=TokenLimits(requests_per_second=2))
            assert [None, RATE[1]] == [ask(plain) for _ in range(2)]
            assert [None, None, RATE[1]] == [ask(faster) for _ in range(3)]

    def test_where_no_token_is_asked_for(self) -> None:
        """All callers share one account; the ping is free."""
        limits = TokenLimits(requests_per_second=1)
        with (
            LocalServer(clock=ManualClock(), limits=limits, authenticate=False, caches=["cache"]) as server,
            grpc.insecure_channel(server.address) as channel,
        ):
            get: Any = channel.unary_unary(rpcs.GET.path)
            ping: Any = channel.unary_unary(rpcs.PING.path)
            get(b"", metadata=(("cache", "cache"),), timeout=20)
            for _ in range(3):
                ping(b"", timeout=20)
            with pytest.raises(grpc.RpcError, match="operations"):
                get(b"", metadata=(("cache", "cache"),), timeout=20)


class TestAccounts:
    @given(
        st.integers(1, 50),
        st.lists(st.tuples(st.integers(0, 3 * NANOSECONDS_PER_SECOND), st.integers(0, 100)), max_size=60),
    )
    def test_no_more_than_the_rate_and_a_burst(self, rate: int, steps: list[tuple[int, int]]) -> None:
        """However calls are spread, in any time there are no more than it brings and one second's worth."""
        account = Account(TokenLimits(requests_per_second=rate), 0)
        now = 0
        admitted: list[int] = []
        for pause, calls in steps:
            now += pause
            for _ in range(calls):
                try:
                    account.begin(0, now)
                except RequestRateError:
                    break
                admitted.append(now)
        for first, began in enumerate(admitted):
            for last in range(first, len(admitted)):
                allowed = rate + rate * (admitted[last] - began) / NANOSECONDS_PER_SECOND
                assert last - first + 1 <= allowed + 1e-6

    @given(st.integers(1, 1_000), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3_000)), max_size=40))
    def test_bytes_are_made_up_for(self, rate: int, calls: list[tuple[int, int]]) -> None:
        """Over any run of calls, what was moved before the last is no more than time brought and one second's worth."""
        account = Account(TokenLimits(bytes_per_second=rate), 0)
        now = moved = last = 0
        for seconds, size in calls:
            now += seconds
            try:
                account.begin(0, now * NANOSECONDS_PER_SECOND)
            except ThroughputError:
                continue
            assert moved <= rate * (now + 1)
            account.charge(size)
            moved += size
            last = size
        assert moved - last <= rate * (now + 1)

    def test_few_are_remembered(self) -> None:
        """Of very many the ones that nobody drew on for longest are forgotten, which makes them full."""
        accounts = Accounts(TokenLimits(requests_per_second=1), clock=ManualClock(), remembered=2)
        for holder in ("one", "two", "three"):
            accounts.begin(holder, UNLIMITED, 0)
        for holder in ("two", "three"):
            with pytest.raises(LimitExceededError):
                accounts.begin(holder, UNLIMITED, 0)
        assert accounts.begin("one", UNLIMITED, 0)

    def test_without_limits_nothing_is_kept(self) -> None:
        """A limit on items alone needs no account either."""
        accounts = Accounts()
        assert accounts.begin("one", UNLIMITED, 0) is None
        assert accounts.begin("one", TokenLimits(item_bytes=1), 0) is None


class TestClaims:
    KEY = SigningKey.generate()

    def test_a_token_says_them(self) -> None:
        """What a token was made with is what it is held to; where it says nothing, the server's hold."""
        limits = TokenLimits(requests_per_second=5, item_bytes=7)
        token = create_token(self.KEY, endpoint="localhost", limits=limits)
        assert limits == TokenVerifier(SigningKeysInMemory(self.KEY)).verify(token).limits
        assert {"requests_per_second": 5, "item_bytes": 7} == jwt.decode(token, options={"verify_signature": False})[
            "limits"
        ]
        defaults = TokenLimits(requests_per_second=1, bytes_per_second=2)
        assert TokenLimits(5, 2, 7) == Accounts(defaults).limits_of(limits)

    @pytest.mark.parametrize(
        "claim", [None, [], "5", {"speed": 1}, {"item_bytes": 0}, {"item_bytes": True}, {"item_bytes": 1.5}]
    )
    def test_what_is_not_known_is_refused(self, claim: object) -> None:
        """A token with a limit that this server cannot keep is not accepted without it."""
        token = jwt.encode({"limits": claim}, self.KEY.secret)
        with pytest.raises(AuthenticationError, match="`limits` claim"):
            TokenVerifier(SigningKeysInMemory(self.KEY)).verify(token)

    @pytest.mark.parametrize("limits", [TokenLimits(0), TokenLimits(item_bytes=-1)])
    def test_none_is_made(self, limits: TokenLimits) -> None:
        """Neither a token nor a server is made with a limit that cannot be."""
        with pytest.raises(InvalidArgumentError, match="above 0"):
            create_token(self.KEY, endpoint="localhost", limits=limits)
        with pytest.raises(InvalidArgumentError, match="above 0"):
            LocalServer(limits=limits)
