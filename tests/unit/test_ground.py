"""The servers that other tests stand on."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update
import httpx
import pytest

from ground.bind import ALGORITHM, HOST, Answer, Bind
from ground.echo import Echo, Fault
from ground.tls import Authority
from ground.whoami import Fault as WhoamiFault
from ground.whoami import Whoami


def test_bind_holds_what_is_put_behind_the_clients_back(bind: Bind, fresh_name: Callable[..., str]) -> None:
    name = fresh_name()
    assert bind.query(name) is None
    bind.alter(name, "A", "203.0.113.9", "203.0.113.8", ttl=30)
    assert bind.query(name) == Answer(("203.0.113.8", "203.0.113.9"), 30)
    bind.alter(name)
    assert bind.query(name) is None


def test_bind_refuses_a_key_without_the_right(bind: Bind, fresh_name: Callable[..., str]) -> None:
    keyring = dns.tsigkeyring.from_text({bind.stranger.name: (ALGORITHM, bind.stranger.secret)})
    update = dns.update.UpdateMessage("example.test", keyring=keyring)
    update.add(dns.name.from_text(fresh_name()), 60, "A", "203.0.113.1")
    assert dns.query.tcp(update, HOST, timeout=5, port=bind.port).rcode() == dns.rcode.REFUSED


def test_bind_survives_an_outage_on_the_same_port(bind: Bind, fresh_name: Callable[..., str]) -> None:
    name, port = fresh_name(), bind.port
    bind.alter(name, "A", "203.0.113.3")
    bind.stop()
    with pytest.raises((dns.exception.Timeout, OSError)):
        dns.query.tcp(dns.message.make_query(name, "A"), HOST, timeout=1, port=port)
    bind.start()
    assert bind.port == port
    assert bind.query(name) == Answer(("203.0.113.3",), 60)


def test_a_hung_bind_does_not_answer(bind: Bind) -> None:
    bind.hang()
    with pytest.raises(dns.exception.Timeout):
        dns.query.udp(dns.message.make_query("example.test", "SOA"), HOST, timeout=0.2, port=bind.port)
    bind.resume()
    assert bind.query("ns.example.test") is not None


def test_an_echo_service_tells_its_address_over_tls(echo: Callable[..., Echo], ca: Authority) -> None:
    service = echo("198.51.100.7")
    context = ca.client()
    assert httpx.get(service.url, verify=context).text == "198.51.100.7\n"
    service.address = "198.51.100.8"
    assert httpx.get(service.url, verify=context).text == "198.51.100.8\n"
    assert service.hits == 2


def test_a_client_that_distrusts_the_test_authority_gets_nothing(echo: Callable[..., Echo]) -> None:
    service = echo("198.51.100.7")
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(service.url, timeout=5)
    assert service.hits == 0


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (Fault.REDIRECT, httpx.Response(302)),
        (Fault.UNAVAILABLE, httpx.Response(503)),
        (Fault.HALF_A_BODY, httpx.RemoteProtocolError),
        (Fault.RESET, (httpx.ReadError, httpx.RemoteProtocolError)),
        (Fault.SILENCE, httpx.ReadTimeout),
    ],
)
@pytest.mark.parametrize("tls", [True, False])
def test_an_echo_service_misbehaves_as_told(
    echo: Callable[..., Echo], ca: Authority, fault: Fault, seen: Any, tls: bool
) -> None:
    service = echo("198.51.100.7", tls=tls)
    service.fault = fault
    with httpx.Client(verify=ca.client(), timeout=0.5) as client:
        if isinstance(seen, httpx.Response):
            assert client.get(service.url).status_code == seen.status_code
        else:
            with pytest.raises(seen):
                client.get(service.url)


def test_whoami_answers_with_the_address_and_with_given_records(whoami: Callable[..., Whoami]) -> None:
    server = whoami("198.51.100.7")
    server.records["home.example.test", "A"] = ("203.0.113.5",)

    def ask(name: str, kind: str) -> list[str]:
        response = dns.query.udp(dns.message.make_query(name, kind), HOST, timeout=5, port=server.port)
        return [rdata.to_text() for rrset in response.answer for rdata in rrset]

    assert ask("whoami.test", "A") == ["198.51.100.7"]
    assert ask("whoami.test", "TXT") == ['"198.51.100.7"']
    assert ask("whoami.test", "AAAA") == []
    assert ask("home.example.test", "A") == ["203.0.113.5"]
    assert server.questions[-1] == ("home.example.test", "A")


def test_a_silent_whoami_is_silent(whoami: Callable[..., Whoami]) -> None:
    server = whoami("198.51.100.7")
    server.fault = WhoamiFault.SILENCE
    with pytest.raises(dns.exception.Timeout):
        dns.query.udp(dns.message.make_query("whoami.test", "A"), HOST, timeout=0.2, port=server.port)
