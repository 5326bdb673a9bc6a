"""Where a store on other machines is, as one line: `valkey://host:port`, `valkey-cluster://host:port,host:port`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from momento_lambda.endpoint import Endpoint
from momento_lambda.errors import InvalidArgumentError

_DEFAULT_PORT: Final = 6379
_CLUSTER: Final = "-cluster"
# Whether connections are encrypted, by the scheme without what says that it is a cluster.
_SCHEMES: Final = {"valkey": False, "redis": False, "valkeys": True, "rediss": True}
_FORMS: Final = (
    "memory://, valkey://HOST:PORT or valkey-cluster://HOST:PORT,HOST:PORT, with redis for valkey if you like, "
    "valkeys or rediss for TLS, and USER:PASSWORD@ before the hosts"
)


class Address(NamedTuple):
    """Where one node listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return Endpoint(self.host, self.port, tls=False).target


@dataclass(frozen=True)
class StoreUrl:
    """Where a Valkey or Redis is, and how to be let in. The password is in no representation.

    Attributes:
        addresses: Any of a cluster's nodes; without one, the primary, its replicas beside it where there are any.
        cluster: Whether keys are spread over several primaries.
        tls: Whether connections are encrypted.
        authority: The PEM file of the authority to trust instead of the public ones, or None.
        username: Who asks; None for the default user.
        password: What lets them in, or None.
        database: The number of the database; 0 in a cluster.
    """

    addresses: tuple[Address, ...]
    cluster: bool = False
    tls: bool = False
    authority: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0

    @classmethod
    def parse(cls, url: str) -> "StoreUrl":
        """Return what a URL says.

        Raises:
            InvalidArgumentError: It is none of a Valkey or Redis. The message does not repeat it.
        """
        parts = _split(url)
        kind = parts.scheme.removesuffix(_CLUSTER)
        if kind not in _SCHEMES:
            raise InvalidArgumentError(f"the store's URL begins with {parts.scheme!r}: give {_FORMS}")
        credentials, _, hosts = parts.netloc.rpartition("@")
        username, _, password = credentials.partition(":")
        cluster = parts.scheme.endswith(_CLUSTER)
        return cls(
            addresses=tuple(_address(host) for host in hosts.split(",")),
            cluster=cluster,
            tls=_SCHEMES[kind],
            authority=_authority(parts),
            username=unquote(username) or None,
            password=unquote(password) or None,
            database=_database(parts.path, cluster=cluster),
        )

    def __str__(self) -> str:
        """Return where it is, without who asks."""
        scheme = ("valkeys" if self.tls else "valkey") + (_CLUSTER if self.cluster else "")
        return f"{scheme}://{','.join(map(str, self.addresses))}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _no_host() from None
    if parts.fragment:
        # What is before a # that was not encoded in a password would be taken for a host.
        raise _no_host()
    return parts


def _address(host: str) -> Address:
    named = host if _has_port(host) else f"{host}:{_DEFAULT_PORT}"
    try:
        endpoint = Endpoint.parse(named, tls=False)
    except InvalidArgumentError:
        raise _no_host() from None
    return Address(endpoint.host, endpoint.port)


def _no_host() -> InvalidArgumentError:
    # What was given may hold a password that was not encoded, so it is not shown.
    return InvalidArgumentError(
        f"the store's URL has no valid host and port: give {_FORMS}, where a password is percent-encoded"
    )


def _has_port(host: str) -> bool:
    return host.rpartition("]")[2].count(":") > 0


def _database(path: str, *, cluster: bool) -> int:
    number = path.strip("/")
    if not number:
        return 0
    if cluster or not number.isdecimal():
        raise InvalidArgumentError("after the hosts, a store's URL has the number of a database, and a cluster none")
    return int(number)


def _authority(parts: SplitResult) -> Path | None:
    options = parse_qs(parts.query, keep_blank_values=True)
    authority = options.pop("authority", [None])[-1]
    if options and "@" in parts.query:
        # As above, of a ? in a password.
        raise _no_host()
    if options:
        raise InvalidArgumentError(f"a store's URL has no option {min(options)!r}: give authority=FILE, or none")
    return Path(authority) if authority else None
