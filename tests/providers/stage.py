"""A provider and what stands behind it, ready for one scene: a recorded dialogue or a double, by the same handles."""

from __future__ import annotations

import base64
import importlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, cast

import msgspec

from ddns.errors import ProviderError
from ddns.model import Applied, Change, Observed, Reason, RecordKey, RRset
from ddns.ports import Clock, Deadline, Net, Provider, Tools
from ddns.providers import table
from ddns.secret import Secret, SecretRef
from providers.cast import FIRST, HOME, NEAR, NEIGHBOUR, Double, Fault, Scene, SystemClock
from providers.player import FOLDER, Dialogue, Player

#: Seconds that a step may take, and that one is waited for whose answer never comes.
LIMIT = 10.0
SHORT_LIMIT = 0.7
WRONG_SECRET = base64.b64encode(b"canary, but not the right one").decode()


class Stage(Protocol):
    """What a test of the suite holds in its hands."""

    @property
    def provider(self) -> Provider:
        """The provider under test."""
        ...

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must never show."""
        ...

    def act(self, name: str) -> None:
        """The next steps of the scene begin (a dialogue checks that the last ones were all taken)."""
        ...

    def fail(self, fault: Fault | None) -> None:
        """Have a fault from now on."""
        ...

    def near_is_untouched(self) -> bool:
        """Whether the neighbour's record is as it was. A dialogue would not have answered a request about it."""
        ...


def deadline(seconds: float = LIMIT) -> Deadline:
    """The time that a step may take."""
    return Deadline(SystemClock(), seconds)


def media(kind: str) -> list[str]:
    """What a kind can be played with."""
    has_double = importlib.util.find_spec(f"providers.doubles.{kind}") is not None
    return ["dialogue"] * (FOLDER / f"{kind}.json").exists() + ["double"] * has_double


@contextmanager
def stage(kind: str, medium: str, scene: Scene) -> Iterator[Stage | None]:
    """Set a scene; None when the protocol has no words for it."""
    with (_dialogue_stage if medium == "dialogue" else _double_stage)(kind, scene) as ready:
        yield ready


def connect(
    kind: str,
    settings: msgspec.Struct,
    secrets: Mapping[str, str],
    net: Net,
    proof_servers: tuple[str, ...] = (),
    gateway_url: str = "",
    clock: Clock | None = None,
    warn: Callable[[str], None] = lambda _message: None,
) -> Provider:
    """The provider of a kind, its references resolved from `secrets`."""
    tools = Tools(
        net,
        clock or SystemClock(),
        lambda ref: Secret(secrets[str(ref)]),
        proof_servers=proof_servers,
        gateway_url=gateway_url,
        warn=warn,
    )
    return table.load(kind).connect(settings, tools)


def write(on: Provider, before: RRset | None, after: RRset | None, key: RecordKey = HOME) -> Applied | ProviderError:
    """What becomes of one change."""
    ((_, result),) = on.apply([Change("1", key, before, after, Reason.ADDRESS)], deadline())
    return result


def see(on: Provider, key: RecordKey = HOME) -> Observed | ProviderError:
    """What one record is seen as."""
    return on.observe([key], deadline())[key]


def rrset(on: Provider, key: RecordKey = HOME) -> RRset | None:
    """What stands there; it must be seen."""
    seen = see(on, key)
    assert isinstance(seen, Observed), seen
    return seen.rrset


class _WrongClock(SystemClock):
    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    def now(self) -> float:
        return super().now() + self._ahead


class Patient(SystemClock):
    """A clock whose sleeps take no time; `slept` has their seconds."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Still(SystemClock):
    """A clock whose hands do not move."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        return self._at


def late(
    kind: str,
    double: Double,
    ahead: float,
    *,
    net: Net | None = None,
    warn: Callable[[str], None] = lambda _message: None,
) -> Provider:
    """A double's provider on a machine whose clock is `ahead` seconds before the service's; `net` is another way."""
    return connect(kind, double.settings, double.secrets, net or double.net, clock=_WrongClock(ahead), warn=warn)


class _DialogueStage:
    def __init__(self, provider: Provider, player: Player, secrets: Mapping[str, str], *, by_dns: bool) -> None:
        self.provider = provider
        self.secrets = _forms(secrets)
        self._player = player
        self._by_dns = by_dns

    def act(self, name: str) -> None:
        self._player.act(name)

    def fail(self, fault: Fault | None) -> None:
        self._player.fault = fault
        if self._by_dns:
            self._player.dns.fault = fault
            if fault is Fault.REFUSED:
                self._player.dns.close()

    def near_is_untouched(self) -> bool:
        return True


@contextmanager
def _dialogue_stage(kind: str, scene: Scene) -> Iterator[Stage | None]:
    dialogue = Dialogue(kind)
    if scene in dialogue.lacks:
        yield None
        return
    player = Player(dialogue, scene)
    with player.dns:
        texts = {name: _filled(value, player.dns.address) for name, value in dialogue.settings.items()}
        settings = msgspec.convert(texts, table.load(kind).Settings, dec_hook=_reference)
        provider = connect(kind, settings, dialogue.secrets, player, (player.dns.address,), dialogue.gateway_url)
        yield _DialogueStage(provider, player, dialogue.secrets, by_dns="{dns}" in dialogue.settings.values())
        player.end()


class _DoubleStage:
    def __init__(self, provider: Provider, double: Double, secrets: Mapping[str, str]) -> None:
        self.provider = provider
        self.secrets = _forms({**double.secrets, **{f"wrong {name}": text for name, text in secrets.items()}})
        self._double = double

    def act(self, name: str) -> None:
        """The double needs no script."""

    def fail(self, fault: Fault | None) -> None:
        self._double.fail(fault)

    def near_is_untouched(self) -> bool:
        return self._double.zone.get(NEIGHBOUR.name, NEIGHBOUR.type) == {NEAR}


@contextmanager
def _double_stage(kind: str, scene: Scene) -> Iterator[Stage | None]:
    with importlib.import_module(f"providers.doubles.{kind}").serve() as served:
        double = cast("Double", served)
        double.zone.put(NEIGHBOUR.name, NEIGHBOUR.type, NEAR)
        if scene is not Scene.CREATE:
            double.zone.put(HOME.name, HOME.type, FIRST)
        if scene is Scene.RATE_LIMITED and not double.limit():
            yield None
            return
        wrong = scene is Scene.BAD_CREDENTIALS
        secrets = dict.fromkeys(double.secrets, WRONG_SECRET) if wrong else double.secrets
        gateway_url = getattr(double, "gateway_url", "")  # of the gateway's double only
        provider = connect(kind, double.settings, secrets, double.net, double.proof_servers, gateway_url)
        yield _DoubleStage(provider, double, secrets)


def _reference(wanted: type, value: object) -> object:
    assert wanted is SecretRef
    return SecretRef(str(value))


def _filled(value: object, address: str) -> object:
    return value.replace("{dns}", address) if isinstance(value, str) else value


def _forms(secrets: Mapping[str, str]) -> tuple[str, ...]:
    """Secrets as they are, and in base64 as a header would carry them."""
    return tuple(
        form for text in secrets.values() for form in (text, base64.b64encode(text.encode()).decode().rstrip("="))
    )
