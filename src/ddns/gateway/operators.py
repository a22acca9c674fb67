"""What an operator does to a gateway: mint codes, add, list, freeze and revoke hosts, set dyndns2 passwords.

The functions work on the ledger, so they work with and without the gateway running. Each writes one audit line.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ddns.errors import UsageError
from ddns.gateway import passwords
from ddns.gateway.audit import Audit
from ddns.gateway.enrolment import code_digest, new_code, new_host_id
from ddns.gateway.ledger import Code, Entry, Host, Ledger, RecordState
from ddns.gateway.names import check_label, fold, name_of
from ddns.gateway.settings import Hosts
from ddns.ports import Clock

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class HostView:
    """A host as an operator sees it: no key, no hash."""

    id: str
    label: str
    names: tuple[str, ...]
    created_at: float
    last_seen: float | None
    frozen: bool
    has_password: bool
    records: tuple[Entry, ...]


def mint_code(
    ledger: Ledger, audit: Audit, clock: Clock, hosts: Hosts, host: str, *, seconds: float = DAY, rebind: bool = False
) -> str:
    """A one-time code for the host of this label, good for `seconds`. Only its hash is kept.

    `rebind`: the code may move the label from the machine that has it to another one. Raises UsageError.
    """
    label, name = _named(host, hosts)
    code, now = new_code(), clock.now()
    ledger.add_code(Code(code_digest(code), label, (name,), now, now + seconds, rebind))
    audit.write("code", label=label, names=[name], rebind=rebind, until=now + seconds)
    return code


def _named(host: str, hosts: Hosts) -> tuple[str, str]:
    """The label of a host, and its name. Raises UsageError."""
    try:
        label = check_label(host, hosts.reserved)
        return label, name_of(hosts.template, label)
    except ValueError as error:
        raise UsageError(f"host: {error}", advice="Give the host a label such as pc7.") from error


def add_host(ledger: Ledger, audit: Audit, clock: Clock, hosts: Hosts, host: str) -> tuple[Host, str]:
    """A host without enrolment, for clients that speak dyndns2 only; and its password, of which the hash is kept.

    It has no key, so that it can't sign. Raises UsageError, also where the host exists.
    """
    label, name = _named(host, hosts)
    password = _new_password()
    added = Host(new_host_id(), label, (name,), "", None, clock.now(), password=passwords.hashed(password))
    standing = ledger.add_host(added)
    if standing is not None:
        what = f"host {label!r}" if standing.label == label else f"the name {name}, of host {standing.label!r},"
        raise UsageError(
            f"{what} exists already",
            advice=f"For a new password: ddns gateway password {standing.label}; "
            f"to begin anew: ddns gateway revoke {standing.label}",
        )
    audit.write("added", host=added.id, label=label, names=added.names)
    return added, password


def _new_password() -> str:
    return secrets.token_urlsafe(18)


def list_hosts(ledger: Ledger) -> list[HostView]:
    """All hosts in force, by label, with their records."""
    return [
        HostView(
            host.id,
            host.label,
            host.names,
            host.created_at,
            host.last_seen,
            host.frozen,
            bool(host.password),
            tuple(ledger.entries(host.id)),
        )
        for host in ledger.hosts()
    ]


def find(ledger: Ledger, host: str) -> Host:
    """The host in force of this label or id. Raises UsageError."""
    found = ledger.host_named(fold(host)) or ledger.host(host)
    if found is None or found.revoked_at is not None:
        raise UsageError(f"there is no host {host!r}", advice="See which there are with: ddns gateway hosts")
    return found


def revoke(ledger: Ledger, audit: Audit, clock: Clock, host: str, *, remove_records: bool = False) -> Host:
    """Take the key from a host, for good; its records stay in DNS unless their removal is asked for too."""
    found = find(ledger, host)
    ledger.revoke(found.id, now=clock.now(), remove_records=remove_records)
    audit.write("revoked", host=found.id, label=found.label, names=found.names, remove_records=remove_records)
    return found


def retire(ledger: Ledger, audit: Audit, clock: Clock, host: str) -> tuple[Host, tuple[Entry, ...]]:
    """Take a host out for good: its key, and what it owns in DNS; the host, and its records that are not gone yet.

    Also for a host that is revoked already, by its id, so that a machine which went without a word leaves nothing.
    May be repeated. Raises UsageError.
    """
    named = ledger.host_named(fold(host)) or ledger.host(host)
    found = named if named is not None else find(ledger, host)
    ledger.revoke(found.id, now=clock.now(), remove_records=True)
    audit.write("retired", host=found.id, label=found.label, names=found.names)
    left = (entry for entry in ledger.entries(found.id) if entry.state is not RecordState.CONFIRMED)
    return found, tuple(left)


def freeze(ledger: Ledger, audit: Audit, host: str, *, frozen: bool) -> Host:
    """Hold a host's updates (they are acknowledged as held), or release them."""
    found = find(ledger, host)
    ledger.freeze(found.id, frozen)
    audit.write("frozen" if frozen else "thawed", host=found.id, label=found.label)
    return found


def set_dyndns2_password(ledger: Ledger, audit: Audit, host: str) -> str:
    """A new password for a host's dyndns2 clients; the user name is the host's label. Only its hash is kept."""
    found = find(ledger, host)
    password = _new_password()
    ledger.set_password(found.id, passwords.hashed(password))
    audit.write("password", host=found.id, label=found.label)
    return password
