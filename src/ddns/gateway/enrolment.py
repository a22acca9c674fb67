"""Enrolment: a one-time code, minted for one host, is exchanged for the host's key.

The client makes the key and stores it before it asks, so that a lost answer costs nothing: the same code with the same
machine and key gets the same answer again. A host's id is random and bound to the machine's identity: its signatures
are made with a key that is derived from both (`protocol.bound_key`), so those of a clone are refused. Where the label
is bound to another machine (a clone, or a new machine of the same name), the code is refused, unless it was minted to
move the host.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass

from ddns import protocol
from ddns.address import Address
from ddns.gateway.audit import Audit
from ddns.gateway.ledger import CodeRefusal, Host, Ledger, Redemption
from ddns.gateway.problem import Problem
from ddns.gateway.seal import Sealer
from ddns.ports import Clock
from ddns.protocol import ProtocolError

#: Bytes of randomness in a code, and in a host's id.
CODE_BYTES = 20
ID_BYTES = 10

_REFUSALS = {
    CodeRefusal.INVALID: (403, "the code is not known; mint one with: ddns gateway code HOST"),
    CodeRefusal.USED: (403, "the code was used with another key; mint a new one with: ddns gateway code HOST"),
    CodeRefusal.EXPIRED: (403, "the code is too old; mint a new one with: ddns gateway code HOST"),
    CodeRefusal.OTHER_MACHINE: (
        409,
        "the host is bound to another machine: name a clone anew and enrol it again, or mint a code with --rebind",
    ),
    CodeRefusal.NAME_TAKEN: (409, "the host's name belongs to another host; revoke that one first"),
}


@dataclass(frozen=True, slots=True)
class Enrolled:
    """The answer to an enrolment."""

    host: str
    label: str
    names: tuple[str, ...]
    gateway: str


def new_code() -> str:
    """A fresh code, in groups that can be typed."""
    text = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def new_host_id() -> str:
    """A fresh id for a host."""
    return "h" + base64.b32encode(secrets.token_bytes(ID_BYTES)).decode().lower()


def code_digest(code: str) -> str:
    """What is stored of a code. One hash suffices: 160 random bits can't be tried out."""
    plain = "".join(c for c in code.lower() if c.isascii() and c.isalnum())
    return hashlib.sha256(b"code:" + plain.encode()).hexdigest()


def machine_digest(machine: str) -> str:
    """What is stored of a machine's identity."""
    return hashlib.sha256(b"machine:" + machine.encode()).hexdigest()


class Enrolment:
    """Redeems codes for one gateway."""

    def __init__(self, gateway: str, ledger: Ledger, sealer: Sealer, audit: Audit, clock: Clock) -> None:
        self._gateway = gateway
        self._ledger = ledger
        self._sealer = sealer
        self._audit = audit
        self._clock = clock

    def redeem(self, code: str, machine: str, key_text: str, *, peer: Address | None, trace_id: str) -> Enrolled:
        """The host that this machine is from now on. Raises Problem."""
        try:
            key = protocol.decode_key(key_text)
        except ProtocolError as error:
            raise Problem("malformed", 400, str(error)) from error
        if not 8 <= len(machine) <= 256:
            raise Problem("malformed", 400, "machine needs 8 to 256 characters")
        host = self._ledger.redeem(
            Redemption(
                code=code_digest(code),
                machine=machine_digest(machine),
                key_digest=hashlib.sha256(key).hexdigest(),
                seal=lambda host_id: self._sealer.seal(host_id, protocol.bound_key(key, machine)),
                new_id=new_host_id(),
                now=self._clock.now(),
            )
        )
        if isinstance(host, CodeRefusal):
            status, detail = _REFUSALS[host]
            raise Problem(host.value, status, detail)
        self._audit.write(
            "enrolled", trace_id=trace_id, host=host.id, label=host.label, names=host.names, peer=str(peer)
        )
        return self._answer(host)

    def _answer(self, host: Host) -> Enrolled:
        return Enrolled(host.id, host.label, host.names, self._gateway)
