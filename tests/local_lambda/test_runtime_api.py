"""The Runtime API, spoken to by hand."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from queue import SimpleQueue
from types import MappingProxyType

import pytest

from momento_lambda.testing.invocation import Failure
from momento_lambda.testing.reports import (
    Checkpointed,
    Failed,
    HandedOut,
    InitFailed,
    Polled,
    Report,
    Responded,
    RestoreFailed,
)
from momento_lambda.testing.runtime_api import Event, RuntimeApi

EVENT = Event(
    request_id="one", body=b'{"a": 1}', deadline_ms=1_700_000_000_000, function_arn="arn:f", trace_id="Root=1-2-3"
)
KIND = "Lambda-Runtime-Function-Error-Type"
RAISED = {"errorType": "KeyError", "errorMessage": "'id'", "stackTrace": ["line\n"], "requestId": "one"}


@pytest.fixture
def reports() -> SimpleQueue[Report]:
    """What the API passed on."""
    return SimpleQueue()


@pytest.fixture
def api(reports: SimpleQueue[Report]) -> Iterator[RuntimeApi]:
    """An API that listens."""
    with RuntimeApi(reports.put) as listening:
        yield listening


def ask(
    api: RuntimeApi, method: str, path: str, body: object = None, headers: Mapping[str, str] = MappingProxyType({})
) -> tuple[int, dict[str, str], object]:
    """Send one request; return status, headers and decoded body."""
    with closing(HTTPConnection(api.address, timeout=10)) as connection:
        connection.request(method, f"/2018-06-01/runtime/{path}", None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, dict(response.headers), json.loads(response.read() or "null")


def test_an_event_carries_its_context_in_headers(api: RuntimeApi) -> None:
    """The four headers from which a runtime client makes the context, and the type of the body."""
    api.offer(EVENT)
    status, headers, body = ask(api, "GET", "invocation/next")
    assert (200, {"a": 1}) == (status, body)
    assert {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": "one",
        "Lambda-Runtime-Deadline-Ms": "1700000000000",
        "Lambda-Runtime-Invoked-Function-Arn": "arn:f",
        "Lambda-Runtime-Trace-Id": "Root=1-2-3",
    }.items() <= headers.items()


def test_a_response_is_accepted_and_reported_with_its_duration(api: RuntimeApi, reports: SimpleQueue[Report]) -> None:
    """The report is there when the receipt is."""
    api.offer(EVENT)
    ask(api, "GET", "invocation/next")
    assert 202 == ask(api, "POST", "invocation/one/response", [1])[0]
    assert isinstance(reports.get_nowait(), Polled)
    assert HandedOut("one") == reports.get_nowait()
    responded = reports.get_nowait()
    assert isinstance(responded, Responded)
    assert ("one", b"[1]") == (responded.request_id, responded.body)
    assert responded.seconds > 0


def test_an_error_is_accepted_and_reported(api: RuntimeApi, reports: SimpleQueue[Report]) -> None:
    """Type, message and stack are those that the function posted."""
    api.offer(EVENT)
    ask(api, "GET", "invocation/next")
    assert 202 == ask(api, "POST", "invocation/one/error", RAISED)[0]
    assert isinstance(reports.get_nowait(), Polled)
    assert HandedOut("one") == reports.get_nowait()
    failed = reports.get_nowait()
    assert isinstance(failed, Failed)
    assert ("one", Failure("KeyError", "'id'", ("line\n",))) == (failed.request_id, failed.error)


def test_an_init_error_is_accepted_and_reported(api: RuntimeApi, reports: SimpleQueue[Report]) -> None:
    """It belongs to no event."""
    assert 202 == ask(api, "POST", "init/error", RAISED)[0]
    assert InitFailed(Failure("KeyError", "'id'", ("line\n",))) == reports.get_nowait()


def test_an_init_error_is_accepted_once(api: RuntimeApi) -> None:
    """Several processes of one environment may have the same to say; the runtime client expects a 403 then."""
    assert [202, 403] == [ask(api, "POST", "init/error", RAISED)[0] for _ in range(2)]


def test_the_kind_of_an_error_stands_before_it(api: RuntimeApi, reports: SimpleQueue[Report]) -> None:
    """The header names the phase where the body names the exception."""
    ask(api, "POST", "init/error", RAISED, {KIND: "Runtime.BeforeSnapshotError"})
    assert InitFailed(Failure("Runtime.BeforeSnapshotError", "KeyError: 'id'", ("line\n",))) == reports.get_nowait()


def test_a_restore_is_waited_for(api: RuntimeApi, reports: SimpleQueue[Report]) -> None:
    """The request is held until it comes, and answered with nothing."""
    with ThreadPoolExecutor(1) as threads:
        restored = threads.submit(ask, api, "GET", "restore/next")
        assert Checkpointed() == reports.get(timeout=10)
        api.restore()
        status, _, body = restored.result(timeout=10)
    assert (200, None) == (status, body)


def test_a_restore_error_is_accepted_and_reported(api: RuntimeApi, reports: SimpleQueue[Report]) -> None:
    """It belongs to no event."""
    assert 202 == ask(api, "POST", "restore/error", RAISED)[0]
    assert RestoreFailed(Failure("KeyError", "'id'", ("line\n",))) == reports.get_nowait()


@pytest.mark.parametrize("outcome", ["response", "error"])
def test_an_outcome_is_accepted_once(api: RuntimeApi, outcome: str) -> None:
    """A second one, like one for an event that was never handed out, is refused."""
    api.offer(EVENT)
    ask(api, "GET", "invocation/next")
    statuses = [ask(api, "POST", f"invocation/{request}/{outcome}", RAISED)[0] for request in ("two", "one", "one")]
    assert [400, 202, 400] == statuses


@pytest.mark.parametrize(("method", "path"), [("GET", "init/error"), ("POST", "invocation/next"), ("GET", "x")])
def test_other_requests_are_refused_by_name(api: RuntimeApi, method: str, path: str) -> None:
    """The answer says what the API does not have."""
    status, _, body = ask(api, method, path, {})
    assert 404 == status
    assert {
        "errorType": "NotFound",
        "errorMessage": f"The Runtime API has no {method} /2018-06-01/runtime/{path}",
    } == body


def test_closing_does_not_wait_for_a_function_that_waits(reports: SimpleQueue[Report]) -> None:
    """A poll that is held, and a connection that is merely open, end with the API."""
    with RuntimeApi(reports.put) as api:
        idle, polling = HTTPConnection(api.address, timeout=10), HTTPConnection(api.address, timeout=10)
        idle.connect()
        polling.request("GET", "/2018-06-01/runtime/invocation/next")
        assert isinstance(reports.get(timeout=10), Polled)
    with closing(idle), closing(polling):
        assert idle.sock is not None
        assert b"" == idle.sock.recv(1)
