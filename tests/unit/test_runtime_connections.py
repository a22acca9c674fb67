"""From settings to the ways out: proxies, addresses, the lock; and what of it the cheap path must know."""

from __future__ import annotations

import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from ddns import host
from ddns.address import Family
from ddns.config.load import Loaded
from ddns.errors import LeaseUnavailable, SettingsError
from ddns.host import adapters, route
from ddns.host.addresses import LocalAddress
from ddns.host.secrets import Vault
from ddns.net import ways
from ddns.net.proxies import Hop
from ddns.net.ways import Ways
from ddns.ports import Deadline, HttpRequest, Tools
from ddns.protocol import Identity
from ddns.runtime import compose, connections, loading
from ddns.runtime.looking import NoLog
from unit.fakes import FakeClock, FakeNet

LOCK = '[lock]\nkind = "redis"\nurl = "rediss://locks.example.com"\nsecret = "file:lock"\nca_file = "ca.pem"\n'


@pytest.fixture
def places(tmp_path: Path) -> host.Places:
    (tmp_path / "secrets").mkdir()
    for name in ("ca.pem", "tls.pem"):
        (tmp_path / name).write_text("x")
    (tmp_path / "secrets" / "lock").write_text("canary-lock")
    (tmp_path / "secrets" / "proxy").write_text("canary-proxy")
    return host.places(str(tmp_path))


def loaded(places: host.Places, text: str) -> Loaded:
    Path(places.config_file).write_text("schema = 1\n" + text)
    return loading.load(places)[0]


def vault(places: host.Places) -> Vault:
    return Vault(places.secrets, "")


def test_how_the_network_is_used(places: host.Places) -> None:
    text = (
        '[proxy]\nurl = "http://proxy.example:3128"\nuser = "pc"\npassword = "file:proxy"\nno_proxy = ["lan"]\n'
        '[network]\nsource4 = "192.0.2.9"\ninterface = "eth7"\n[tls]\nca_file = "tls.pem"\n'
    )
    settings = loaded(places, text).settings
    made = connections.ways(settings, vault(places).resolve)
    assert (made.source4, made.source6, made.interface) == ("192.0.2.9", "", "eth7")
    assert made.beside == os.path.join(places.config, "tls.pem")
    assert made.proxies.hop("https://api.example.test/") == Hop("http://proxy.example:3128", (b"pc", b"canary-proxy"))
    assert made.proxies.hop("https://nas.lan/") is None
    assert connections.ways(loaded(places, "").settings, vault(places).resolve).proxies.hop("https://x.test/") is None


