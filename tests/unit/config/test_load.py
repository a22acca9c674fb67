"""Good settings: values, layers, origins."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.config.document import parse
from ddns.config.layers import Origin
from ddns.config.load import read
from ddns.config.schema import Duration, Gateway, Record, Settings
from ddns.errors import SettingsError
from ddns.model import Adopt, RecordType
from ddns.secret import SecretRef
from unit.config.shapes import Cloud, loaded

FULL = """\
schema = 1
[[record]]
name = "Home.Example.COM."
provider = "cf"
types = ["A", "AAAA"]
ttl = 60
proxied = true
adopt = "all"
[provider.cf]
kind = "cloud"
token = "dpapi:cf"
pause = "2s"
[gateway]
url = "https://gw.example.com"
[proof]
every = "24h"
servers = ["192.0.2.1:53", "[2001:db8::1]:53"]
[detect]
allow_private = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"]
sources = ["ipify", { url = "https://ip.example.com", operator = "me", families = [4] }]
"""


def test_every_kind_of_value() -> None:
    result = loaded(FULL)
    settings = result.settings
    assert settings.record == (
        Record(
            name="home.example.com",
            provider="cf",
            types=(RecordType.A, RecordType.AAAA),
            ttl=60,
            proxied=True,
            adopt=Adopt.ALL,
        ),
    )
    assert [type(kind) for kind in settings.record[0].types] == [RecordType, RecordType]
    assert settings.provider == {"cf": Cloud(token=SecretRef("dpapi:cf"), pause=Duration("2s"))}
    assert dict(result.kinds) == {"cf": "cloud"}
    assert settings.gateway == Gateway(url="https://gw.example.com")
    assert settings.proof.every.seconds == 86400
    assert settings.detect.allow_private == ("10.0.0.0/8", "fd00::/8", "192.0.2.7")


def test_the_least_file_is_all_defaults() -> None:
    assert loaded("schema = 1").settings == Settings(schema=1)


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfschema = 1\n", b"schema = 1\r\n[log]\r\nkeep = 5\r\n", b"schema = 1"])
def test_editors_habits_are_tolerated(data: bytes) -> None:
    assert loaded(data).settings == Settings(schema=1)


TABLES = ("detect", "proof", "retry", "log")


def test_the_stronger_layer_wins() -> None:
    text = 'schema = 1\n[log]\nkeep = 1\nlevel = "INFO"\nmax_bytes = 5000\n[retry]\nattempts = 1\nbase = "1s"\n'
    result = loaded(
        text,
        environ={"DDNS_LOG_KEEP": "2", "DDNS_LOG_LEVEL": "WARN", "DDNS_RETRY_ATTEMPTS": "2", "DDNS_LOG_MAX_BYTES": ""},
        flags={"log": {"keep": 3, "level": "ERROR"}},
        policy={"log": {"keep": 4}},
    )
    settings = result.settings
    assert (settings.log.keep, settings.log.level, settings.log.max_bytes) == (4, "ERROR", 5000)
    assert (settings.retry.attempts, settings.retry.base) == (2, Duration("1s"))
    origins = result.origins
    assert origins["log.keep"] == Origin("policy", "policy")
    assert origins["log.level"] == Origin("flag", "flag")
    assert origins["log.max_bytes"] == Origin("file", "ddns.toml:5")
    assert origins["retry.attempts"] == Origin("environment", "DDNS_RETRY_ATTEMPTS")
    assert origins["retry.base"] == Origin("file", "ddns.toml:8")
    assert origins["retry.jitter"] == Origin("default", "")
    assert set(origins) | {"proxy.password"} == {"schema"} | {f"{t}.{f}" for t in (*TABLES, "proxy", "network", "tls")
                                         for f in getattr(settings, t).__struct_fields__}  # fmt: skip


def test_a_table_that_only_the_environment_has() -> None:
    assert loaded("schema = 1", environ={"DDNS_GATEWAY_URL": "https://gw.example.com"}).settings.gateway == Gateway(
        url="https://gw.example.com"
    )


def test_a_policy_reaches_into_a_provider_and_speaks_in_numbers_and_texts() -> None:
    policy = {"provider": {"cf": {"zone": "example.com"}}, "retry": {"attempts": "7"}, "detect": {"sources": ["aws"]}}
    settings = loaded(FULL, policy=policy).settings
    assert settings.provider["cf"] == Cloud(token=SecretRef("dpapi:cf"), pause=Duration("2s"), zone="example.com")
    assert settings.retry.attempts == 7
    assert settings.detect.sources == ("aws",)


@pytest.mark.parametrize("name", ["DDNS_CACHE", "DDNS_PWSH", "DDNS_LOG", "DDNS_", "DDNS_RECORD_NAME", "PATH"])
def test_variables_that_are_not_ours_are_passed_over(name: str) -> None:
    assert loaded("schema = 1", environ={name: "x"}).settings == Settings(schema=1)


def test_origins_of_records_and_providers() -> None:
    origins = loaded(FULL).origins
    assert origins["record[0].name"] == Origin("file", "ddns.toml:3")
    assert origins["record[0].types"] == Origin("file", "ddns.toml:5")
    assert origins["provider.cf.kind"] == Origin("file", "ddns.toml:10")
    assert origins["provider.cf.zone"] == Origin("default", "")
    assert origins["detect.sources[1].operator"] == Origin("file", "ddns.toml:20")
    assert origins["detect.sources[1].ca_file"] == Origin("default", "")


def test_a_default_may_be_written_with_the_same_meaning() -> None:
    settings = loaded(FULL).settings
    plain = msgspec.to_builtins(settings, enc_hook=str)
    assert msgspec.convert(plain["log"], type(settings.log)) == settings.log


def problems(data: str | bytes, **layers: Any) -> tuple[str, ...] | None:
    """The problems, each fit for a terminal; None when there is none."""
    try:
        loaded(data, **layers)
    except SettingsError as error:
        lines = error.problems
    else:
        return None
    assert all(line.isprintable() for line in lines)
    return lines


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_the_file_holds_the_end_is_settings_or_a_settings_error(data: bytes) -> None:
    told = problems(data)
    assert told is None or told


@given(
    st.dictionaries(
        st.sampled_from(["schema", "record", "provider", "detect", "proof", "gateway", "retry", "log", "x"]),
        st.recursive(
            st.integers() | st.text(max_size=3) | st.booleans() | st.floats(),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["cf", "kind", "name", "types", "sources", "every", "servers", "url", "provider"]),
                    inner,
                    max_size=3,
                )
            ),
        ),
    )
)
def test_whatever_a_policy_holds_the_end_is_settings_or_a_settings_error(policy: dict[str, object]) -> None:
    problems(FULL, policy=policy)


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    port: int
    key: SecretRef


class Server(msgspec.Struct, forbid_unknown_fields=True):
    listen: dict[str, Inner]
    zones: list[Inner] = []


def test_another_settings_file_is_read_in_the_same_words() -> None:
    good = read(b'[listen.a]\nport = 1\nkey = "env:K"', "gateway.toml", Server)
    assert good == Server(listen={"a": Inner(port=1, key=SecretRef("env:K"))})
    with pytest.raises(SettingsError) as caught:
        read(b'[listen.a]\nport = "x"\n[[zones]]\nprot = 3\nkey = "hunter2"\n', "gateway.toml", Server)
    assert caught.value.problems == (
        "gateway.toml:1: listen.a.key: required key is missing",
        'gateway.toml:2: listen.a.port: expected a whole number, found "x"',
        "gateway.toml:3: zones[0].port: required key is missing",
        'gateway.toml:4: zones[0].prot: unknown key; did you mean "port"?',
        (
            "gateway.toml:5: zones[0].key: expected a reference (env:NAME, file:PATH, dpapi:ID or keyring:ID), "
            "found a literal value; store the secret with `ddns secret set` and name it here"
        ),
    )


def test_parse_gives_the_tree() -> None:
    assert parse(b"a.b = 1", "x.toml")[1] == {"a": {"b": 1}}
