"""A certificate authority for the tests, and what servers and clients need of it."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def _full(certificate: trustme.Blob) -> bool:
    """Whether both numbers of the certificate's ECDSA signature fill their 32 bytes.

    Where one doesn't, which is so in one signature of 128, Wine 8 takes the signature for a bad one.
    """
    signature = x509.load_pem_x509_certificate(certificate.bytes()).signature
    return min(number.bit_length() for number in decode_dss_signature(signature)) > 31 * 8


class Authority:
    """Issues certificates for loopback servers. `file` holds its own certificate (PEM): the `ca_file` of settings."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        while not _full(self._authority.cert_pem):
            self._authority = trustme.CA()
        self.file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def server(self, *names: str) -> ssl.SSLContext:
        """The context of a server that is known by these names or addresses (127.0.0.1 and localhost if none)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._issue(*names).configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        """The context of a client that trusts this authority and no other."""
        return ssl.create_default_context(cafile=str(self.file))

    def write_server_files(self, folder: Path, *names: str, whole: bool = False) -> tuple[Path, Path]:
        """Certificate chain and private key as PEM files, for servers that are started as programs.

        `whole`: with the authority's own certificate, without which Wine 8 takes any chain for a good one.
        """
        leaf = self._issue(*names)
        chain, key = folder / "server.pem", folder / "server.key"
        for index, blob in enumerate([*leaf.cert_chain_pems, *([self._authority.cert_pem] if whole else [])]):
            blob.write_to_path(str(chain), append=index > 0)
        leaf.private_key_pem.write_to_path(str(key))
        return chain, key

    def _issue(self, *names: str) -> trustme.LeafCert:
        leaf = self._authority.issue_cert(*(names or ("127.0.0.1", "localhost")))
        return leaf if _full(leaf.cert_chain_pems[0]) else self._issue(*names)