def test_where_a_socket_takes_no_interface_its_addresses_are_taken(
    places: host.Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = loaded(places, '[network]\ninterface = "Ethernet 2"\n').settings
    found = [
        LocalAddress("Ethernet", ip_address("192.0.2.1")),
        LocalAddress("Ethernet 2", ip_address("192.0.2.9")),
        LocalAddress("Ethernet 2", ip_address("fe80::9")),
        LocalAddress("Ethernet 2", ip_address("2001:db8::8"), temporary=True),
        LocalAddress("Ethernet 2", ip_address("2001:db8::9")),
    ]
    monkeypatch.setattr(adapters, "read", lambda: found)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(sys, "platform", "win32")
        made = connections.ways(settings, vault(places).resolve)
        assert (made.source4, made.source6) == ("192.0.2.9", "2001:db8::9")
        found.clear()
        with pytest.raises(SettingsError, match="there is no interface Ethernet 2 with an address"):
            connections.ways(settings, vault(places).resolve)


def test_a_source_address_is_a_route(places: host.Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "source_address", lambda _family: "")
    here = connections.route(loaded(places, '[network]\nsource6 = "2001:db8::9"\n').settings)
    assert (here(Family.V4), here(Family.V6)) == (False, True)


def test_what_decides_a_run_is_watched(places: host.Places) -> None:
    found = loading.watched(loaded(places, LOCK + '[tls]\nca_file = "tls.pem"\n'), vault(places))
    assert found is not None
    assert {os.path.basename(item) for item in found} >= {"ca.pem", "tls.pem", "lock"}


@pytest.mark.parametrize(
    ("platform", "text", "cheap"),
    [
        ("linux", "", True),
        ("linux", '[network]\nsource4 = "192.0.2.9"\nsource6 = "2001:db8::9"\ninterface = "eth0"\n', True),
        ("win32", '[network]\nsource4 = "192.0.2.9"\n', True),
        ("win32", '[network]\ninterface = "Ethernet"\n', False),
        ("linux", 'network = { source4 = "192.0.2.9" }\n', False),
        ("linux", '[network]\nsource4 = "192.0.2.9" # here\n', False),
        ("linux", '[network]\n  source6 = "2001:db8::9"\n', False),
        ("linux", "[network]\ninterface = 'eth0'\n", False),
        ("linux", '[network]\n[log]\nlevel = """INFO"""\n[alerts]\nheartbeat = """\nsource4 = "x"\n"""\n', False),
    ],
)
def test_the_cheap_question_leaves_as_all_else_does_or_is_not_asked(
    places: host.Places, monkeypatch: pytest.MonkeyPatch, platform: str, text: str, cheap: bool
) -> None:
    data = ("schema = 1\n" + text).encode()
    settings = loaded(places, text if "alerts" not in text else "").settings
    monkeypatch.setattr(sys, "platform", platform)
    assert connections.cheap(settings, data) == cheap


def test_the_environment_s_way_out_comes_first(places: host.Places, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[network]\nsource4 = "192.0.2.9"\n'
    monkeypatch.setenv("DDNS_NETWORK_SOURCE4", "192.0.2.8")
    monkeypatch.setenv("DDNS_NETWORK_INTERFACE", "eth0")
    assert connections.cheap(loaded(places, text).settings, text.encode())
    monkeypatch.setenv("DDNS_NETWORK_SOURCE4", "")
    settings = loaded(places, text).settings
    same = settings.network.source4 == "192.0.2.9"
    assert connections.cheap(settings, text.encode()) == same


@pytest.mark.parametrize("key", ["cert_file", "ca_file"])
def test_a_file_of_the_lock_that_is_not_there(places: host.Places, key: str) -> None:
    text = f'[lock]\nkind = "redis"\nurl = "rediss://locks.example.com"\n{key} = "gone.pem"\n'
    with pytest.raises(SettingsError) as caught:
        loaded(places, text)
    assert f"lock.{key}: there is no file" in caught.value.problems[0]


def test_a_secret_of_the_lock_or_the_proxy_that_is_not_there_is_told(places: host.Places) -> None:
    text = (
        LOCK.replace("file:lock", "file:gone")
        + '[proxy]\nurl = "http://proxy.example:3128"\nuser = "pc"\npassword = "file:none"\n'
    )
    told = loading.warnings(loaded(places, text), places)
    assert [line.split(": ")[1] for line in told[1:]] == ["proxy.password", "lock.secret"]


def test_a_lock_at_the_gateway_signs_its_requests(places: host.Places) -> None:
    identity = Identity("h1", bytes(32), "gw.example.test").text()
    (Path(places.secrets) / "gateway").write_text(identity)
    text = '[gateway]\nurl = "https://gw.example.test"\n[lock]\nkind = "gateway"\nsecret = "file:gateway"\n'
    settings = loaded(places, text).settings
    sent: list[HttpRequest] = []

    class Net(FakeNet):
        def http(self, request, **options):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN003, ANN202 - the base's
            sent.append(request)
            return super().http(request, **options)

    clock = FakeClock()
    tools = Tools(net=Net(), clock=clock, resolve=vault(places).resolve, gateway_url="https://gw.example.test")
    lock = connections.lock(settings, tools, NoLog())
    assert lock is not None
    with pytest.raises(LeaseUnavailable, match="no answer"):
        lock.acquire(Deadline(clock, 10.0))
    assert sent[0].url == "https://gw.example.test/v1/lease"
    assert sent[0].headers["Authorization"].startswith("DDNS1 host=h1,")


def test_a_run_takes_the_ways_of_its_settings(places: host.Places) -> None:
    from ddns.runtime import RunRequest
    from ddns.runtime.looking import NoState

    seams = compose.Seams(net=FakeNet)
    try:
        for text, source in (('[network]\nsource4 = "192.0.2.9"\n', "192.0.2.9"), ("", "")):
            compose.world(
                loaded(places, text),
                RunRequest(None),
                NoState().recall(),
                NoState(),
                vault(places),
                NoLog(),
                "t",
                seams,
            )
            assert ways.current().source4 == source
    finally:
        ways.use(Ways())


def test_a_run_that_writes_nothing_imports_no_lock_server() -> None:
    code = (
        "import sys, ddns.runtime.full\n"
        "sys.exit(any(name in sys.modules for name in ('redis', 'ddns.lease.redis', 'ddns.lease.etcd')))"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environ).returncode == 0
