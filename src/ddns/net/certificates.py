"""Why a server's certificate was refused, and what to do: by the code of OpenSSL, or of Windows."""

from __future__ import annotations

import ssl
from typing import NamedTuple

from ddns.errors import foreign

RENEW = "Renew the server's certificate, or set this machine's clock if that is wrong."
_RENAME = "Ask for the server by a name that its certificate holds: check the URL."
#: By OpenSSL's code (x509_vfy.h): not yet valid, expired; another host name, another IP address.
_ADVICE = {9: RENEW, 10: RENEW, 62: _RENAME, 64: _RENAME}
#: By Windows' code (winerror.h, CERT_E_*), whose own words are in the language of the machine, or missing.
_WINDOWS = {
    0x800B0101: ("it has expired, or is not valid yet", RENEW),
    0x800B0109: ("Windows does not trust the authority at the end of its chain", None),
    0x800B010A: ("Windows finds no chain from it to an authority that it trusts", None),
    0x800B010C: ("it was revoked", RENEW),
    0x800B010F: ("it is for another name", _RENAME),
}


class Refused(NamedTuple):
    """What is wrong with it, fit for a message, without a final stop.

    `advice` is for its dates and names (RENEW for dates); None: nobody that we trust signed it.
    """

    said: str
    advice: str | None


def refused(error: ssl.SSLCertVerificationError) -> Refused:
    """What the error means."""
    said, advice = _WINDOWS.get(error.verify_code, (error.verify_message or str(error), None))
    return Refused(foreign(said).removesuffix("."), advice or _ADVICE.get(error.verify_code))
