"""What a server shows to prove who it is."""

import ssl
from pathlib import Path
from typing import NamedTuple

from momento_lambda.errors import MomentoError


class TlsFilesError(MomentoError):
    """A certificate or a key that cannot be used."""

    code = "TLS_FILES"


class TlsIdentity(NamedTuple):
    """A certificate and its key. The key is in no representation.

    Attributes:
        certificate: The certificate and any between it and its root, as PEM.
        key: The certificate's private key, as PEM.
    """

    certificate: bytes
    key: bytes

    @classmethod
    def load(cls, certificate: Path, key: Path) -> "TlsIdentity":
        """Return what two PEM files hold.

        Raises:
            TlsFilesError: A file cannot be read or is not PEM, the key is encrypted, or they do not belong together.
        """
        try:
            identity = cls(certificate.read_bytes(), key.read_bytes())
        except OSError as error:
            raise TlsFilesError(f"the TLS file {error.filename} cannot be read: {error.strerror}") from error
        try:
            # An empty password, since without one an encrypted key would ask for it on the terminal.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or "no PEM, or an encrypted key"
            raise TlsFilesError(
                f"the certificate {certificate} and the key {key} cannot be used ({reason}): give PEM files that "
                "belong together, the key not encrypted"
            ) from error
        return identity

    def __repr__(self) -> str:
        return "TlsIdentity(<hidden>)"
