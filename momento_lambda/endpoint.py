"""An address, read: where one service listens, and how to reach it."""

from typing import NamedTuple, final

from momento_lambda.errors import InvalidArgumentError

_TLS_PORT = 443
_PLAINTEXT_PORT = 8080
_PORTS = range(1, 65_536)
_PORT_DIGITS = 5
_NAME_CHARACTERS = 253
_LABEL_CHARACTERS = 63
_IPV6_CHARACTERS = frozenset("0123456789abcdefABCDEF:.")
_SHOWN_CHARACTERS = 100


@final
class Endpoint(NamedTuple):
    """Where one service listens, and how to reach it.

    Attributes:
        host: A name or an IP literal, without brackets.
        port: The TCP port.
        tls: Whether the connection is encrypted.
    """

    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, address: str, *, tls: bool | None = None) -> "Endpoint":
        """Return the endpoint at `host` or `host:port` (an IPv6 literal in brackets).

        Args:
            address: A host, with or without a port: 443 with TLS and 8080 without, where it names none.
            tls: None for plaintext on loopback and TLS elsewhere.

        Raises:
            InvalidArgumentError: Not a host or host:port.
        """
        host, port = split_address(address)
        encrypted = not is_loopback(host) if tls is None else tls
        return cls(host, port or (_TLS_PORT if encrypted else _PLAINTEXT_PORT), encrypted)

    @property
    def target(self) -> str:
        """The address as gRPC takes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Endpoint({self.target!r}, tls={self.tls})"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by name or by address (no look-up is made)."""
    return is_localhost(host) or host == "::1" or (host.startswith("127.") and is_ip_literal(host))


def is_ip_literal(host: str) -> bool:
    """Whether a host is an IPv4 or IPv6 address rather than a name."""
    labels = host.split(".")
    return ":" in host or (len(labels) == 4 and all(map(_is_number, labels)))  # noqa: PLR2004  # bytes of IPv4


def is_localhost(host: str) -> bool:
    """Whether a host is the name of this machine for itself."""
    return host.lower() == "localhost"


def split_address(address: str) -> tuple[str, int | None]:
    """Return the host of an address, without brackets, and its port; None where it names none.

    Raises:
        InvalidArgumentError: Not a host or host:port.
    """
    host, separator, text = address.rpartition(":")
    port: str | None = text
    if not separator or address.endswith("]"):
        host, port = address, None
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    known = _is_ipv6(host) if bracketed else _is_name(host)
    if not (known and (port is None or _is_port(port))):
        # What is this long is no host that was mistyped, and may be a token in the wrong place.
        shown = repr(address) if len(address) <= _SHOWN_CHARACTERS else f"of {len(address)} characters"
        raise InvalidArgumentError(
            f"endpoint {shown} is not an address: give host or host:port, an IPv6 address in brackets"
        )
    return host, None if port is None else int(port)


def _is_port(text: str) -> bool:
    return _is_number(text) and len(text) <= _PORT_DIGITS and int(text) in _PORTS


def _is_name(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    return host.isascii() and len(host) <= _NAME_CHARACTERS and all(map(_is_label, labels))


def _is_label(label: str) -> bool:
    inside = label.replace("-", "").replace("_", "").isalnum()
    return inside and len(label) <= _LABEL_CHARACTERS and not label.startswith("-") and not label.endswith("-")


def _is_ipv6(host: str) -> bool:
    address, percent, zone = host.partition("%")
    return address.count(":") > 1 and _IPV6_CHARACTERS.issuperset(address) and (not percent or _is_label(zone))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
