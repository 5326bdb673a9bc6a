from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
import trustme

from momento_lambda.errors import InvalidArgumentError
from momento_lambda.server import ListenError, LocalServer
from momento_lambda.server.tls import TlsFilesError, TlsIdentity
from momento_lambda.wire import cache_rpcs as rpcs


class Identity(NamedTuple):
    """A certificate for the server, and the authority that vouches for it."""

    certificate: bytes
    key: bytes
    authority: bytes


@pytest.fixture(scope="module")
def identity() -> Identity:
    """A certificate for the loopback address and a name."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "cache.example.com")
    return Identity(issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes(), authority.cert_pem.bytes())


@pytest.fixture
def other_key() -> bytes:
    """The key of another certificate."""
    return trustme.CA().issue_cert("127.0.0.1").private_key_pem.bytes()


def ping(server: LocalServer, authority: bytes, name: str | None = None) -> bytes:
    """Ask whether a server answers that proves who it is."""
    options = [("grpc.ssl_target_name_override", name)] if name else []
    with grpc.secure_channel(server.address, grpc.ssl_channel_credentials(authority), options=options) as channel:
        procedure: Any = channel.unary_unary(rpcs.PING.path)
        reply: bytes = procedure(b"", timeout=20)
        return reply


def test_who_trusts_the_authority_is_served(identity: Identity) -> None:
    """The connection is encrypted, and the server's credentials say so."""
    with LocalServer(tls_certificate=identity.certificate, tls_key=identity.key) as server:
        assert b"" == ping(server, identity.authority)
        assert b"" == ping(server, identity.authority, "cache.example.com")
        assert server.credentials.cache_endpoint.tls


def test_who_trusts_another_is_not(identity: Identity) -> None:
    """A client that trusts another authority, or expects another name, does not connect."""
    with LocalServer(tls_certificate=identity.certificate, tls_key=identity.key) as server:
        for authority, name in [(trustme.CA().cert_pem.bytes(), None), (identity.authority, "other.example.com")]:
            with pytest.raises(grpc.RpcError) as caught:
                ping(server, authority, name)
            failed: Any = caught.value
            assert grpc.StatusCode.UNAVAILABLE is failed.code()


def test_plaintext_is_not_served(identity: Identity) -> None:
    """A server with a certificate answers nobody who does not ask for it."""
    with (
        LocalServer(tls_certificate=identity.certificate, tls_key=identity.key) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        procedure: Any = channel.unary_unary(rpcs.PING.path)
        with pytest.raises(grpc.RpcError):
            procedure(b"", timeout=20)


def test_bytes_that_are_no_pem_are_refused(identity: Identity) -> None:
    """A server that could not show what it was given does not start, and says that it is this and not the port."""
    for certificate, key in [(b"junk", identity.key), (identity.certificate, b"junk")]:
        with pytest.raises(ListenError, match="TLS certificate and key"):
            LocalServer(tls_certificate=certificate, tls_key=key).__enter__()


def test_a_key_of_another_certificate_is_refused(identity: Identity, other_key: bytes) -> None:
    """Each may be good, and they do not belong together."""
    with pytest.raises(ListenError, match="belong together"):
        LocalServer(tls_certificate=identity.certificate, tls_key=other_key).__enter__()


def test_one_without_the_other_is_refused(identity: Identity) -> None:
    """A certificate alone, or a key alone, proves nothing."""
    for certificate, key in [(identity.certificate, None), (None, identity.key)]:
        with pytest.raises(InvalidArgumentError, match="TLS needs both"):
            LocalServer(tls_certificate=certificate, tls_key=key)


class TestFiles:
    def test_good_ones_are_read(self, identity: Identity, tmp_path: Path) -> None:
        """Two PEM files are an identity whose key is in no representation."""
        (tmp_path / "cert").write_bytes(identity.certificate)
        (tmp_path / "key").write_bytes(identity.key)
        loaded = TlsIdentity.load(tmp_path / "cert", tmp_path / "key")
        assert (identity.certificate, identity.key) == tuple(loaded)
        assert "PRIVATE" not in repr(loaded)

    @pytest.mark.parametrize("bad", ["cert", "key"])
    def test_one_that_is_no_pem_is_refused(self, identity: Identity, tmp_path: Path, bad: str) -> None:
        """The words name both files."""
        (tmp_path / "cert").write_bytes(identity.certificate)
        (tmp_path / "key").write_bytes(identity.key)
        (tmp_path / bad).write_text("junk")
        with pytest.raises(TlsFilesError, match=r"cert and the key .*key cannot be used"):
            TlsIdentity.load(tmp_path / "cert", tmp_path / "key")

    def test_files_that_do_not_belong_together_are_refused(
        self, identity: Identity, other_key: bytes, tmp_path: Path
    ) -> None:
        """The words give the reason."""
        (tmp_path / "cert").write_bytes(identity.certificate)
        (tmp_path / "key").write_bytes(other_key)
        with pytest.raises(TlsFilesError, match="belong together"):
            TlsIdentity.load(tmp_path / "cert", tmp_path / "key")

    def test_a_missing_one_is_named(self, tmp_path: Path) -> None:
        """The words name the file that is not there."""
        with pytest.raises(TlsFilesError, match=r"cert cannot be read: No such file"):
            TlsIdentity.load(tmp_path / "cert", tmp_path / "key")
