"""`ddns config` as a user sees it: whole outputs, files and exit codes."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ddns import host
from ddns.cli.config import config
from ddns.host.secrets import Vault
from ddns.runtime import loading, sourcing
from ddns.sources.http import HttpSource

CLOUDFLARE = """\
schema = 1
[[record]]
name = "home.example.com"
provider = "main"
[provider.main]
kind = "cloudflare"
token = "env:CLOUDFLARE_TOKEN"
[detect]
sources = ["ipify", "opendns"]
"""


@pytest.fixture(autouse=True)
def _no_policy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(host, "policy_file", lambda: str(tmp_path / "policy.toml"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def ddns_config(*arguments: str | Path, **environ: str) -> Result:
    wide = {"COLUMNS": "160", **environ}
    return CliRunner().invoke(config, [str(a) for a in arguments], prog_name="ddns config", env=wide)


def written(data: Path, text: str) -> Path:
    data.mkdir(exist_ok=True)
    (data / "ddns.toml").write_text(text)
    return data


def test_a_record_that_its_provider_can_t_keep_is_warned_of(data: Path) -> None:
    record = '[[record]]\nname = "note.example.com"\nprovider = "he"\ntypes = ["TXT"]\nvalue = "a"\n'
    provider = '[provider.he]\nkind = "dyndns2"\nurl = "https://dyn.example.org/nic/update"\n'
    provider += 'username = "u"\npassword = "env:HOME"\n'
    result = ddns_config("validate", "--data", written(data, f"schema = 1\n{record}{provider}"))
    assert (result.stderr, result.exit_code) == (
        "warning: ddns.toml:5: record[0]: a provider of kind dyndns2 keeps no TXT records\n",
        0,
    )


def test_init_writes_what_was_asked_for_and_it_is_valid(data: Path) -> None:
    asked = ["--name", "home.example.com", "--name", "Nas.example.com", "--type", "A", "--type", "AAAA", "--ttl", "60"]
    result = ddns_config("init", "--data", data, *asked, "--provider", "cloudflare", "--set", "zone=example.com")
    assert (result.output, result.exit_code) == (f"wrote {data}/ddns.toml\n", 0)
    result = ddns_config("validate", "--data", data)
    assert (result.stdout, result.exit_code) == (f"{data}/ddns.toml is valid; records: 2, providers: 1\n", 0)
    assert result.stderr == (
        f"warning: ddns.toml:35: provider.main.token: the secret file:main-token is not in {data}/secrets; "
        f"store it with: ddns secret set main-token --data {data}\n"
    )
    lines = [line for line in (data / "ddns.toml").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == [
        "schema = 1",
        "[[record]]",
        'name = "home.example.com"',
        'provider = "main"',
        'types = ["A", "AAAA"]',
        "ttl = 60",
        "[[record]]",
        'name = "Nas.example.com"',
        'provider = "main"',
        'types = ["A", "AAAA"]',
        "ttl = 60",
        "[provider.main]",
        'kind = "cloudflare"',
        'token = "file:main-token"',
        'zone = "example.com"',
        "[detect]",
        "[proof]",
        "[proxy]",
        "[network]",
        "[tls]",
        "[retry]",
        "[log]",
    ]


def test_init_does_not_drop_what_needs_a_name(data: Path) -> None:
    for options in (["--provider", "cloudflare"], ["--set", "zone=example.com"], ["--ttl", "60"], ["--id", "dns"]):
        result = ddns_config("init", "--data", data, *options)
        assert result.exit_code == 2
        assert "--provider, --id, --set, --type and --ttl need --name" in result.output
    assert not data.exists() or not list(data.iterdir())


def test_init_refuses_an_id_that_no_secret_could_have(data: Path) -> None:
    asked = ["--name", "home.example.com", "--provider", "cloudflare", "--id", "a b"]
    result = ddns_config("init", "--data", data, *asked)
    assert result.exit_code == 2
    assert '--id: "a b" is no id for a provider' in result.output


def test_what_init_comments_out_is_the_default(data: Path) -> None:
    ddns_config("init", "--data", data, "--name", "home.example.com", "--provider", "cloudflare")
    proxy = (data / "ddns.toml").read_text().partition("[proxy]")[2]
    assert '\n#url = "none"\n' in proxy.partition("[network]")[0]


def test_init_for_the_fleet(data: Path) -> None:
    result = ddns_config("init", "--data", data, "--name", "pc7.dyn.example.com", "--gateway", "https://gw.example.com")
    assert result.exit_code == 0
    assert ddns_config("validate", "--data", data).exit_code == 0
    shown = json.loads(ddns_config("show", "--data", data, "--json").output)["data"]["values"]
    assert shown["provider.fleet.kind"]["value"] == "gateway"
    assert shown["provider.fleet.token"]["value"] == "file:gateway"
    assert shown["gateway.url"]["value"] == "https://gw.example.com"


def test_init_without_anything_is_a_valid_file_that_keeps_no_name(data: Path) -> None:
    assert ddns_config("init", "--data", data).exit_code == 0
    result = ddns_config("validate", "--data", data)
    assert (result.stdout, result.exit_code) == (f"{data}/ddns.toml is valid; records: 0, providers: 0\n", 0)
    assert result.stderr == f"warning: no records are set; add a [[record]] to {data}/ddns.toml\n"


def test_init_leaves_an_existing_file_alone_unless_forced(data: Path) -> None:
    written(data, "# mine\n")
    result = ddns_config("init", "--data", data)
    assert result.exit_code == 2
    assert f"Error: {data}/ddns.toml exists; --force replaces it\n" in result.output
    assert (data / "ddns.toml").read_text() == "# mine\n"
    assert ddns_config("init", "--data", data, "--force").exit_code == 0
    assert "schema = 1" in (data / "ddns.toml").read_text()


def test_init_lets_only_the_owner_read(data: Path) -> None:
    ddns_config("init", "--data", data)
    assert stat.S_IMODE((data / "ddns.toml").stat().st_mode) == 0o600
    assert [path.name for path in data.iterdir()] == ["ddns.toml"]


def test_init_in_a_folder_that_cannot_be(data: Path) -> None:
    data.write_text("a file where the folder should be")
    result = ddns_config("init", "--data", data / "deeper")
    assert result.stderr == (
        f"ddns: the settings' folder can't be made: {data}/deeper: Not a directory\n"
        f"Give this account the right to write in {data}/deeper.\n"
    )
    assert result.exit_code == 10


def test_init_for_a_server_with_a_key_needs_only_the_secret(data: Path) -> None:
    asked = ["--name", "home.example.com", "--provider", "rfc2136", "--set", "server=192.0.2.53"]
    result = ddns_config("init", "--data", data, *asked, "--set", "key_name=host1")
    assert (result.output, result.exit_code) == (f"wrote {data}/ddns.toml\n", 0)
    assert 'key = "file:main-key"\n' in (data / "ddns.toml").read_text()
    assert "store it with: ddns secret set main-key --data" in ddns_config("validate", "--data", data).stderr
    Vault(f"{data}/secrets").store("main-key", "c2VjcmV0")
    result = ddns_config("validate", "--data", data)
    assert (result.output, result.exit_code) == (f"{data}/ddns.toml is valid; records: 1, providers: 1\n", 0)


def test_init_names_a_ca_by_its_whole_path(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text("")
    monkeypatch.chdir(tmp_path)
    asked = ["--name", "pc7.dyn.example.com", "--gateway", "https://gw.example.com"]
    assert ddns_config("init", "--data", data, *asked, "--gateway-ca", "ca.pem").exit_code == 0
    shown = json.loads(ddns_config("show", "--data", data, "--json").output)["data"]["values"]
    assert shown["gateway.ca_file"]["value"] == f"{tmp_path}/ca.pem"


REFUSED = {
    "no provider": (["--name", "a.example.com"], "--name needs --provider, or --gateway"),
    "a kind nearly known": (
        ["--name", "a.example.com", "--provider", "cloudflair"],
        'unknown kind of provider "cloudflair"; did you mean "cloudflare"?',
    ),
    "a kind unknown": (
        ["--name", "a.example.com", "--provider", "route"],
        'unknown kind of provider "route"; the kinds are',
    ),
    "a key is needed": (
        ["--name", "a.example.com", "--provider", "rfc2136"],
        "this kind of provider needs a value: --set server=...",
    ),
    "no pair": (
        ["--name", "a.example.com", "--provider", "rfc2136", "--set", "server"],
        '--set: expected KEY=VALUE, found "server"',
    ),
    "a CA without a gateway": (["--gateway-ca", "ca.pem"], "--gateway-ca needs --gateway"),
    "a CA that is not there": (
        ["--gateway", "https://gw.example.com", "--gateway-ca", "ca.pem"],
        "--gateway-ca: there is no file ca.pem",
    ),
    "a bad name and a bad key": (
        ["--name", "☃.example.com", "--provider", "cloudflare", "--set", "zoen=x"],
        (
            "these are not valid settings:\n"
            '  record[0].name: "☃.example.com" is not a DNS name: it has characters that no name can hold\n'
            '  provider.main.zoen: unknown key; did you mean "zone"?\n'
        ),
    ),
    "a literal secret": (
        ["--name", "a.example.com", "--provider", "cloudflare", "--set", "token=v1.0-4f3a9c"],
        "found a literal value; store the secret",
    ),
}


@pytest.mark.parametrize(("arguments", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_init_refuses_what_would_not_be_valid_and_writes_nothing(data: Path, arguments: list[str], told: str) -> None:
    result = ddns_config("init", "--data", data, *arguments)
    assert result.exit_code == 2
    assert told in result.output
    assert "v1.0-4f3a9c" not in result.output
    assert not data.exists()


def test_validate_names_every_problem_and_ends_with_10(data: Path) -> None:
    written(data, CLOUDFLARE.replace("token", "tokn") + '[log]\nlevel = "LOUD"\n')
    result = ddns_config("validate", "--data", data, DDNS_RETRY_ATTEMPTS="99")
    assert result.output == (
        "ddns.toml:5: provider.main.token: required key is missing "
        "(Where the API token lies; it needs Zone.Zone read, Zone.DNS edit)\n"
        'ddns.toml:7: provider.main.tokn: unknown key; did you mean "token"?\n'
        'ddns.toml:11: log.level: expected one of "DEBUG", "INFO", "WARN", "ERROR", found "LOUD"\n'
        "environment DDNS_RETRY_ATTEMPTS: expected a whole number from 1 to 10, found 99\n"
    )
    assert result.exit_code == 10


def test_validate_as_json(data: Path) -> None:
    written(data, "schema = 2\n")
    result = ddns_config("validate", "--data", data, "--json")
    assert json.loads(result.output) == {
        "schema": 1,
        "command": "config validate",
        "data": {
            "file": f"{data}/ddns.toml",
            "valid": False,
            "problems": ["ddns.toml:1: schema: expected 1, found 2; this version of ddns reads schema 1 only"],
            "warnings": [],
        },
    }
    assert result.exit_code == 10
    written(data, CLOUDFLARE)
    result = ddns_config("validate", "--data", data, "--json")
    warning = (
        "ddns.toml:7: provider.main.token: "
        "the secret env:CLOUDFLARE_TOKEN is not there: the environment variable is not set"
    )
    assert json.loads(result.output)["data"] == {
        "file": f"{data}/ddns.toml",
        "valid": True,
        "problems": [],
        "warnings": [warning],
    }
    assert result.exit_code == 0


def test_validate_warns_of_a_missing_secret_in_a_table_within_a_table(data: Path) -> None:
    written(
        data,
        'schema = 1\n[provider.bridge]\nkind = "lexicon"\nprovider = "powerdns"\nzone = "example.com"\n'
        '[provider.bridge.secrets]\nauth_token = "env:LEXICON_TOKEN"\n',
    )
    result = ddns_config("validate", "--data", data)
    assert result.exit_code == 0
    assert (
        "provider.bridge.secrets.auth_token: "
        "the secret env:LEXICON_TOKEN is not there: the environment variable is not set" in result.output
    )


PROVIDERS = {
    "half a key": ('kind = "rfc2136"\nserver = "ns1"\nkey_name = "host1"', "key and key_name go together"),
    "no server": ('kind = "rfc2136"\nserver = "ns1:0"', "server: "),
    "no zone": ('kind = "rfc2136"\nserver = "ns1"\nzone = "a..b"', "zone: A DNS label is empty."),
    "a token in the clear": (
        'kind = "cloudflare"\ntoken = "env:T"\nurl = "http://api.example.com/?secret=canary"',
        "url: the secret would travel in the clear; use https, not http",
    ),
    "the same": ('kind = "desec"\ntoken = "env:T"\nurl = "http://api.example.com"', "url: the secret would travel"),
    "a URL with a password": (
        'kind = "dyndns2"\npassword = "env:T"\nusername = "me"\nurl = "https://me:canary@example.com"',
        "url: expected https://HOST/PATH without user name and password",
    ),
    "a colon": (
        'kind = "dyndns2"\npassword = "env:T"\nusername = "a:b"\nurl = "https://example.com"',
        "username must not hold a colon",
    ),
}


@pytest.mark.parametrize(("table", "told"), PROVIDERS.values(), ids=PROVIDERS.keys())
def test_validate_refuses_what_a_run_would(data: Path, table: str, told: str) -> None:
    written(data, f'schema = 1\n[[record]]\nname = "a.example.com"\nprovider = "main"\n[provider.main]\n{table}\n')
    result = ddns_config("validate", "--data", data)
    assert result.output.startswith(f"ddns.toml:5: provider.main: {told}")
    assert "canary" not in result.output
    assert result.exit_code == 10


@pytest.mark.parametrize("url", ["https://", "https://me:canary@gw.example.com", "https://gw.example.com:x"])
def test_validate_refuses_a_gateway_that_is_none(data: Path, url: str) -> None:
    written(data, CLOUDFLARE + f'[gateway]\nurl = "{url}"\n')
    result = ddns_config("validate", "--data", data)
    assert result.output.startswith("ddns.toml:11: gateway.url: ")
    assert "canary" not in result.output
    assert result.exit_code == 10


CA_FILES = """\
schema = 1
[detect]
sources = [
    "ipify",
    { url = "https://ip.example.com", operator = "own", ca_file = "tls/own.pem" },
]
[gateway]
url = "https://gw.example.com"
ca_file = "ca.pem"
"""


def test_a_relative_ca_file_begins_at_the_settings_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(data, CA_FILES)
    monkeypatch.chdir(tmp_path)
    result = ddns_config("validate", "--data", data)
    assert result.output == (
        f"ddns.toml:5: detect.sources[1].ca_file: there is no file {data}/tls/own.pem\n"
        f"ddns.toml:9: gateway.ca_file: there is no file {data}/ca.pem\n"
    )
    assert result.exit_code == 10
    (data / "tls").mkdir()
    (data / "tls" / "own.pem").write_text("")
    (data / "ca.pem").write_text("")
    assert ddns_config("validate", "--data", data).exit_code == 0
    loaded, _ = loading.load(host.places(str(data)))
    own, gateway = sourcing.build(loaded.settings)[1], loaded.settings.gateway
    assert isinstance(own, HttpSource)
    assert gateway is not None
    assert (own.ca_file, gateway.ca_file) == (f"{data}/tls/own.pem", f"{data}/ca.pem")
    assert loading.watched(loaded, Vault("")) == (f"file:{data}/ca.pem", f"file:{data}/tls/own.pem")


def test_validate_without_a_file(data: Path) -> None:
    result = ddns_config("validate", "--data", data)
    assert (result.output, result.exit_code) == (
        f"there are no settings at {data}/ddns.toml\nWrite them with: ddns config init --data {data}\n",
        10,
    )


def test_show_tells_the_origin_of_each_value(data: Path, tmp_path: Path) -> None:
    written(data, CLOUDFLARE)
    (tmp_path / "policy.toml").write_text('[log]\nlevel = "WARN"\n')
    result = ddns_config("show", "--data", data, DDNS_DETECT_TIMEOUT="5s", DDNS_LOG_LEVEL="DEBUG")
    assert [re.split("  +", line.rstrip()) for line in result.output.splitlines()] == [
        ["key", "value", "origin"],
        ["schema", "1", "file (ddns.toml:1)"],
        ["record[0].name", '"home.example.com"', "file (ddns.toml:3)"],
        ["record[0].provider", '"main"', "file (ddns.toml:4)"],
        ["record[0].types", '["A"]', "default"],
        ["record[0].adopt", '"single"', "default"],
        ["provider.main.kind", '"cloudflare"', "file (ddns.toml:6)"],
        ["provider.main.token", '"env:CLOUDFLARE_TOKEN"', "file (ddns.toml:7)"],
        ["provider.main.zone", '""', "default"],
        ["provider.main.url", '"https://api.cloudflare.com/client/v4"', "default"],
        ["detect.sources", '["ipify", "opendns"]', "file (ddns.toml:9)"],
        ["detect.probe4", '""', "default"],
        ["detect.probe6", '""', "default"],
        ["detect.allow_private", "[]", "default"],
        ["detect.networks", "[]", "default"],
        ["detect.timeout", '"5s"', "environment (DDNS_DETECT_TIMEOUT)"],
        ["proof.every", '"6h"', "default"],
        ["proof.settle", '"120s"', "default"],
        ["proof.watch", '"0s"', "default"],
        ["proof.servers", "[]", "default"],
        ["proxy.url", '"none"', "default"],
        ["proxy.user", '""', "default"],
        ["proxy.no_proxy", "[]", "default"],
        ["network.source4", '""', "default"],
        ["network.source6", '""', "default"],
        ["network.interface", '""', "default"],
        ["tls.ca_file", '""', "default"],
        ["retry.policy", '"exponential"', "default"],
        ["retry.attempts", "5", "default"],
        ["retry.base", '"100ms"', "default"],
        ["retry.jitter", '"100ms"', "default"],
        ["log.level", '"WARN"', "policy"],
        ["log.max_bytes", "1000000", "default"],
        ["log.keep", "5", "default"],
    ]


def test_show_as_json(data: Path) -> None:
    written(data, CLOUDFLARE)
    answer = json.loads(ddns_config("show", "--data", data, "--json", DDNS_DETECT_TIMEOUT="5s").output)
    values = answer["data"].pop("values")
    assert answer == {"schema": 1, "command": "config show", "data": {"file": f"{data}/ddns.toml"}}
    assert values["record[0].name"] == {"value": "home.example.com", "layer": "file", "where": "ddns.toml:3"}
    assert values["detect.timeout"] == {"value": "5s", "layer": "environment", "where": "DDNS_DETECT_TIMEOUT"}
    assert values["retry.attempts"] == {"value": 5, "layer": "default", "where": ""}


def test_show_of_bad_settings_tells_the_problems(data: Path) -> None:
    written(data, "schema = 1\n[dtect]\n")
    result = ddns_config("show", "--data", data)
    assert result.output == (
        "ddns: ddns.toml has 1 problem\n"
        '  ddns.toml:2: dtect: unknown key; did you mean "detect"?\n'
        f"Correct the settings, then check them with: ddns config validate --data {data}\n"
    )
    assert result.exit_code == 10


def test_show_keeps_control_characters_from_the_terminal(data: Path) -> None:
    written(data, CLOUDFLARE.replace('"env:CLOUDFLARE_TOKEN"', '"file:\\u001b]0;[red]x"'))
    result = ddns_config("show", "--data", data)
    assert '"file:\\u001b]0;[red]x"' in result.output
    assert "\x1b" not in result.output


def test_schema_is_the_json_schema() -> None:
    result = ddns_config("schema")
    described = json.loads(result.output)
    assert described["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert result.exit_code == 0
    assert json.loads(ddns_config("schema", "--json").output)["data"] == described
    assert ddns_config("schema", "--markdown").output.startswith("# Settings\n")


@pytest.mark.parametrize("command", ["init", "validate", "show", "schema"])
def test_each_command_has_help(command: str) -> None:
    result = ddns_config(command, "--help")
    assert result.output.startswith(f"Usage: ddns config {command} [OPTIONS]\n")
    assert result.exit_code == 0
