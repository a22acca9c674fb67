"""One DNS message over TLS, and its answer (RFC 7858): certificate and host name verified, within a deadline."""

from __future__ import annotations

import socket
import ssl

from ddns.errors import Untrusted, foreign
from ddns.net.exchange import Server, over_tcp
from ddns.net.trust import context
from ddns.ports import Deadline

# After `exchange`, which makes dnspython cheap to import.
# isort: split
import dns.message

#: Codes of dates and names, of OpenSSL (x509_vfy.h) and Windows (winerror.h); the others: nobody we trust signed it.
_OF_DATE_OR_NAME = frozenset({9, 10, 62, 64, 0x800B0101, 0x800B010C, 0x800B010F})


def ask(
    query: dns.message.Message, server: Server, deadline: Deadline, *, host: str, ca_file: str = ""
) -> dns.message.Message:
    """The answer of `server`, whose certificate must be for `host`.

    Raises Untrusted, Transport and Malformed; SettingsError for a `ca_file` that can't be used.
    """
    trusted = context(ca_file)

    def secured(plain: socket.socket) -> socket.socket:
        try:
            return trusted.wrap_socket(plain, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            said = foreign(error.verify_message or str(error)).removesuffix(".")
            authority = error.verify_code not in _OF_DATE_OR_NAME
            raise Untrusted(f"{server}: its certificate is not trusted: {said}", authority=authority) from error

    return over_tcp(query, server, deadline, secured)
