"""From settings to a `World`: the place where adapters and steps meet."""

from __future__ import annotations

import hashlib
import os
import random
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network

import msgspec

from ddns import host
from ddns.address import Family, HostRule
from ddns.compare import Rules
from ddns.config import load as config
from ddns.config import policy
from ddns.config.references import references
from ddns.config.schema import OwnSource, Record, Settings
from ddns.config.words import dotted
from ddns.cycle import World
from ddns.detect import Gather, in_threads
from ddns.errors import BadCredentials, SettingsError
from ddns.host import eventlog
from ddns.host.identity import machine_identity
from ddns.host.secrets import Vault
from ddns.memory import Memory, Rest
from ddns.model import RecordKey, RecordType, Target
from ddns.net.client import Client
from ddns.net.ways import use
from ddns.ports import Clock, Deadline, Log, Net, Provider, State, Tools
from ddns.providers import table as providers
from ddns.resilience import Guard, Retry
from ddns.runtime import RunRequest, connections, sourcing
from ddns.runtime.clock import SystemClock
from ddns.secret import SecretRef
from ddns.sources import table as sources

#: Seconds of one run, all in all; the scheduled task's own limit is ten minutes.
RUN_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Seams:
    """What a test may put between the steps and the world."""

    clock: Clock = field(default_factory=SystemClock)
    net: Callable[[], Net] = Client
    state: Callable[[State], State] = lambda state: state
    provider: Callable[[Provider], Provider] = lambda provider: provider
    random: Callable[[], float] = random.random
    gather: Gather = in_threads
    report: Callable[[int, str, str], None] = eventlog.report


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


def world(
    loaded: config.Loaded,
    request: RunRequest,
    memory: Memory,
    state: State,
    vault: Vault,
    log: Log,
    trace_id: str,
    seams: Seams,
    note_rest: Callable[[str, Family, Rest | None], None] = lambda _name, _family, _rest: None,
) -> World:
    """Everything a run is made of."""
    settings, clock, net = loaded.settings, seams.clock, seams.net()
    use(connections.ways(settings, vault.resolve))
    tools = build_tools(settings, vault, log, trace_id, clock, net)
    wrapped = seams.state(state)
    return World(
        targets=targets(settings),
        sources=sourcing.build(settings),
        providers=dict(_guards(loaded, tools, memory, wrapped, vault, seams, insist=request.now)),
        state=wrapped,
        memory=memory,
        net=net,
        clock=clock,
        random=seams.random,
        deadline=Deadline(clock, RUN_SECONDS),
        policy=_policy(settings),
        rules=Rules(settings.proof.settle.seconds, insist=request.now),
        allow=tuple(map(ip_network, settings.detect.allow_private)),
        probes=sourcing.probes(settings),
        route=connections.route(settings),
        detect_seconds=settings.detect.timeout.seconds,
        prove_every=settings.proof.every.seconds,
        prove=request.prove or request.trial,
        gather=seams.gather,
        away=sourcing.away(settings.detect.networks),
        note_rest=note_rest,
        lock=connections.lock(settings, tools, log),
    )


def build_tools(settings: Settings, vault: Vault, log: Log, trace_id: str, clock: Clock, net: Net) -> Tools:
    """What the providers of these settings are built with."""
    return Tools(
        net=net,
        clock=clock,
        resolve=vault.resolve,
        proof_servers=settings.proof.servers,
        gateway_url=settings.gateway.url if settings.gateway else "",
        gateway_ca_file=settings.gateway.ca_file if settings.gateway else "",
        trace_id=trace_id,
        machine=machine_identity,
        warn=lambda message: log.write("WARN", message),
    )


def targets(settings: Settings) -> list[Target]:
    """The records of the settings, in their order."""
    return [_target(record, rtype) for record in settings.record for rtype in record.types]


def _target(record: Record, rtype: RecordType) -> Target:
    return Target(
        RecordKey(record.provider, record.name, rtype),
        rtype.family,
        record.ttl,
        {} if record.proxied is None else {"proxied": record.proxied},
        record.adopt,
        value=rtype.parse(record.value) if record.value is not None and rtype.family is None else None,
        host_rule=HostRule(record.host_rule) if record.host_rule is not None else None,
    )


def _policy(settings: Settings) -> Retry:
    table = settings.retry
    return Retry(table.attempts, table.base.seconds, table.jitter.seconds, table.policy == "exponential")


def _guards(
    loaded: config.Loaded,
    tools: Tools,
    memory: Memory,
    state: State,
    vault: Vault,
    seams: Seams,
    *,
    insist: bool,
) -> Iterator[tuple[str, Provider]]:
    for ident, settings in loaded.settings.provider.items():
        yield (
            ident,
            Guard(
                ident,
                _fingerprint(settings, tools, vault),
                _connector(loaded.kinds[ident], settings, tools, seams),
                memory,
                state,
                policy=_policy(loaded.settings),
                clock=tools.clock,
                random=seams.random,
                insist=insist,
            ),
        )


def _connector(kind: str, settings: msgspec.Struct, tools: Tools, seams: Seams) -> Callable[[], Provider]:
    return lambda: seams.provider(providers.load(kind).connect(settings, tools))


def _fingerprint(settings: msgspec.Struct, tools: Tools, vault: Vault) -> str:
    """Of a provider's settings and stored secrets: new credentials have no block and no breaker yet."""
    asked = (settings, tools.gateway_url, tools.gateway_ca_file, tools.proof_servers)
    stored = [vault.stored(ref) or b"" for ref in _refs(settings)]
    return hashlib.sha256(repr(asked).encode() + b"".join(stored)).hexdigest()[:16]


def _refs(settings: msgspec.Struct) -> list[SecretRef]:
    return [ref for _, ref in _named_refs(settings)]


def _named_refs(settings: msgspec.Struct) -> list[tuple[str, SecretRef]]:
    """Those of a table, each with its key's dotted name within it."""
    return list(references(settings))


def warnings(loaded: config.Loaded, places: host.Places) -> list[str]:
    """What settings that are valid still lack: records, and secrets that can be used."""
    vault = Vault(places.secrets, places.option)
    found = _misplaced(loaded) if loaded.settings.record else [no_records(places)]
    tables: list[tuple[tuple[str, ...], msgspec.Struct]]
    tables = [(("provider", ident), settings) for ident, settings in loaded.settings.provider.items()]
    tables += _beside(loaded.settings)
    for path, settings in tables:
        for name, ref in _named_refs(settings):
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


def _beside(settings: Settings) -> list[tuple[tuple[str, ...], msgspec.Struct]]:
    """The tables, beside those of providers, that may name secrets."""
    found: list[tuple[tuple[str, ...], msgspec.Struct]] = [(("proxy",), settings.proxy)]
    return [*found, (("lock",), settings.lock)] if settings.lock is not None else found


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
        for ref in _refs(table):
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
