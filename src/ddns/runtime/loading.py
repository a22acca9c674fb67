"""The settings of this machine: read from their file and settled, what they still lack, which files they rest on."""

from __future__ import annotations

import os
import stat

import msgspec

from ddns import host
from ddns.config import load as config
from ddns.config import policy
from ddns.config.references import references
from ddns.config.schema import OwnSource, Settings
from ddns.config.words import dotted
from ddns.errors import BadCredentials, SettingsError
from ddns.host.secrets import Vault
from ddns.providers import table as providers
from ddns.runtime import sourcing
from ddns.sources import table as sources

#: Settings that say nothing: every key has its default.
DEFAULTS = b"schema = 1\n"


def load(places: host.Places, *, missing: bytes | None = None) -> tuple[config.Loaded, bytes]:
    """The settings, and the bytes of their file; `missing` stands for a file that is not there.

    Raises SettingsError with every problem.
    """
    there = missing is None or os.path.lexists(places.config_file)
    data = settings_bytes(places) if there else missing or DEFAULTS
    loaded = config.load(
        data,
        os.path.basename(places.config_file),
        provider_type=lambda kind: providers.load(kind).Settings,
        kinds=tuple(providers.MODULES),
        sources=sources.NAMES,
        environ=os.environ,
        policy=policy.read(host.policy_file()),
    )
    _settle_ca_files(loaded, places.config)
    if there:
        sourcing.refuse_foreign_commands(loaded, places.config_file)
    return loaded, data


def _settle_ca_files(loaded: config.Loaded, folder: str) -> None:
    """Let paths of CA files and the like begin at the settings' folder. Raises SettingsError for those not there."""
    settings, wanted = loaded.settings, list[tuple[str, str]]()

    def settled(path: str, key: str) -> str:
        if not path:
            return ""
        path = os.path.join(folder, path)
        wanted.append((key, path))
        return path

    lock = settings.lock
    if lock is not None:
        files = {name: settled(getattr(lock, name), f"lock.{name}") for name in ("ca_file", "cert_file", "key_file")}
        lock = msgspec.structs.replace(lock, **files)
    tls = msgspec.structs.replace(settings.tls, ca_file=settled(settings.tls.ca_file, "tls.ca_file"))
    items = [
        msgspec.structs.replace(item, ca_file=settled(item.ca_file, f"detect.sources[{number}].ca_file"))
        if isinstance(item, OwnSource)
        else item
        for number, item in enumerate(settings.detect.sources)
    ]
    gateway = settings.gateway
    if gateway is not None:
        gateway = msgspec.structs.replace(gateway, ca_file=settled(gateway.ca_file, "gateway.ca_file"))
    detect = msgspec.structs.replace(settings.detect, sources=tuple(items))
    problems = [f"{loaded.where(key)}: {key}: there is no file {path}" for key, path in wanted if not _file(path)]
    if problems:
        raise SettingsError(f"{os.path.basename(loaded.name)} names files that are not there", tuple(problems))
    loaded.settings = msgspec.structs.replace(settings, detect=detect, gateway=gateway, lock=lock, tls=tls)


def _file(path: str) -> bool:
    """Whether there is such a file, as far as this account can tell."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False


def settings_bytes(places: host.Places) -> bytes:
    """The settings file as it is. Raises SettingsError."""
    try:
        with open(places.config_file, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise SettingsError(f"there are no settings at {places.config_file}", advice=_where_else(places)) from error
    except OSError as error:
        raise SettingsError(
            f"the settings at {places.config_file} can't be read: {error.strerror}",
            advice="Give the account that runs ddns the right to read them.",
        ) from error


def _where_else(places: host.Places) -> str:
    """What to do where there are no settings: those of the machine may not be for this account."""
    advice = "Write them with: ddns config init"
    machine = host.readable_places()[0].config
    if places.whose == "user" and os.path.lexists(machine):
        return f"{advice}, or be an administrator: the machine's own are in {machine}"
    return advice


def warnings(loaded: config.Loaded, places: host.Places) -> list[str]:
    """What settings that are valid still lack: records, and secrets that can be used."""
    vault = Vault(places.secrets, places.option)
    found = _misplaced(loaded) if loaded.settings.record else [no_records(places)]
    tables: list[tuple[tuple[str, ...], msgspec.Struct]]
    tables = [(("provider", ident), settings) for ident, settings in loaded.settings.provider.items()]
    tables += _beside(loaded.settings)
    for path, settings in tables:
        for name, ref in references(settings):
            try:
                vault.resolve(ref)
            except BadCredentials as error:
                key = f"{dotted(path)}.{name}"
                found.append(f"{loaded.where(key)}: {key}: {error.message}")
    return found


def _misplaced(loaded: config.Loaded) -> list[str]:
    """Records of a type that their provider does not keep; the others are kept all the same."""
    found = []
    for number, record in enumerate(loaded.settings.record):
        kind = loaded.kinds[record.provider]
        kept = providers.load(kind).CAPABILITIES.types
        where = loaded.where(f"record[{number}].types")
        found += [
            f"{where}: record[{number}]: a provider of kind {kind} keeps no {rtype} records"
            for rtype in record.types
            if rtype.family is None and rtype not in kept
        ]
    return found


def no_records(places: host.Places) -> str:
    """The sentence for settings that keep no record."""
    return f"no records are set; add a [[record]] to {places.config_file}"


def watched(loaded: config.Loaded, vault: Vault) -> tuple[str, ...] | None:
    """The files and variables, beside the settings, that decide what a run does.

    None when one can't be watched.
    """
    found = []
    settings = loaded.settings
    tables = [*settings.provider.values(), *(table for _, table in _beside(settings))]
    for table in tables:
        for _, ref in references(table):
            if vault.stored(ref) is None:
                return None
            found.append(str(ref) if ref.scheme == "env" else f"file:{vault.path(ref)}")
    own = [item.ca_file for item in loaded.settings.detect.sources if isinstance(item, OwnSource)]
    gateway, lock = settings.gateway, settings.lock
    files = [*own, gateway.ca_file if gateway else ""]
    files.append(settings.tls.ca_file)
    files += [lock.ca_file, lock.cert_file, lock.key_file] if lock else []
    found += [f"file:{path}" for path in files if path]
    return tuple(sorted(set(found)))


def _beside(settings: Settings) -> list[tuple[tuple[str, ...], msgspec.Struct]]:
    """The tables, beside those of providers, that may name secrets."""
    found: list[tuple[tuple[str, ...], msgspec.Struct]] = [(("proxy",), settings.proxy)]
    return [*found, (("lock",), settings.lock)] if settings.lock is not None else found
