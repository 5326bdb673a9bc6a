import pytest

from momento_lambda.endpoint import Endpoint, is_ip_literal, is_loopback
from momento_lambda.errors import InvalidArgumentError


@pytest.mark.parametrize(
    ("address", "host", "port", "tls", "target"),
    [
        ("example.com", "example.com", 443, True, "example.com:443"),
        ("example.com:8443", "example.com", 8443, True, "example.com:8443"),
        ("example.com.", "example.com.", 443, True, "example.com.:443"),
        ("under_score.a-b.c1:1", "under_score.a-b.c1", 1, True, "under_score.a-b.c1:1"),
        ("single", "single", 443, True, "single:443"),
        ("10.0.0.1:65535", "10.0.0.1", 65_535, True, "10.0.0.1:65535"),
        ("[2001:db8::1]", "2001:db8::1", 443, True, "[2001:db8::1]:443"),
        ("[2001:db8::1]:8443", "2001:db8::1", 8443, True, "[2001:db8::1]:8443"),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1, True, "[fe80::1%eth0]:1"),
        ("[::ffff:10.0.0.1]", "::ffff:10.0.0.1", 443, True, "[::ffff:10.0.0.1]:443"),
        ("localhost:8080", "localhost", 8080, False, "localhost:8080"),
        ("LocalHost:8080", "LocalHost", 8080, False, "LocalHost:8080"),
        ("127.0.0.1:8080", "127.0.0.1", 8080, False, "127.0.0.1:8080"),
        ("127.255.0.7", "127.255.0.7", 8080, False, "127.255.0.7:8080"),
        ("[::1]:8080", "::1", 8080, False, "[::1]:8080"),
        ("127.0.0.1.example.com", "127.0.0.1.example.com", 443, True, "127.0.0.1.example.com:443"),
        ("localhost.example.com", "localhost.example.com", 443, True, "localhost.example.com:443"),
    ],
)
def test_addresses(address: str, host: str, port: int, tls: bool, target: str) -> None:  # noqa: FBT001  # a column
    """An address is host or host:port, IPv6 in brackets; loopback is plaintext on 8080, the rest TLS on 443."""
    endpoint = Endpoint.parse(address)
    assert (host, port, tls, target) == (*endpoint, endpoint.target)


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("address", ["example.com", "localhost", "[::1]:1"])
def test_tls_can_be_decided(address: str, tls: bool) -> None:  # noqa: FBT001  # a column
    """Whoever says whether to encrypt has the last word, on loopback and elsewhere."""
    assert tls is Endpoint.parse(address, tls=tls).tls


@pytest.mark.parametrize(
    "address",
    [
        "",
        ":",
        ":443",
        "example.com:",
        "example.com:0",
        "example.com:65536",
        "example.com:443443443",
        "example.com:0000019999999",
        "example.com:-1",
        "example.com: 443",
        "example.com:\u0664\u0664\u0663",
        "example.com:http",
        "https://example.com",
        "example.com/path",
        "user@example.com",
        "ex ample.com",
        "ex\nample.com",
        "bücher.example",
        "a..b",
        ".",
        "-a.com",
        "a-.com",
        "::1",
        "2001:db8::1",
        "2001:db8::1:443",
        "[]",
        "[::1",
        "::1]",
        "[::1]443",
        "[::1]:",
        "[::g]",
        "[fe80::1%]",
        "[localhost]:80",
        "[127.0.0.1:9000]:8080",
        pytest.param("example.com:" + "0" * 5_000 + "443", id="a port of more digits than Python reads"),
        pytest.param("a" * 64 + ".com", id="a label of 64 characters"),
        pytest.param(".".join(["a" * 49] * 6), id="a name of 299 characters"),
    ],
)
def test_not_an_address(address: str) -> None:
    """Anything else is refused, and the refusal says what an address looks like."""
    with pytest.raises(InvalidArgumentError, match=r"^endpoint .* is not an address: give host or host:port"):
        Endpoint.parse(address)


@pytest.mark.parametrize(
    ("host", "literal", "loopback"),
    [
        ("127.0.0.1", True, True),
        ("127.1.2.3", True, True),
        ("10.0.0.1", True, False),
        ("::1", True, True),
        ("2001:db8::1", True, False),
        ("localhost", False, True),
        ("LOCALHOST", False, True),
        ("127.0.0.1.example.com", False, False),
        ("127.0.0.x", False, False),
        ("127.0..1", False, False),
        ("127.\u0660.0.1", False, False),
        ("1.2.3", False, False),
        ("example.com", False, False),
    ],
)
def test_literals_and_loopback(host: str, literal: bool, loopback: bool) -> None:  # noqa: FBT001  # two columns
    """Literals and loopback are told from names by their form alone."""
    assert (literal, loopback) == (is_ip_literal(host), is_loopback(host))


def test_endpoints_are_values() -> None:
    """Endpoints are equal by what they hold, hashable, and cannot be changed."""
    endpoint = Endpoint.parse("localhost:8080")
    assert {Endpoint("localhost", 8080, tls=False)} == {endpoint}
    assert Endpoint("localhost", 8080, tls=True) != endpoint
    with pytest.raises(AttributeError):
        endpoint.host = "elsewhere"  # type: ignore[misc]  # what the type checker refuses too
