"""A machine whose clock is off, at the services that sign the time: told, signed again once, nothing written twice."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest
from msgspec.structs import replace

from ddns.address import Family
from ddns.errors import ClockSkew, ProviderError
from ddns.model import Applied, Change, Observed, Reason
from ddns.ports import Deadline, HttpRequest, HttpResponse, Net, Provider
from providers.cast import FIRST, HOME, SECOND, Double, SystemClock, addresses
from providers.doubles import alidns, huaweicloud, route53, tencentcloud
from providers.stage import connect, deadline, late

DOUBLES = {"alidns": alidns, "tencentcloud": tencentcloud, "huaweicloud": huaweicloud, "route53": route53}


class Overheard:
    """The way to a double; `date` replaces what its answers say of the time."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self.date: str | None = None
        self.sent: list[HttpRequest] = []
        self.then: Callable[[], None] = lambda: None

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        self.sent.append(request)
        response = self._net.http(request, deadline=deadline, family=family, limit=limit)
        if self.date is not None:
            response = replace(response, headers={**response.headers, "date": self.date})
        self.then()
        return response

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        return self._net.udp(data, to, deadline=deadline)


@pytest.fixture(params=DOUBLES)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def api(kind: str) -> Iterator[Double]:
    with DOUBLES[kind].serve() as double:
        double.zone.put(HOME.name, "A", FIRST, ttl=600)
        yield double


@pytest.fixture
def net(api: Double) -> Overheard:
    return Overheard(api.net)


def see(provider: Provider) -> Observed | ProviderError:
    return provider.observe([HOME], deadline())[HOME]


def write(provider: Provider) -> Applied | ProviderError:
    change = Change("1", HOME, addresses(FIRST), addresses(SECOND), Reason.ADDRESS)
    ((_, result),) = provider.apply([change], deadline())
    return result


def usual(kind: str, api: Double) -> int:
    """How many requests a read and a write take where the clock is right."""
    net = Overheard(api.net)
    provider = connect(kind, api.settings, api.secrets, net)
    see(provider)
    write(provider)
    api.zone.put(HOME.name, "A", FIRST, ttl=600)
    return len(net.sent)


@pytest.mark.parametrize("ahead", [-7200, 7200])
def test_it_costs_one_request_and_is_told_once(kind: str, api: Double, net: Overheard, ahead: int) -> None:
    needed, told = usual(kind, api), list[str]()
    provider = late(kind, api, ahead, net=net, warn=told.append)
    seen = see(provider)
    assert isinstance(seen, Observed), seen
    assert seen.rrset is not None
    assert seen.rrset.texts() == [FIRST]
    assert isinstance(write(provider), Applied)
    assert api.zone.get(HOME.name, "A") == {SECOND}
    assert len(net.sent) == needed + 1
    (line,) = told
    found = re.match(r"this machine's clock is (\d+) s (behind|ahead of) that of \w", line)
    assert found is not None
    assert int(found[1]) == pytest.approx(7200, abs=5)
    assert found[2] == ("behind" if ahead < 0 else "ahead of")


class Turned(SystemClock):
    """A clock that somebody sets wrong."""

    ahead = 0.0

    def now(self) -> float:
        return super().now() + self.ahead


def test_a_clock_that_is_set_in_the_middle_writes_nothing_twice(kind: str, api: Double) -> None:
    """Before each request of a read and a write in turn, the write itself among them."""
    needed = usual(kind, api)
    for number in range(1, needed):
        api.zone.put(HOME.name, "A", FIRST, ttl=600)
        clock, net = Turned(), Overheard(api.net)

        def turn(number: int = number, clock: Turned = clock, net: Overheard = net) -> None:
            clock.ahead = 7200.0 if len(net.sent) >= number else 0.0

        net.then = turn
        provider = connect(kind, api.settings, api.secrets, net, clock=clock)
        assert isinstance(see(provider), Observed)
        assert isinstance(write(provider), Applied)
        assert api.zone.get(HOME.name, "A") == {SECOND}
        assert len(net.sent) == needed + 1
        refused, again = net.sent[number : number + 2]
        assert (again.method, again.url, again.content) == (refused.method, refused.url, refused.content)
        assert again.headers["Authorization"] != refused.headers["Authorization"]


@pytest.mark.parametrize("date", ["", "yesterday", "ours"], ids=["none", "no date", "our own"])
def test_a_service_that_does_not_tell_its_time_is_a_block(kind: str, api: Double, net: Overheard, date: str) -> None:
    told: list[str] = []
    net.date = formatdate(time.time() + 7200, usegmt=True) if date == "ours" else date
    seen = see(late(kind, api, 7200, net=net, warn=told.append))
    assert isinstance(seen, ClockSkew)
    assert (len(net.sent), told) == (1, [])


def test_a_service_that_never_likes_the_time_is_asked_twice(kind: str, api: Double, net: Overheard) -> None:
    net.date = formatdate(time.time() + 86400, usegmt=True)
    seen = see(late(kind, api, 7200, net=net))
    assert isinstance(seen, ClockSkew)
    assert seen.seconds == pytest.approx(86400 - 7200, abs=5)
    assert len(net.sent) == 2


def test_a_clock_that_is_right_is_not_touched(kind: str, api: Double, net: Overheard) -> None:
    """Whatever a front end tells: only the service's own word of a request's time counts."""
    told: list[str] = []
    net.date = formatdate(time.time() + 7200, usegmt=True)
    provider = late(kind, api, 0, net=net, warn=told.append)
    assert isinstance(see(provider), Observed)
    assert isinstance(write(provider), Applied)
    assert told == []
