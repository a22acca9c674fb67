"""From settings to a `World`: the place where adapters and steps meet."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from ipaddress import ip_network

import msgspec

from ddns.address import Family, HostRule
from ddns.compare import Rules
from ddns.config import load as config
from ddns.config.references import references
from ddns.config.schema import Record, Settings
from ddns.cycle import World
from ddns.detect import Gather, in_threads
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

#: Seconds of one run, all in all; the scheduled task's own limit is ten minutes.
RUN_SECONDS = 120.0


class Seams(msgspec.Struct, frozen=True):
    """What a test may put between the steps and the world."""

    clock: Clock = msgspec.field(default_factory=SystemClock)
    net: Callable[[], Net] = Client
    state: Callable[[State], State] = lambda state: state
    provider: Callable[[Provider], Provider] = lambda provider: provider
    random: Callable[[], float] = random.random
    gather: Gather = in_threads
    report: Callable[[int, str, str], None] = eventlog.report


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
        translated=connections.translated(settings),
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
    stored = [vault.stored(ref) or b"" for _, ref in references(settings)]
    return hashlib.sha256(repr(asked).encode() + b"".join(stored)).hexdigest()[:16]
