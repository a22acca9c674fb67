"""`ddns plan` and `ddns doctor` at every kind's double: they read as a run reads, and no write ever arrives."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any, cast

import pytest

from ddns.address import Family
from ddns.cli.plan import exit_code, planned
from ddns.config.document import parse
from ddns.config.layers import Layer
from ddns.config.load import Loaded
from ddns.config.schema import Detect, Gateway, OwnSource, Proof, Record, Settings
from ddns.host import route
from ddns.model import Change, Reason
from ddns.ports import Deadline, HttpRequest, HttpResponse, Net
from ddns.providers import table
from ddns.runtime import RunRequest, Start, compose, doctor, loading, looking
from ddns.runtime.doctor import Finding, Verdict
from providers.cast import FIRST, HOME, SECOND, Double, addresses
from providers.doubles.dns import DnsServer
from providers.doubles.web import Web
from providers.stage import WRONG_SECRET, connect, deadline, media

KINDS = [kind for kind in sorted(table.MODULES) if "double" in media(kind)]


@dataclass
class Town:
    """The network: what is asked of the two sources is answered here, all else by the double's own network."""

    net: Net
    ahead: float = 0.0

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        if ".test/" not in request.url:
            return self.net.http(request, deadline=deadline, family=family, limit=limit)
        return HttpResponse(200, {"date": formatdate(time.time() + self.ahead, usegmt=True)}, SECOND.encode())

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        return self.net.udp(data, to, deadline=deadline)


@dataclass
class Place:
    """A machine whose one record stands at FIRST at a double, while its address is SECOND."""

    start: Start
    kind: str
    double: Double
    town: Town

    @property
    def seams(self) -> compose.Seams:
        return compose.Seams(net=lambda: self.town)

    def written(self) -> int:
        servers = [value for value in vars(self.double).values() if isinstance(value, Web | DnsServer)]
        assert servers, "a double that counts no writes proves nothing"
        return sum(server.written for server in servers)

    def examine(self) -> list[Finding]:
        return doctor.examine(self.start.data, lambda _what: None, self.seams)


def loaded(kind: str, double: Double) -> Loaded:
    """Settings that lead to the double, as a file would say it; a file must name https."""
    url = getattr(double, "gateway_url", "")
    settings = Settings(
        schema=1,
        record=(Record(name=HOME.name, provider="main", types=(HOME.type,)),),
        provider={"main": double.settings},
        detect=Detect(
            sources=tuple(OwnSource(url=f"https://{name}.test/", operator=name) for name in ("alpha", "beta")),
            allow_private=("192.0.2.0/24",),
        ),
        proof=Proof(servers=double.proof_servers),
        gateway=Gateway(url=url) if url else None,
    )
    text, raw = parse(b"schema = 1\n", "ddns.toml")
    return Loaded(settings, {"main": kind}, [Layer("file", raw)], text)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    kind: str = request.param
    with importlib.import_module(f"providers.doubles.{kind}").serve() as served:
        double = cast("Double", served)
        double.zone.put(HOME.name, HOME.type, FIRST)
        for reference, text in double.secrets.items():
            monkeypatch.setenv(reference.removeprefix("env:"), text)
        monkeypatch.setattr(loading, "load", lambda _places, **_more: (loaded(kind, double), b""))
        monkeypatch.setattr(compose, "machine_identity", lambda: "")
        monkeypatch.setattr(route, "source_address", lambda family: "192.0.2.9" if family == 4 else "")
        (tmp_path / "ddns.toml").write_text("")
        yield Place(Start(str(tmp_path)), kind, double, Town(double.net))


every_kind = pytest.mark.parametrize("place", KINDS, indirect=True)


@every_kind
def test_a_plan_draws_a_change_and_writes_nothing(place: Place) -> None:
    found = looking.plan(place.start, RunRequest(place.start.data), place.seams)

    (change,) = planned(found)["changes"]
    assert (change["name"], change["from"], change["to"]) == (HOME.name, [FIRST], [SECOND])
    assert exit_code(found, time.time()) == 0
    assert place.written() == 0
    assert place.double.zone.get(HOME.name, HOME.type) == {FIRST}
    assert sorted(path.name for path in Path(place.start.places.config).iterdir()) == ["ddns.toml"]


@every_kind
def test_a_doctor_tries_the_credentials_and_writes_nothing(place: Place) -> None:
    found = place.examine()

    (tried,) = [one for one in found if one.area == "credentials"]
    assert tried.verdict is (Verdict.WARNING if place.double.proof_servers else Verdict.OK), tried
    assert str(HOME) in tried.says
    assert [one for one in found if one.verdict is Verdict.PROBLEM and one.area != "network"] == []
    assert place.written() == 0
    assert place.double.zone.get(HOME.name, HOME.type) == {FIRST}
    assert sorted(path.name for path in Path(place.start.places.config).iterdir()) == ["ddns.toml"]


@every_kind
def test_a_doctor_tells_a_wrong_secret_and_never_its_text(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if place.double.proof_servers:
        return  # reading at name servers needs no secret, and the doctor says that it tried none
    for reference in place.double.secrets:
        monkeypatch.setenv(reference.removeprefix("env:"), WRONG_SECRET)

    found = place.examine()

    (refused,) = [one for one in found if one.area == "credentials"]
    assert (refused.what, refused.verdict) == ("main: secret", Verdict.PROBLEM)
    assert refused.says
    assert refused.advice
    for text in (WRONG_SECRET, *place.double.secrets.values()):
        assert text not in repr(found)
    assert place.written() == 0


@every_kind
def test_the_counters_count(place: Place) -> None:
    """The control: one real write arrives, and is counted."""
    double = place.double
    url = getattr(double, "gateway_url", "")
    provider = connect(place.kind, double.settings, double.secrets, double.net, double.proof_servers, url)
    seen: Any = provider.observe([HOME], deadline())[HOME]
    change = Change("t-0", HOME, seen.rrset, addresses(SECOND), Reason.ADDRESS)
    list(provider.apply([change], deadline()))
    assert place.written() > 0


@pytest.mark.parametrize("place", ["cloudflare"], indirect=True)
@pytest.mark.parametrize(
    ("ahead", "verdict"), [(0.0, Verdict.OK), (90.0, Verdict.WARNING), (-4000.0, Verdict.PROBLEM)], ids=str
)
def test_a_doctor_tells_the_clock_by_the_date_of_answers(place: Place, ahead: float, verdict: Verdict) -> None:
    """The two sources are of one mind; the double, which is asked more often, has one voice of three."""
    place.town.ahead = ahead
    (clock,) = [one for one in place.examine() if one.area == "time"]
    assert clock.verdict is verdict
    if ahead:
        seconds = int(clock.says.split(" is ")[1].split(" s ")[0])
        assert abs(seconds - abs(ahead)) <= 2
        assert ("behind" in clock.says) is (ahead > 0)
