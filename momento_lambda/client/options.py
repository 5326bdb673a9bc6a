"""How a gRPC channel is set up: the one place where its options are chosen."""

import grpc

from momento_lambda.configuration import Configuration
from momento_lambda.credentials import CredentialProvider
from momento_lambda.endpoint import Endpoint

# A server that came back is noticed within this time, where gRPC alone would wait for up to two minutes.
_FIRST_RECONNECT_MS = 100
_LONGEST_RECONNECT_MS = 2_000
# A connection that is not there after so long, greetings included, is tried anew. What was sent into a network that
# lost it is never answered, and gRPC alone would wait for that for 20 seconds.
_LONGEST_CONNECT_MS = 3_000


def data_options(configuration: Configuration, credentials: CredentialProvider) -> list[tuple[str, int | str]]:
    """Return the options of a channel for gets and sets."""
    options = control_options(configuration, credentials)
    # Whoever asks for a batch also reads its answers. Else a thread of gRPC's own reads each and hands it over, which
    # takes three times as long. Coroutines are not concerned.
    options += [
        ("SingleThreadedUnaryStream", 1),
        # The largest answer may be on its way at once. Else gRPC finds out by pings how much the link carries. Where
        # callers read for themselves, the answer to the last ping lies unread between calls, and hides a reset.
        ("grpc.http2.lookahead_bytes", configuration.max_message_bytes),
        ("grpc.http2.bdp_probe", 0),
    ]
    if configuration.keepalive_time is not None:
        options += [
            ("grpc.keepalive_time_ms", round(configuration.keepalive_time * 1000)),
            # Linux bounds the time that written data may stay unacknowledged by this too (TCP_USER_TIMEOUT): so a
            # link that was dropped in silence is found out by the first call, not by the next probe.
            ("grpc.keepalive_timeout_ms", round(configuration.keepalive_timeout * 1000)),
            ("grpc.keepalive_permit_without_calls", 1),
        ]
    return options


def control_options(configuration: Configuration, credentials: CredentialProvider) -> list[tuple[str, int | str]]:
    """Return the options of a channel for rare calls, which is never probed."""
    options: list[tuple[str, int | str]] = [
        ("grpc.max_send_message_length", configuration.max_message_bytes),
        ("grpc.max_receive_message_length", configuration.max_message_bytes),
        ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", _LONGEST_RECONNECT_MS),
        # Under this name gRPC has the shortest time that it gives to a connection.
        ("grpc.min_reconnect_backoff_ms", _LONGEST_CONNECT_MS),
        # A server whose name leads elsewhere now is looked for there as soon, and not only after half a minute.
        ("grpc.dns_min_time_between_resolutions_ms", _LONGEST_RECONNECT_MS),
        # Our own retries know which calls are safe to repeat and share one deadline.
        ("grpc.enable_retries", 0),
        # A connection of one's own: gRPC shares those with one target, and a closed channel lets go of its own only
        # after a while, so that the channel made in its place would be given the same connection, dead or alive.
        ("grpc.use_local_subchannel_pool", 1),
        # A proxy from the environment is for HTTP clients; tunnels break long-lived streams.
        ("grpc.enable_http_proxy", 0),
    ]
    if credentials.tls_server_name is not None:
        options.append(("grpc.ssl_target_name_override", credentials.tls_server_name))
    return options


def channel_credentials(endpoint: Endpoint, credentials: CredentialProvider) -> grpc.ChannelCredentials | None:
    """Return what encrypts the connection to an endpoint, or None for plaintext."""
    return grpc.ssl_channel_credentials(credentials.root_certificates) if endpoint.tls else None
