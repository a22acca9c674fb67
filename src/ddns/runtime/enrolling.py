"""Enrolment of this machine at a gateway: the key is stored first, then the code is redeemed for it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
from dataclasses import dataclass

from ddns import host, protocol
from ddns.config import toml_text
from ddns.errors import BadCredentials, Retryable, SettingsError, Untrusted, UsageError
from ddns.host.identity import machine_identity
from ddns.host.secrets import Vault
from ddns.net.client import Client
from ddns.net.ways import use
from ddns.ports import Clock, Deadline, Net
from ddns.providers import enrolment
from ddns.resilience import Retry
from ddns.runtime import connections, loading
from ddns.runtime.clock import SystemClock
from ddns.runtime.storing import checked_name, store

#: Seconds for all tries together.
_SECONDS = 60.0
_CA_FILE = "Name the PEM file of the authority that signed it with: --ca-file FILE"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What this machine is from now on. `secret` is the reference to its identity; `settings` are lines to add."""

    gateway: str
    host: str
    label: str
    names: tuple[str, ...]
    secret: str
    settings: str


def enrol(
    data: str | None,
    url: str,
    code: str,
    *,
    ident: str = "gateway",
    ca_file: str = "",
    net: Net | None = None,
    clock: Clock | None = None,
) -> Enrolled:
    """Redeem a one-time code at the gateway `url`; the identity is stored as the secret `ident`.

    An answer that is lost is asked for again with the same code and key, here and by the next call. Raises
    ProviderError, UsageError, StateUnwritable.
    """
    checked_name(ident)
    if ca_file and not os.path.isfile(ca_file):
        raise UsageError(f"there is no file {ca_file}", advice="Name the PEM file of the CA with --ca-file.")
    pending = f"{ident[:40]}.{hashlib.sha256(url.encode()).hexdigest()[:12]}.pending"
    key = _key(data, pending)
    _use_ways(data)
    with contextlib.closing(Client()) as client:
        found = _redeem(url, code, key, ca_file, net or client, clock or SystemClock())
    secret = store(data, ident, found.identity.text())
    vault = Vault(host.places(data).secrets)
    os.remove(vault.path(vault.reference(pending)))
    return Enrolled(
        found.identity.gateway,
        found.identity.host,
        found.label,
        found.names,
        secret,
        _settings(url, ca_file, secret, found.names),
    )


def _use_ways(data: str | None) -> None:
    """Go by the proxy and the addresses of the settings, where there are any: enrolment may well come before them."""
    places = host.places(data)
    with contextlib.suppress(SettingsError):
        loaded, _ = loading.load(places, missing=loading.DEFAULTS)
        use(connections.ways(loaded.settings, Vault(places.secrets, places.option).resolve))


def _key(data: str | None, pending: str) -> bytes:
    """The key of an enrolment whose end was not seen, else a new one, stored."""
    vault = Vault(host.places(data).secrets)
    try:
        return protocol.decode_key(vault.resolve(vault.reference(pending)).reveal())
    except (BadCredentials, protocol.ProtocolError):
        key = enrolment.new_key()
        store(data, pending, protocol.encode_key(key))
        return key


def _redeem(url: str, code: str, key: bytes, ca_file: str, net: Net, clock: Clock) -> enrolment.Enrolled:
    deadline, policy, attempt = Deadline(clock, _SECONDS), Retry(), 0
    while True:
        attempt += 1
        try:
            return enrolment.enrol(
                url,
                code,
                machine_identity(),
                key,
                net=net,
                deadline=deadline,
                now=clock.now(),
                ca_file=ca_file,
                trace_id=os.urandom(8).hex(),
            )
        except Untrusted as error:
            raise Untrusted(error.message, advice=_CA_FILE if error.authority else error.advice) from error
        except Retryable as error:
            if not policy.wait(attempt, [error], clock=clock, deadline=deadline, random=random.random):
                raise


def _settings(url: str, ca_file: str, secret: str, names: tuple[str, ...]) -> str:
    value = toml_text.value
    lines = ["[gateway]", f"url = {value(url)}"]
    if ca_file:
        lines.append(f"ca_file = {value(os.path.abspath(ca_file))}")
    lines += ["", "[provider.fleet]", 'kind = "gateway"', f"token = {value(secret)}"]
    for name in names:
        lines += ["", "[[record]]", f"name = {value(name)}", 'provider = "fleet"', 'types = ["A", "AAAA"]']
    return "\n".join(lines)
