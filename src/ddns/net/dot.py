"""One DNS message over TLS, and its answer (RFC 7858): certificate and host name verified, within a deadline."""

from __future__ import annotations

import socket
import ssl

from ddns.errors import Untrusted
from ddns.net.certificates import refused
from ddns.net.exchange import Server, over_tcp
from ddns.net.trust import context
from ddns.ports import Deadline

# After `exchange`, which makes dnspython cheap to import.
# isort: split
import dns.message


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
            said, advice = refused(error)
            told = f"{server}: its certificate is not trusted: {said}"
            raise Untrusted(told, authority=advice is None, advice=advice) from error

    return over_tcp(query, server, deadline, secured)
