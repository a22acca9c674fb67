"""The dyndns2 endpoint, as routers and old clients use it."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ddns.errors import Rejected, StateUnwritable
from ddns.gateway import operators, passwords
from unit.gateway.stand import NAME, Answer, Stand, outage, stand


class Router:
    """A client with a password."""

    def __init__(self, gateway: Stand) -> None:
        gateway.enrol()
        self.gateway = gateway
        self.password = operators.set_dyndns2_password(gateway.parts.ledger, gateway.parts.audit, "pc1")

    def get(
        self, query: str, *, user: str = "pc1", password: str | None = None, path: str = "/nic/update", peer: str = ""
    ) -> Answer:
        """One update."""
        text = f"{user}:{self.password if password is None else password}"
        headers = {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}
        return self.gateway.ask("GET", f"{path}?{query}", headers=headers, peer=peer or "192.0.2.9")


@pytest.fixture
def router(tmp_path: Path) -> Iterator[Router]:
    with stand(tmp_path) as gateway:
        yield Router(gateway)


@pytest.mark.parametrize("path", ["/nic/update", "/update"])
def test_good_then_nochg(router: Router, path: str) -> None:
    query = f"hostname={NAME}&myip=192.0.2.1"
    first = router.get(query, path=path)
    assert (first.status, first.text, router.gateway.dns.values()) == (200, "good 192.0.2.1\n", ["192.0.2.1"])
    assert router.get(query).text == "nochg 192.0.2.1\n"
    assert router.gateway.dns.writes == 1


def test_an_update_counts_as_seen(router: Router) -> None:
    (host,) = router.gateway.parts.ledger.hosts()
    assert host.last_seen is None
    router.get(f"hostname={NAME}&myip=192.0.2.1", password="wrong")
    assert router.gateway.parts.ledger.hosts() == [host]
    for _ in ("good", "nochg"):
        router.gateway.clock.sleep(60)
        router.get(f"hostname={NAME}&myip=192.0.2.1")
        assert router.gateway.parts.ledger.hosts()[0].last_seen == router.gateway.clock.now()


def test_without_an_address_that_of_the_client_is_taken(router: Router) -> None:
    assert router.get(f"hostname={NAME}").text == "good 192.0.2.9\n"
    assert router.get(f"hostname={NAME}", peer="2001:db8::9").text == "good 2001:db8::9\n"
    assert router.gateway.dns.values() == ["192.0.2.9"]
    assert router.gateway.dns.values(type_="AAAA") == ["2001:db8::9"]


def test_both_families_in_one_request(router: Router) -> None:
    assert router.get(f"hostname={NAME}&myip=192.0.2.1,2001:db8::1").text == "good 192.0.2.1,2001:db8::1\n"


def test_each_name_has_its_line(router: Router) -> None:
    names = f"{NAME},pc2.dyn.example.test,nodots,{NAME.upper()}"
    assert router.get(f"hostname={names}&myip=192.0.2.1").text.splitlines() == [
        "good 192.0.2.1",
        "nohost",
        "notfqdn",
        "good 192.0.2.1",  # the same name twice in one request: both lines tell that it is done
    ]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "notfqdn"),
        ("hostname=", "notfqdn"),
        ("hostname=%1b[2J", "notfqdn"),
        (f"hostname={NAME}&myip=10.0.0.1", "dnserr"),
        (f"hostname={NAME}&myip=nonsense", "dnserr"),
        (f"hostname={NAME}&myip=192.0.2.1,192.0.2.2", "dnserr"),
        ("hostname=" + ",".join([NAME] * 21), "numhost"),
    ],
)
def test_what_is_not_done_has_its_code_and_its_audit_line(router: Router, query: str, text: str) -> None:
    before = router.gateway.untouched()
    answer = router.get(query)
    assert (answer.status, answer.text) == (200, f"{text}\n")
    assert router.gateway.untouched() == before
    line = router.gateway.audit()[-1]
    assert (line["decision"], line["reason"]) == ("refused", text)


@pytest.mark.parametrize(("user", "password"), [("pc1", "wrong"), ("pc9", None), ("", ""), ("pc1", "")])
def test_a_wrong_user_and_a_wrong_password_look_the_same(router: Router, user: str, password: str | None) -> None:
    answer = router.get(f"hostname={NAME}&myip=192.0.2.1", user=user, password=password)
    assert (answer.status, answer.text) == (401, "badauth\n")
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert router.gateway.dns.values() is None


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Basic /w==", "Bearer abc", "Basic cGMx"])
def test_a_malformed_login_is_badauth(router: Router, header: str) -> None:
    answer = router.gateway.ask("GET", f"/nic/update?hostname={NAME}", headers={"Authorization": header})
    assert (answer.status, answer.text) == (401, "badauth\n")


def test_a_host_without_a_password_can_not_log_in(tmp_path: Path) -> None:
    with stand(tmp_path) as gateway:
        router = Router(gateway)
        gateway.parts.ledger.set_password(gateway.parts.ledger.hosts()[0].id, "")
        assert router.get(f"hostname={NAME}").text == "badauth\n"


def test_guessing_a_password_is_stopped(tmp_path: Path) -> None:
    with stand(tmp_path, limits={"guess": "2/hour"}) as gateway:
        router = Router(gateway)
        statuses = [router.get(f"hostname={NAME}", password="x").status for _ in range(3)]
        assert statuses == [401, 401, 429]
        assert router.get(f"hostname={NAME}").status == 429
        assert router.get(f"hostname={NAME}", peer="192.0.2.10").text == "good 192.0.2.10\n"


def test_a_host_that_asks_too_often_is_told_abuse(tmp_path: Path) -> None:
    with stand(tmp_path, limits={"host": "2/hour"}) as gateway:
        router = Router(gateway)
        texts = [router.get(f"hostname={NAME}&myip=192.0.2.1").text for _ in range(3)]
        assert texts == ["good 192.0.2.1\n", "nochg 192.0.2.1\n", "abuse\n"]


def test_with_dns_down_the_update_is_kept_and_published_later(tmp_path: Path) -> None:
    with stand(tmp_path, wait=0.05) as gateway:
        router = Router(gateway)
        gateway.dns.down = outage()
        query = f"hostname={NAME}&myip=192.0.2.1"
        assert [router.get(query).text for _ in range(2)] == ["good 192.0.2.1\n"] * 2
        assert len(gateway.parts.ledger.queued(10)) == 1
        gateway.dns.down = None
        gateway.clock.sleep(120)
        gateway.until_settled()
        assert gateway.dns.values() == ["192.0.2.1"]
        assert router.get(query).text == "nochg 192.0.2.1\n"


def test_a_record_that_dns_refuses_is_dnserr(router: Router) -> None:
    router.gateway.dns.refuses[NAME] = Rejected("a CNAME stands there")
    assert router.get(f"hostname={NAME}&myip=192.0.2.1").text == "dnserr\n"


def test_an_alteration_behind_the_back_is_set_right(router: Router) -> None:
    query = f"hostname={NAME}&myip=192.0.2.1"
    router.get(query)
    router.gateway.dns.put(NAME, "A", "192.0.2.66")
    assert router.get(query).text == "good 192.0.2.1\n"
    assert router.gateway.dns.values() == ["192.0.2.1"]


def test_a_full_disk_is_911(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_update: object) -> None:
        raise StateUnwritable("the ledger is full")

    monkeypatch.setattr(router.gateway.parts.ledger, "accept", full)
    assert router.get(f"hostname={NAME}&myip=192.0.2.1").text == "911\n"


def test_guesses_at_the_same_time_count_like_others_and_are_checked_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check costs 19 MiB and a core: a crowd must not take all the memory, nor guess past the limit."""
    lock, running, peak = threading.Lock(), 0, 0

    def slowly(*_: str) -> bool:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        threading.Event().wait(0.02)
        with lock:
            running -= 1
        return False

    monkeypatch.setattr(passwords, "right", slowly)
    with stand(tmp_path, limits={"guess": "3/hour"}) as gateway:

        async def crowd() -> list[int]:
            transport = httpx.ASGITransport(gateway.app, client=("192.0.2.9", 1))
            async with httpx.AsyncClient(transport=transport, base_url="https://gw", auth=("pc1", "x")) as client:
                answers = await asyncio.gather(*(client.get(f"/nic/update?hostname={NAME}") for _ in range(30)))
            return [answer.status_code for answer in answers]

        statuses = asyncio.run(crowd())
    assert (peak, set(statuses)) == (2, {401, 429})
    assert 3 <= statuses.count(401) <= 4  # one more may be under way when the third turns out wrong


@pytest.mark.parametrize("value", ["YES", "yes", "1"])
def test_a_host_that_says_it_is_offline_gets_no_address_published(router: Router, value: str) -> None:
    router.get(f"hostname={NAME}&myip=192.0.2.1")
    assert router.get(f"hostname={NAME}&myip=192.0.2.2&offline={value}").text == "!donator\n"
    assert router.gateway.dns.values() == ["192.0.2.1"]
    assert router.get(f"hostname={NAME}&myip=192.0.2.2&offline=NO").text == "good 192.0.2.2\n"
