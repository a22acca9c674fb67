"""The gateway, from its settings file: serving it, and what an operator does to its ledger."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ddns import host
from ddns.config.convert import convert
from ddns.config.document import Problems, parse
from ddns.config.layers import Layer
from ddns.config.near import hint
from ddns.errors import DdnsError, Exit, SettingsError, StateError
from ddns.gateway import audit, operators, serve
from ddns.gateway.ledger import Entry, Host
from ddns.gateway.settings import GatewaySettings
from ddns.host.secrets import Vault
from ddns.net.client import Client
from ddns.ports import Provider, Tools
from ddns.providers import table
from ddns.runtime.clock import SystemClock

_ADVICE = "Correct the gateway's settings file, then try again."


def _warn(message: str) -> None:
    sys.stderr.write(f"ddns: {message}\n")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A gateway's settings, the kind of each provider, and where secrets lie."""

    settings: GatewaySettings
    kinds: dict[str, str]
    vault: Vault


def settings_file(data: str | None) -> str:
    """Where the gateway's settings lie unless a file is named."""
    return os.path.join(host.places(data).config, "gateway.toml")


def load(data: str | None, file: str | None) -> Loaded:
    """Read a gateway's settings. Raises SettingsError with every problem."""
    path = file or settings_file(data)
    try:
        with open(path, "rb") as opened:
            content = opened.read()
    except OSError as error:
        raise SettingsError(
            f"the gateway's settings at {path} can't be read: {error.strerror}",
            advice="Name the file with: --config gateway.toml",
        ) from error
    try:
        settings, kinds = _settings(content, os.path.basename(path))
    except SettingsError as error:
        raise SettingsError(error.message, error.problems, advice=_ADVICE) from error
    places = host.places(data)
    return Loaded(settings, kinds, Vault(places.secrets, places.option))


def _settings(content: bytes, name: str) -> tuple[GatewaySettings, dict[str, str]]:
    text, raw = parse(content, name)
    problems = Problems([Layer("file", raw)], text)
    settings = convert(raw, GatewaySettings, (), problems.add)
    kinds, read = {}, {}
    tables = raw.get("provider")
    for ident, values in tables.items() if isinstance(tables, dict) else ():
        kinds[ident], read[ident] = _provider(ident, values, problems)
    problems.raise_if_any()
    return msgspec.structs.replace(settings, provider=read), kinds


def _provider(ident: str, values: Any, problems: Problems) -> tuple[str, object]:
    kind = values.get("kind") if isinstance(values, dict) else None
    known = ", ".join(sorted(table.MODULES))
    if not isinstance(kind, str):
        problems.add(("provider", ident, "kind"), f"required key is missing; the kinds are {known}")
        return "", None
    if kind not in table.MODULES:
        near = hint(kind, table.MODULES) or f"; the kinds are {known}"
        problems.add(("provider", ident, "kind"), f'unknown kind "{kind}"{near}')
        return "", None
    own = {key: value for key, value in values.items() if key != "kind"}
    return kind, convert(own, table.load(kind).Settings, ("provider", ident), problems.add)


def run(loaded: Loaded, ready: Callable[[str, str], None]) -> None:
    """Serve until KeyboardInterrupt, or a signal; `ready` is told the URL and the audit log. Raises DdnsError."""
    audit_log = os.path.abspath(serve.audit_file(loaded.settings))
    with contextlib.closing(Client()) as net:
        serve.serve(
            loaded.settings,
            _providers(loaded, net),
            loaded.vault.resolve,
            SystemClock(),
            ready=lambda url: ready(url, audit_log),
        )


def _providers(loaded: Loaded, net: Client) -> dict[str, Provider]:
    tools = Tools(net, SystemClock(), loaded.vault.resolve, warn=_warn)
    items = loaded.settings.provider.items()
    return {ident: table.load(loaded.kinds[ident]).connect(settings, tools) for ident, settings in items}


@contextlib.contextmanager
def _opened(loaded: Loaded) -> Iterator[serve.Store]:
    with serve.opened(loaded.settings, SystemClock()) as store:
        yield store


def mint_code(loaded: Loaded, label: str, *, seconds: float, rebind: bool) -> str:
    """As `operators.mint_code`."""
    with _opened(loaded) as store:
        hosts = loaded.settings.hosts
        return operators.mint_code(
            store.ledger, store.audit, SystemClock(), hosts, label, seconds=seconds, rebind=rebind
        )


def hosts(loaded: Loaded) -> list[operators.HostView]:
    """As `operators.list_hosts`."""
    with _opened(loaded) as store:
        return operators.list_hosts(store.ledger)


def revoke(loaded: Loaded, label: str, *, remove_records: bool) -> Host:
    """As `operators.revoke`."""
    with _opened(loaded) as store:
        return operators.revoke(store.ledger, store.audit, SystemClock(), label, remove_records=remove_records)


def retire(loaded: Loaded, label: str) -> tuple[Host, tuple[Entry, ...]]:
    """As `operators.retire`."""
    with _opened(loaded) as store:
        return operators.retire(store.ledger, store.audit, SystemClock(), label)


def freeze(loaded: Loaded, label: str, *, frozen: bool) -> Host:
    """As `operators.freeze`."""
    with _opened(loaded) as store:
        return operators.freeze(store.ledger, store.audit, label, frozen=frozen)


def add_host(loaded: Loaded, label: str) -> tuple[Host, str]:
    """As `operators.add_host`."""
    with _opened(loaded) as store:
        return operators.add_host(store.ledger, store.audit, SystemClock(), loaded.settings.hosts, label)


def set_password(loaded: Loaded, label: str) -> str:
    """As `operators.set_dyndns2_password`."""
    with _opened(loaded) as store:
        return operators.set_dyndns2_password(store.ledger, store.audit, label)


class AuditBroken(DdnsError):
    """The audit log's chain is broken."""

    code = "audit"
    exit = Exit.DEGRADED
    default_advice = "It was altered there, or in the line before: compare it with the copy that you keep elsewhere."


@dataclass(frozen=True, slots=True)
class AuditView:
    """The end of an audit log, and whether its chain holds: `lines` of the whole log, or `broken`."""

    file: str
    entries: list[dict[str, object]]
    lines: int | None
    broken: AuditBroken | None


def read_audit(loaded: Loaded, limit: int) -> AuditView:
    """Read the audit log, whose last `limit` lines are given, without writing. Raises StateError."""
    path = serve.audit_file(loaded.settings)
    try:
        entries = audit.recent(path, limit)
        lines, broken = _verified(path)
    except OSError as error:
        raise StateError(
            f"the audit log {path} can't be read: {error.strerror}",
            advice="It begins with a gateway's first decision; the settings and the account must be the gateway's.",
        ) from error
    return AuditView(str(path), entries, lines, broken)


def _verified(path: Path) -> tuple[int | None, AuditBroken | None]:
    try:
        return audit.verify(path), None
    except audit.AuditError as error:
        return None, AuditBroken(f"{path}: {error}")
