"""How connections are set up."""

from typing import TYPE_CHECKING, Any

import grpc
import pytest

from momento_lambda import Configuration, CredentialProvider, SimpleCacheClient
from momento_lambda.client.options import channel_credentials, control_options, data_options
from momento_lambda.endpoint import Endpoint

if TYPE_CHECKING:
    from tests.client.conftest import ScriptedServer

LOCAL = CredentialProvider.for_local()
KEEPALIVE = {
    "grpc.keepalive_time_ms",
    "grpc.keepalive_timeout_ms",
    "grpc.keepalive_permit_without_calls",
}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        pytest.param(Configuration.for_lambda(), (600_000, 1_000, 1), id="Lambda"),
        pytest.param(Configuration.for_laptop(), (5_000, 1_000, 1), id="laptop"),
        pytest.param(Configuration(keepalive_time=2.5, keepalive_timeout=0.25), (2_500, 250, 1), id="own"),
        pytest.param(Configuration(keepalive_time=None), (None, None, None), id="none"),
    ],
)
def test_keepalive(configuration: Configuration, expected: tuple[int | None, ...]) -> None:
    """The data plane's connection is probed as the configuration says, if at all."""
    options = dict(data_options(configuration, LOCAL))

    names = ("grpc.keepalive_time_ms", "grpc.keepalive_timeout_ms", "grpc.keepalive_permit_without_calls")
    assert expected == tuple(options.get(name) for name in names)


@pytest.mark.parametrize("configuration", [Configuration.for_lambda(), Configuration.for_laptop()], ids=repr)
def test_the_control_plane_is_never_probed(configuration: Configuration) -> None:
    """No configuration probes the control plane's connection, which is idle nearly always."""
    assert not KEEPALIVE & dict(control_options(configuration, LOCAL)).keys()


@pytest.mark.parametrize("options", [data_options, control_options])
def test_message_sizes(options: Any) -> None:
    """Both directions take messages as large as the configuration says, 5 243 000 bytes where it says nothing."""
    names = ("grpc.max_send_message_length", "grpc.max_receive_message_length")

    usual = dict(options(Configuration(), LOCAL))
    larger = dict(options(Configuration(max_message_bytes=20_000_000), LOCAL))

    assert [5_243_000, 5_243_000] == [usual[name] for name in names]
    assert [20_000_000, 20_000_000] == [larger[name] for name in names]


@pytest.mark.parametrize("options", [data_options, control_options])
def test_what_grpc_leaves_to_us(options: Any) -> None:
    """GRPC's own retries and proxies are off; what is away is looked for every 2 seconds, its name too.

    A connection that is not there after 3 seconds, greetings included, is tried anew.
    """
    chosen = dict(options(Configuration(), LOCAL))

    assert 0 == chosen["grpc.enable_retries"]
    assert 0 == chosen["grpc.enable_http_proxy"]
    assert 2_000 == chosen["grpc.max_reconnect_backoff_ms"] == chosen["grpc.dns_min_time_between_resolutions_ms"]
    assert 3_000 == chosen["grpc.min_reconnect_backoff_ms"]
    assert "grpc.ssl_target_name_override" not in chosen


def test_server_name() -> None:
    """The TLS server name of the credentials is the one that both connections expect."""
    named = CredentialProvider.from_string("a.e30.b", endpoint="127.0.0.1", tls_server_name="cache.example.com")

    for options in (data_options, control_options):
        assert "cache.example.com" == dict(options(Configuration(), named))["grpc.ssl_target_name_override"]


def test_encryption_goes_by_the_endpoint() -> None:
    """An endpoint with TLS is given channel credentials, and one without none."""
    assert channel_credentials(Endpoint("127.0.0.1", 443, tls=False), LOCAL) is None
    assert isinstance(channel_credentials(Endpoint("127.0.0.1", 443, tls=True), LOCAL), grpc.ChannelCredentials)


def test_each_connection_gets_its_own(server: "ScriptedServer", monkeypatch: pytest.MonkeyPatch) -> None:
    """A client makes its connection for data with the data plane's options, and that for control with the other's."""
    made: list[Any] = []
    connect = grpc.insecure_channel

    def noted(target: str, options: Any) -> grpc.Channel:
        made.append(options)
        return connect(target, options)

    monkeypatch.setattr(grpc, "insecure_channel", noted)
    configuration = Configuration.for_lambda()
    with SimpleCacheClient(server.credentials, 60, configuration=configuration) as client:
        client.get("cache", "key")
        client.list_caches()

    assert [data_options(configuration, LOCAL), control_options(configuration, LOCAL)] == made


def test_nothing_is_connected_before_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making and closing a client makes no connection."""
    monkeypatch.delattr(grpc, "insecure_channel")

    with SimpleCacheClient(LOCAL, 60):
        pass
