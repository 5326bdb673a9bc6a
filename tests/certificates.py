"""Certificates that servers show to tests."""

from typing import TypedDict

import trustme


class TlsOptions(TypedDict):
    """What a `LocalServer` takes to serve with TLS, in PEM."""

    tls_certificate: bytes
    tls_key: bytes


def tls_options(authority: trustme.CA, name: str = "127.0.0.1") -> TlsOptions:
    """Return a certificate that an authority signed for a name or an address, and its key."""
    issued = authority.issue_cert(name)
    chain = b"".join(part.bytes() for part in issued.cert_chain_pems)
    return {"tls_certificate": chain, "tls_key": issued.private_key_pem.bytes()}
