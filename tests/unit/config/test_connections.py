"""The rules of [lock], [proxy], [network]: what is refused, and in which words."""

from __future__ import annotations

import pytest

from ddns.config.schema import Lock, Network, Proxy
from ddns.errors import SettingsError
from unit.config.shapes import loaded

LOCK = '[lock]\nkind = "redis"\nurl = "rediss://locks.example.com"\n'
GATEWAY = '[gateway]\nurl = "https://gw.example.com"\n'


def problems(text: str, policy: dict[str, object] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        loaded(f"schema = 1\n{text}", policy=policy or {})
    return [problem.partition(": ")[2] for problem in caught.value.problems]


@pytest.mark.parametrize(
    "text",
    [
        LOCK,
        LOCK + 'user = "pc"\nsecret = "file:lock"\nttl = "10m"\nname = "office-1"\n',
        '[lock]\nkind = "redis"\nurl = "redis://10.0.0.9:6380/3"\n',
        '[lock]\nkind = "redis"\nurl = "redis://127.0.0.1/0"\nsecret = "file:lock"\n',
        '[lock]\nkind = "etcd"\nurl = "https://etcd.example.com:2379"\ncert_file = "c.pem"\nkey_file = "k.pem"\n',
        '[lock]\nkind = "etcd"\nurl = "https://etcd.example.com"\nuser = "pc"\nsecret = "env:LOCK"\n',
        GATEWAY + '[lock]\nkind = "gateway"\nsecret = "file:gateway"\n',
    ],
)
def test_a_lock(text: str) -> None:
    assert isinstance(loaded(f"schema = 1\n{text}").settings.lock, Lock)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[lock]\nkind = "redis"\n', "lock.url: required key is missing (where redis is)"),
        (
            '[lock]\nkind = "consul"\nurl = "x"\n',
            'lock.kind: expected one of "redis", "etcd", "gateway", found "consul"',
        ),
        (
            '[lock]\nkind = "redis"\nurl = "https://x"\n',
            "lock.url: expected redis://HOST:PORT or rediss://HOST:PORT",
        ),
        (
            '[lock]\nkind = "redis"\nurl = "rediss://u:canary@x"\n',
            "lock.url: expected no user and password in it: set user, and secret",
        ),
        (
            '[lock]\nkind = "redis"\nurl = "redis://locks.example.com"\nsecret = "file:lock"\n',
            "lock.url: the secret would travel in the clear; use rediss, not redis",
        ),
        (
            '[lock]\nkind = "redis"\nurl = "rediss://x/two"\n',
            'lock.url: expected a database number after the host, found "/two"',
        ),
        (
            '[lock]\nkind = "etcd"\nurl = "http://etcd.example.com"\n',
            "lock.url: the secret would travel in the clear; use https, not http",
        ),
        ('[lock]\nkind = "etcd"\nurl = "https://x"\nuser = "pc"\n', "lock.secret: user and secret go together"),
        ('[lock]\nkind = "etcd"\nurl = "https://x"\nsecret = "env:X"\n', "lock.user: user and secret go together"),
        (LOCK + 'key_file = "k.pem"\n', "lock.key_file: it is the key of cert_file, which is not set"),
        (LOCK + 'ttl = "5s"\n', "lock.ttl: expected 30s to 10m, found 5s: a write must end before its lease"),
        (LOCK + 'ttl = "1h"\n', "lock.ttl: expected 30s to 10m, found 1h: a write must end before its lease"),
        (GATEWAY + '[lock]\nkind = "gateway"\n', "lock.secret: required key is missing (the identity that"),
        (
            GATEWAY + '[lock]\nkind = "gateway"\nsecret = "file:gateway"\nurl = "https://x"\n',
            "lock.url: not of a lease at the gateway: [gateway] says where that is",
        ),
        (
            '[lock]\nkind = "gateway"\nsecret = "file:gateway"\n',
            'lock.kind: "gateway" keeps the lease at the own gateway, but there is no table [gateway]',
        ),
        (
            '[proxy]\nurl = "socks5://proxy:1080"\n',
            'proxy.url: a SOCKS proxy is not spoken here: "socks5://proxy:1080". Put a local HTTP forwarder in',
        ),
        ('[proxy]\nurl = "https://proxy:3128"\n', "proxy.url: TLS to the proxy itself is not spoken here: "),
        (
            '[proxy]\nurl = "http://wpad.example/proxy.pac"\n',
            'proxy.url: a script (PAC) is not run here: "http://wpad.example/proxy.pac"; name the proxy that it',
        ),
        (
            '[proxy]\nurl = "proxy:3128"\n',
            'proxy.url: expected http://HOST:PORT, "system" or "none", found "proxy:3128"',
        ),
        ('[proxy]\nurl = "socks5://u:canary@proxy:1080"\n', "proxy.url: expected no user and password in it"),
        ('[proxy]\nurl = "http://proxy"\n', 'proxy.url: expected http://HOST:PORT, "system" or "none"'),
        (
            '[proxy]\nurl = "http://u:canary@proxy:1"\n',
            "proxy.url: expected no user and password in it: set user, and password",
        ),
        ('[proxy]\nurl = "system"\nuser = "pc"\n', "proxy.user: it goes with the url of a proxy"),
        (
            '[proxy]\nurl = "http://proxy:3128"\npassword = "env:P"\n',
            "proxy.user: it is missing beside the password",
        ),
        ('[network]\nsource4 = "2001:db8::1"\n', 'network.source4: expected an IPv4 address, found "2001:db8::1"'),
        ('[network]\nsource6 = "eth0"\n', 'network.source6: expected an IPv6 address, found "eth0"'),
        ('[network]\ninterface = "a/b"\n', 'network.interface: expected the name of an interface, found "a/b"'),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    found = problems(text)
    assert any(problem.startswith(said) for problem in found), found
    assert "canary" not in "".join(found)


@pytest.mark.parametrize("key", [("lock", "secret"), ("proxy", "password")])
def test_a_secret_is_not_set_by_policy(key: tuple[str, str]) -> None:
    table, name = key
    text = LOCK + '[proxy]\nurl = "http://proxy:3128"\nuser = "pc"\n'
    found = problems(text, policy={table: {name: "env:X"}})
    assert [problem for problem in found if "not set by policy" in problem]


def test_a_proxy_and_a_network() -> None:
    settings = loaded(
        'schema = 1\n[proxy]\nurl = "http://proxy.example:3128"\nuser = "pc"\npassword = "env:P"\n'
        'no_proxy = ["10.0.0.0/8", ".corp.example"]\n'
        '[network]\nsource4 = "192.0.2.9"\nsource6 = "2001:db8::9"\ninterface = "Ethernet 2"\n'
    ).settings
    assert (settings.proxy.url, settings.proxy.no_proxy) == (
        "http://proxy.example:3128",
        ("10.0.0.0/8", ".corp.example"),
    )
    assert settings.network == Network(source4="192.0.2.9", source6="2001:db8::9", interface="Ethernet 2")
    assert loaded("schema = 1").settings.proxy == Proxy()
