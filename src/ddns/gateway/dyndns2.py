"""The dyndns2 protocol, for routers and old clients: `GET /nic/update?hostname=NAME,NAME&myip=ADDRESS`, basic auth.

The answer is one line a name: ``good`` (changed), ``nochg``, ``nohost`` (not a name of this user), ``notfqdn``,
``abuse`` (too many requests), ``dnserr`` (the address may not be published), ``911`` (try again later); or one line
for all: ``badauth``, ``notfqdn`` (no name), ``numhost`` (too many),
``!donator`` (``offline=YES`` is not offered, and nothing is published). The user is the host's label.
Source: the DynDNS Remote Access API, as ddclient and inadyn speak it.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from ddns.address import Address
from ddns.errors import StateError
from ddns.gateway import passwords, peer
from ddns.gateway.ledger import Host, Ledger, Receipt
from ddns.gateway.names import check_name, fold
from ddns.gateway.problem import Problem
from ddns.gateway.throttle import Throttle
from ddns.gateway.updates import Asked, Updates

MAX_NAMES = 20
_CODES = {
    "bad-signature": "badauth",
    "not-your-name": "nohost",
    "not-allowed": "dnserr",
    "no-zone": "nohost",
    "refused-by-dns": "dnserr",
}


class BadAuth(Exception):  # an answer, not an end of the program
    """User or password are wrong."""


@dataclass(frozen=True, slots=True)
class Line:
    """The answer for one name; `waits` when its write is on the way to DNS."""

    text: str
    reason: str = ""
    name: str = ""
    waits: tuple[Receipt, ...] = ()


def user_of(ledger: Ledger, header: str | None) -> Host:
    """The host that the basic authentication names. Raises BadAuth, after the same work for any user."""
    scheme, _, text = (header or "").partition(" ")
    try:
        user, colon, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise BadAuth from None
    if scheme.lower() != "basic" or not colon:
        raise BadAuth
    host = ledger.host_named(fold(user))
    if not passwords.right("" if host is None else host.password, password) or host is None:
        raise BadAuth
    return host


def addresses(myip: str, client: Address | None) -> list[Address] | None:
    """The addresses of a request, at most one a family: those of ``myip``, else the client's own. None: malformed."""
    if not myip.strip():
        return None if client is None else [client]
    found = [peer.parse(part) for part in myip.split(",") if part.strip()]
    good = [address for address in found if address is not None]
    families = {address.version for address in good}
    return good if good and len(good) == len(found) == len(families) else None


def answer(
    updates: Updates, throttle: Throttle, asked: Asked, hostnames: str, myip: str, offline: str = ""
) -> list[Line]:
    """One line a name."""
    if offline.lower() not in ("", "no", "nochg"):
        return [Line("!donator", "a host can't be set offline")]
    names = [name for name in hostnames.split(",") if name]
    if not names:
        return [Line("notfqdn", "no hostname")]
    if len(names) > MAX_NAMES:
        return [Line("numhost", "too many names")]
    wanted = addresses(myip, asked.peer)
    return [_one(updates, throttle, asked, name, wanted) for name in names]


def _one(updates: Updates, throttle: Throttle, asked: Asked, name: str, wanted: list[Address] | None) -> Line:
    try:
        kept = check_name(name.strip())
    except ValueError:
        return Line("notfqdn", "not a full domain name", name)
    if wanted is None:
        return Line("dnserr", "not an address", name)
    try:
        throttle.host(asked.host.id)
        updates.saw(asked)
        receipts = [updates.force(asked, kept, address) for address in wanted]
    except Problem as problem:
        code = "abuse" if problem.slug == "throttled" else _CODES.get(problem.slug, "911")
        return Line(code, f"{problem.slug}: {problem.detail}", name)
    except StateError as error:
        return Line("911", error.message, name)
    told = ",".join(map(str, wanted))
    waits = tuple(receipt for receipt in receipts if receipt is not None)
    return Line(f"{'good' if waits else 'nochg'} {told}", name=name, waits=waits)
