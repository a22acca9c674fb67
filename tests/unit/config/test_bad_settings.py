"""The table of bad settings: what is written, and the exact words that come back, with exit code 10."""

from __future__ import annotations

from typing import Any

import pytest

from ddns.errors import Exit, SettingsError
from unit.config.shapes import loaded

TYPES = 'one of "A", "AAAA", "CNAME", "TXT"'
HEAD = "schema = 1\n"
CLOUD = '[provider.cf]\nkind = "cloud"\ntoken = "env:TOKEN"\n'
RECORD = '[[record]]\nname = "home.example.com"\nprovider = "cf"\n'
SECRET = "v1.0-4f3a9c"


def problems(text: str | bytes, **layers: Any) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        loaded(text, **layers)
    assert caught.value.exit is Exit.SETTINGS
    assert int(caught.value.exit) == 10
    count = len(caught.value.problems)
    assert caught.value.message == f"ddns.toml has {count} problem{'s' if count > 1 else ''}"
    return list(caught.value.problems)


BAD_FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", 'ddns.toml:1: schema: required key is missing; begin the file with "schema = 1"'),
    "schema of the future": (
        "schema = 2",
        "ddns.toml:1: schema: expected 1, found 2; this version of ddns reads schema 1 only",
    ),
    "schema of a wrong type": (
        'schema = "1"',
        'ddns.toml:1: schema: expected 1, found "1"; this version of ddns reads schema 1 only',
    ),
    "not TOML": (HEAD + "detect = {", "ddns.toml:2: not TOML: invalid initial character for a key part"),
    "not TOML within": ("a = 1\nb = = 2\nc = 3", "ddns.toml:2: not TOML: invalid value"),
    "a key twice": ("schema = 1\nschema = 1\n", "ddns.toml:2: not TOML: cannot overwrite a value"),
    "a Windows path in double quotes": (
        HEAD + '[gateway]\nca_file = "C:\\Users"',
        "ddns.toml:3: not TOML: invalid hex value",
    ),
    "JSON": ('{"schema": 1}', "ddns.toml:1: not TOML: invalid statement"),
    "not UTF-8": (b"schema = 1\n# \xfc\n", "ddns.toml:2: not UTF-8; save the file as UTF-8"),
    "UTF-16": ("schema = 1".encode("utf-16"), "ddns.toml:1: not UTF-8; save the file as UTF-8"),
    "too large": ("#" * (1 << 20) + "\n", "ddns.toml: larger than 1 MiB; this is not a settings file"),
    "lists without end": (
        "a = " + "[" * 5000,
        "ddns.toml: too long a number, or too deep a list, for a settings file",
    ),
    "a number without end": (
        "a = " + "1" * 5000,
        "ddns.toml: too long a number, or too deep a list, for a settings file",
    ),
    "unknown table": (HEAD + "[dedect]\n", 'ddns.toml:2: dedect: unknown key; did you mean "detect"?'),
    "unknown table unlike any": (HEAD + "[webserver]\n", "ddns.toml:2: webserver: unknown key"),
    "unknown key": (HEAD + '[log]\nlevle = "INFO"\n', 'ddns.toml:3: log.levle: unknown key; did you mean "level"?'),
    "unknown key of a record": (
        HEAD + CLOUD + RECORD + 'tpyes = ["A"]\n',
        'ddns.toml:8: record[0].tpyes: unknown key; did you mean "types"?',
    ),
    "unknown key of a provider": (
        HEAD + CLOUD + f'tokne = "{SECRET}"',
        'ddns.toml:5: provider.cf.tokne: unknown key; did you mean "token"?',
    ),
    "unknown key with a control character": (HEAD + '"\\u001b[2J" = 1', 'ddns.toml:2: "\\u001b[2J": unknown key'),
    "a number for text": (
        HEAD + CLOUD + "zone = 7\n",
        "ddns.toml:5: provider.cf.zone: expected text, found 7",
    ),
    "text for a number": (
        HEAD + '[retry]\nattempts = "5"\n',
        'ddns.toml:3: retry.attempts: expected a whole number from 1 to 10, found "5"',
    ),
    "a fraction": (
        HEAD + "[retry]\nattempts = 2.5\n",
        "ddns.toml:3: retry.attempts: expected a whole number from 1 to 10, found 2.5",
    ),
    "too great a number": (
        HEAD + "[retry]\nattempts = 11\n",
        "ddns.toml:3: retry.attempts: expected a whole number from 1 to 10, found 11",
    ),
    "far too great a number": (
        HEAD + "[log]\nmax_bytes = 99999999999999999999999999\n",
        (
            "ddns.toml:3: log.max_bytes: expected a whole number from 4096 to 1000000000, "
            "found a number that is too large"
        ),
    ),
    "text for true or false": (
        HEAD + CLOUD + 'strict = "yes"\n',
        'ddns.toml:5: provider.cf.strict: expected true or false, found "yes"',
    ),
    "a date": (HEAD + CLOUD + "zone = 2020-01-01\n", "ddns.toml:5: provider.cf.zone: expected text, found a date"),
    "a text for a list": (
        HEAD + CLOUD + RECORD + 'types = "A"\n',
        f'ddns.toml:8: record[0].types: expected a list, each {TYPES}, at least 1 of them, found "A"',
    ),
    "an empty list of types": (
        HEAD + CLOUD + RECORD + "types = []\n",
        f"ddns.toml:8: record[0].types: expected a list, each {TYPES}, at least 1 of them, found a list",
    ),
    "an unknown type": (
        HEAD + CLOUD + RECORD + 'types = [\n  "A",\n  "AAA"\n]\n',
        f'ddns.toml:10: record[0].types[1]: expected {TYPES}, found "AAA"; did you mean "AAAA"?',
    ),
    "a type whose value is not said": (
        HEAD + CLOUD + RECORD + 'types = ["TXT"]\n',
        "ddns.toml:5: record[0].value: required key is missing: what the TXT record holds",
    ),
    "a value of an address": (
        HEAD + CLOUD + RECORD + 'value = "192.0.2.1"\n',
        (
            "ddns.toml:8: record[0].value: only CNAME and TXT have a value of their own; "
            "A and AAAA hold the detected address"
        ),
    ),
    "a value for two types": (
        HEAD + CLOUD + RECORD + 'value = "a.example"\ntypes = ["TXT", "A"]\n',
        'ddns.toml:9: record[0].types: "TXT" needs a [[record]] of its own: its value is not that of other types',
    ),
    "a CNAME beside an address": (
        HEAD + CLOUD + RECORD + RECORD + 'value = "a.example"\ntypes = ["CNAME"]\n',
        'ddns.toml:9: record[1].name: "home.example.com" can\'t have CNAME and A (of record[0]): a CNAME stands alone',
    ),
    "an alias of no name": (
        HEAD + CLOUD + RECORD + 'value = "10.0.0.1"\ntypes = ["CNAME"]\n',
        'ddns.toml:8: record[0].value: "10.0.0.1" is an address, not a name',
    ),
    "a text with its quotes": (
        HEAD + CLOUD + RECORD + 'value = \'"a"\'\ntypes = ["TXT"]\n',
        "ddns.toml:8: record[0].value: expected printable ASCII, without quotes or blanks around it",
    ),
    "a proxied text": (
        HEAD + CLOUD + RECORD + 'value = "a"\ntypes = ["TXT"]\nproxied = true\n',
        "ddns.toml:10: record[0].proxied: a TXT record is never proxied",
    ),
    "a host rule of an IPv4 address": (
        HEAD + CLOUD + RECORD + 'host_rule = "::1/64"\n',
        'ddns.toml:8: record[0].host_rule: a host rule makes IPv6 addresses: set types = ["AAAA"] for this record',
    ),
    "a host rule within the prefix": (
        HEAD + CLOUD + RECORD + 'types = ["AAAA"]\nhost_rule = "2001:db8::1/64"\n',
        "ddns.toml:9: record[0].host_rule: the suffix has bits within the first 64, which are this machine's",
    ),
    "a host rule without a length": (
        HEAD + CLOUD + RECORD + 'types = ["AAAA"]\nhost_rule = "::1"\n',
        "ddns.toml:9: record[0].host_rule: expected a suffix with the length of the prefix, such as ::1:2:3:4/64",
    ),
    "a host rule that is the network": (
        HEAD + CLOUD + RECORD + 'types = ["AAAA"]\nhost_rule = "::/64"\n',
        "ddns.toml:9: record[0].host_rule: the suffix has no bits; it would be the address of the network itself",
    ),
    "a type twice": (
        HEAD + CLOUD + RECORD + 'types = ["A", "A"]\n',
        'ddns.toml:8: record[0].types: "A" is listed twice',
    ),
    "a near choice": (
        HEAD + CLOUD + RECORD + 'adopt = "al"\n',
        'ddns.toml:8: record[0].adopt: expected "single" or "all", found "al"; did you mean "all"?',
    ),
    "a duration without a unit": (
        HEAD + "[detect]\ntimeout = 5\n",
        'ddns.toml:3: detect.timeout: expected a number with a unit (ms, s, m, h, d) such as "90s", found 5',
    ),
    "a duration with a strange unit": (
        HEAD + '[detect]\ntimeout = "5 sec"\n',
        'ddns.toml:3: detect.timeout: expected a number with a unit (ms, s, m, h, d) such as "90s", found "5 sec"',
    ),
    "a duration with a control character": (
        HEAD + '[detect]\ntimeout = "\\u001b[2J5s"\n',
        (
            "ddns.toml:3: detect.timeout: expected a number with a unit (ms, s, m, h, d) such as "
            '"90s", found "\\u001b[2J5s"'
        ),
    ),
    "no time at all": (
        HEAD + '[detect]\ntimeout = "0s"\n',
        "ddns.toml:3: detect.timeout: expected a time longer than 0s",
    ),
    "proofs too rare": (HEAD + '[proof]\nevery = "2d"\n', "ddns.toml:3: proof.every: expected at most 24h, found 2d"),
    "a server without a port": (
        HEAD + '[proof]\nservers = ["192.0.2.1:53", "192.0.2.2"]\n',
        'ddns.toml:3: proof.servers[1]: expected "IP:PORT" such as "192.0.2.53:53", found "192.0.2.2"',
    ),
    "a server by name": (
        HEAD + '[proof]\nservers = ["ns1.example.com:53"]\n',
        'ddns.toml:3: proof.servers[0]: expected "IP:PORT" such as "192.0.2.53:53", found "ns1.example.com:53"',
    ),
    "a server with port 0": (
        HEAD + '[proof]\nservers = ["[2001:db8::1]:0"]\n',
        'ddns.toml:3: proof.servers[0]: expected "IP:PORT" such as "192.0.2.53:53", found "[2001:db8::1]:0"',
    ),
    "IPv6 without brackets": (
        HEAD + '[proof]\nservers = ["2001:db8::1:53"]\n',
        'ddns.toml:3: proof.servers[0]: expected "IP:PORT" such as "192.0.2.53:53", found "2001:db8::1:53"',
    ),
    "a network that is none": (
        HEAD + '[detect]\nallow_private = ["10.0.0.0/33"]\n',
        'ddns.toml:3: detect.allow_private[0]: expected a network such as "10.0.0.0/8", found "10.0.0.0/33"',
    ),
    "a network with host bits": (
        HEAD + '[detect]\nallow_private = ["10.1.2.3/8"]\n',
        'ddns.toml:3: detect.allow_private[0]: "10.1.2.3/8" has bits set beyond its prefix; did you mean "10.0.0.0/8"?',
    ),
    "a source nearly known": (
        HEAD + '[detect]\nsources = ["ipfy"]\n',
        'ddns.toml:3: detect.sources[0]: unknown source "ipfy"; did you mean "ipify"?',
    ),
    "a source unknown": (
        HEAD + '[detect]\nsources = ["whatismyip"]\n',
        (
            'ddns.toml:3: detect.sources[0]: unknown source "whatismyip"; '
            "the built-in ones are aws, gateway, google, icanhazip, ifconfig, ipify, opendns"
        ),
    ),
    "neither url nor command": (
        HEAD + '[detect]\nsources = [{ operator = "me", families = [4] }]\n',
        "ddns.toml:3: detect.sources[0]: a source of your own has either a url or a command",
    ),
    "url and command": (
        HEAD + '[detect]\nsources = [{ operator = "me", url = "https://a.test/", command = ["/bin/a"] }]\n',
        "ddns.toml:3: detect.sources[0]: a source of your own has either a url or a command",
    ),
    "a command of nothing": (
        HEAD + '[detect]\nsources = [{ operator = "me", command = [] }]\n',
        'ddns.toml:3: detect.sources[0].command: expected a program and its arguments, such as ["/opt/address", "-4"]',
    ),
    "a command on the path": (
        HEAD + '[detect]\nsources = [{ operator = "me", command = ["address"] }]\n',
        'ddns.toml:3: detect.sources[0].command: expected the program\'s whole path, found "address"',
    ),
    "a command in a line": (
        HEAD + '[detect]\nsources = [{ operator = "me", command = "/bin/a -b" }]\n',
        'ddns.toml:3: detect.sources[0].command: expected a list, each text, found "/bin/a -b"',
    ),
    "a command with a pattern": (
        HEAD + '[detect]\nsources = [{ operator = "me", command = ["/bin/a"], regex = "(a)" }]\n',
        "ddns.toml:3: detect.sources[0].regex: this is for a url, not for a command",
    ),
    "pattern and pointer": (
        HEAD + '[detect]\nsources = [{ operator = "me", url = "https://a.test/", regex = "(a)", json = "a" }]\n',
        "ddns.toml:3: detect.sources[0].regex: json and regex exclude each other",
    ),
    "a pattern that is none": (
        HEAD + '[detect]\nsources = [{ operator = "me", url = "https://a.test/", regex = "+" }]\n',
        "ddns.toml:3: detect.sources[0].regex: not a regular expression: nothing to repeat at position 0",
    ),
    "a pattern without a group": (
        HEAD + '[detect]\nsources = [{ operator = "me", url = "https://a.test/", regex = "a" }]\n',
        "ddns.toml:3: detect.sources[0].regex: expected one group, in parentheses, for the address; found 0",
    ),
    "a pointer with a bare tilde": (
        HEAD + '[detect]\nsources = [{ operator = "me", url = "https://a.test/", json = "/a~b" }]\n',
        "ddns.toml:3: detect.sources[0].json: in a JSON pointer a ~ is written ~0, and a / within a key ~1",
    ),
    "a home network that is none": (
        HEAD + '[detect]\nnetworks = ["home"]\n',
        'ddns.toml:3: detect.networks[0]: expected a network such as "10.0.0.0/8", found "home"',
    ),
    "a home network with host bits": (
        HEAD + '[detect]\nnetworks = ["00:11:22:33:44:55", "10.1.2.3/8"]\n',
        'ddns.toml:3: detect.networks[1]: "10.1.2.3/8" has bits set beyond its prefix; did you mean "10.0.0.0/8"?',
    ),
    "a category that Windows does not have": (
        HEAD + '[detect]\nnetworks = ["profile:Home", "category:privat"]\n',
        (
            "ddns.toml:3: detect.networks[1]: expected category:public or category:private or category:domain, "
            'found "category:privat"'
        ),
    ),
    "a profile without a name": (
        HEAD + '[detect]\nnetworks = ["profile: "]\n',
        'ddns.toml:3: detect.networks[0]: expected profile:NAME, found "profile: "',
    ),
    "no source": (HEAD + "[detect]\nsources = []\n", "ddns.toml:3: detect.sources: at least one source is needed"),
    "a source of one's own, by ftp": (
        HEAD + '[detect]\nsources = [{ url = "ftp://ip.example.com", operator = "me" }]\n',
        (
            "ddns.toml:3: detect.sources[0].url: expected text that begins with https:// or http://, "
            'found "ftp://ip.example.com"'
        ),
    ),
    "a source of one's own, half": (
        HEAD + '[detect]\nsources = [{ url = "https://ip.example.com" }]\n',
        (
            "ddns.toml:3: detect.sources[0].operator: required key is missing "
            "(Who runs it; two sources of one operator count once)"
        ),
    ),
    "a source of neither form": (
        HEAD + "[detect]\nsources = [4]\n",
        "ddns.toml:3: detect.sources[0]: expected text or a table, found 4",
    ),
    "a URL with a password": (
        HEAD + f'[gateway]\nurl = "http://user:{SECRET}@gw.example.com"\n',
        "ddns.toml:3: gateway.url: expected text that begins with https://, found text that is not repeated here",
    ),
    "a gateway without its address": (
        HEAD + "[gateway]\n",
        "ddns.toml:2: gateway.url: required key is missing (Its address, for example https://ddns.example.com)",
    ),
    "a record that is a table": (
        HEAD + CLOUD + RECORD.replace("[[", "[").replace("]]", "]"),
        "ddns.toml:5: record: expected a list of tables, found a table; write [[record]]",
    ),
    "a table that is a number": (HEAD + "detect = 3\n", "ddns.toml:2: detect: expected a table, found 3"),
    "providers that are a number": (
        HEAD + "provider = 3\n",
        "ddns.toml:2: provider: expected tables, found 3; write [provider.ID]",
    ),
    "a provider that is a text": (
        HEAD + '[provider]\ncf = "cloud"\n',
        'ddns.toml:3: provider.cf: expected a table, found "cloud"; write [provider.ID]',
    ),
    "a record without a name": (
        HEAD + CLOUD + '[[record]]\nprovider = "cf"\n',
        "ddns.toml:5: record[0].name: required key is missing (The full name, for example home.example.com)",
    ),
    "a record without a provider": (
        HEAD + CLOUD + '[[record]]\nname = "home.example.com"\n',
        "ddns.toml:5: record[0].provider: required key is missing (The ID of a [provider.ID] table)",
    ),
    "a provider nearly known": (
        HEAD + CLOUD.replace("cf", "cloudflare") + RECORD.replace('"cf"', '"clodflare"'),
        'ddns.toml:7: record[0].provider: there is no table [provider.clodflare]; did you mean "cloudflare"?',
    ),
    "a provider unknown": (
        HEAD + RECORD.replace('"cf"', '"my dns"'),
        'ddns.toml:4: record[0].provider: there is no table [provider."my dns"]',
    ),
    "a kind nearly known": (
        HEAD + CLOUD.replace('"cloud"', '"clod"') + RECORD,
        'ddns.toml:3: provider.cf.kind: unknown kind "clod"; did you mean "cloud"?',
    ),
    "a kind unknown": (
        HEAD + '[provider.x]\nkind = "bindd"\n',
        'ddns.toml:3: provider.x.kind: unknown kind "bindd"; the kinds are cloud, gateway',
    ),
    "no kind": (
        HEAD + '[provider.x]\ntoken = "env:X"\n',
        "ddns.toml:2: provider.x.kind: required key is missing; the kinds are cloud, gateway",
    ),
    "a kind that is a number": (
        HEAD + "[provider.x]\nkind = 4\n",
        "ddns.toml:3: provider.x.kind: expected one of cloud, gateway, found 4",
    ),
    "a provider without its secret": (
        HEAD + '[provider.cf]\nkind = "cloud"\n',
        "ddns.toml:2: provider.cf.token: required key is missing (Where the token lies)",
    ),
    "a literal secret": (
        HEAD + CLOUD.replace("env:TOKEN", SECRET),
        (
            "ddns.toml:4: provider.cf.token: expected a reference (env:NAME, file:PATH, dpapi:ID or keyring:ID), "
            "found a literal value; store the secret with `ddns secret set` and name it here"
        ),
    ),
    "a literal secret, where one is not needed": (
        HEAD + CLOUD + f'key = "{SECRET}"',
        (
            "ddns.toml:5: provider.cf.key: expected a reference (env:NAME, file:PATH, dpapi:ID or keyring:ID), "
            "found a literal value; store the secret with `ddns secret set` and name it here"
        ),
    ),
    "a literal secret that is a number": (
        HEAD + CLOUD.replace('"env:TOKEN"', "123456"),
        (
            "ddns.toml:4: provider.cf.token: expected a reference (env:NAME, file:PATH, dpapi:ID or keyring:ID), "
            "found a literal value"
        ),
    ),
    "the gateway without its table": (
        HEAD + '[provider.gw]\nkind = "gateway"\nhost = "h"\nkey = "file:k"\n' + RECORD.replace('"cf"', '"gw"'),
        'ddns.toml:8: record[0].provider: "gw" is of the kind gateway, but there is no table [gateway]',
    ),
    "the same record twice": (
        HEAD + CLOUD + RECORD + RECORD.replace("home", "HOME").replace("com", "com."),
        'ddns.toml:9: record[1].name: "home.example.com" A is already kept by record[0]',
    ),
    "an IDN that stands there twice": (
        HEAD + CLOUD + RECORD.replace("home", "Bücher") + RECORD.replace("home", "xn--bcher-kva"),
        'ddns.toml:9: record[1].name: "xn--bcher-kva.example.com" A is already kept by record[0]',
    ),
    "a name with control characters": (
        HEAD + CLOUD + RECORD.replace("home", "\\u001b[31mhome\\u202e"),
        (
            'ddns.toml:6: record[0].name: "\\u001b[31mhome\\u202e.example.com" is not a DNS name: '
            "it has characters that no name can hold"
        ),
    ),
    "a name with a space": (
        HEAD + CLOUD + RECORD.replace("home", "my home"),
        (
            'ddns.toml:6: record[0].name: "my home.example.com" is not a DNS name: '
            '"my home" must be 1 to 63 letters, digits, - or _, no - at its ends'
        ),
    ),
    "a name with an empty label": (
        HEAD + CLOUD + RECORD.replace("home.", "home.."),
        'ddns.toml:6: record[0].name: "home..example.com" has an empty label',
    ),
    "a bare host name": (
        HEAD + CLOUD + RECORD.replace("home.example.com", "home"),
        'ddns.toml:6: record[0].name: "home" is not a full name; write it with its zone, such as home.example.com',
    ),
    "an address for a name": (
        HEAD + CLOUD + RECORD.replace("home.example.com", "192.0.2.1"),
        'ddns.toml:6: record[0].name: "192.0.2.1" is an address, not a name',
    ),
    "too long a name": (
        HEAD + CLOUD + RECORD.replace("home", ".".join(["a" * 60] * 5)),
        f'ddns.toml:6: record[0].name: "{"a" * 59}…" is longer than 253 characters',
    ),
}


@pytest.mark.parametrize(("text", "problem"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_told_by_line_key_and_remedy(text: str | bytes, problem: str) -> None:
    assert problems(text) == [problem]


BAD_LAYERS: dict[str, tuple[dict[str, Any], str]] = {
    "a variable nearly known": (
        {"environ": {"DDNS_DETECT_TIMEOT": "5s"}},
        'environment DDNS_DETECT_TIMEOT: unknown setting; did you mean "DDNS_DETECT_TIMEOUT"?',
    ),
    "a variable for a list": (
        {"environ": {"DDNS_PROOF_SERVERS": "192.0.2.1:53"}},
        "environment DDNS_PROOF_SERVERS: this key holds a list; set it in the file",
    ),
    "a variable with a wrong value": (
        {"environ": {"DDNS_RETRY_ATTEMPTS": "many"}},
        'environment DDNS_RETRY_ATTEMPTS: expected a whole number from 1 to 10, found "many"',
    ),
    "a variable against a rule": (
        {"environ": {"DDNS_PROOF_EVERY": "25h"}},
        "environment DDNS_PROOF_EVERY: expected at most 24h, found 25h",
    ),
    "a policy with an unknown key": (
        {"policy": {"log": {"levl": "INFO"}}},
        'policy: log.levl: unknown key; did you mean "level"?',
    ),
    "a policy with a wrong type": (
        {"policy": {"log": {"keep": ["1"]}}},
        "policy: log.keep: expected a whole number from 0 to 100, found a list",
    ),
    "a policy that is no table": ({"policy": {"log": 1}}, "policy: log: expected a table, found 1"),
    "a policy with a secret": (
        {"policy": {"provider": {"cf": {"key": "env:X"}}}},
        "policy: provider.cf.key: a secret is not set by policy; set it in the file",
    ),
    "a flag": ({"flags": {"log": {"level": "loud"}}}, ('flag: log.level: expected one of "DEBUG", "INFO", "WARN", '
               '"ERROR", found "loud"')),
}  # fmt: skip


@pytest.mark.parametrize(("layers", "problem"), BAD_LAYERS.values(), ids=BAD_LAYERS.keys())
def test_a_bad_layer_is_named(layers: dict[str, Any], problem: str) -> None:
    assert problems(HEAD + CLOUD + RECORD, **layers) == [problem]


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
schema = 3
[[record]]
name = "home"
provider = "cg"
ttl = 0
tll = 60
[[record]]
types = ["MX"]
[provider.cf]
kind = "cloud"
token = "v1.0-4f3a9c"
zone = 3
[detect]
timeout = 10
sources = ["ipfy", 7]
[loog]
"""
    environ = {"DDNS_LOG_KEEP": "-1"}
    policy = {"retry": {"policy": "linear"}}
    told = [line.partition(": ") for line in problems(text, environ=environ, policy=policy)]
    assert [where + what[:24] for where, _, what in told] == [
        "ddns.toml:1schema: expected 1, foun",
        'ddns.toml:3record[0].name: "home" i',
        "ddns.toml:4record[0].provider: ther",
        "ddns.toml:5record[0].ttl: expected ",
        "ddns.toml:6record[0].tll: unknown k",
        "ddns.toml:7record[1].name: required",
        "ddns.toml:7record[1].provider: requ",
        'ddns.toml:8record[1].types[0]: expe',
        "ddns.toml:11provider.cf.token: expec",
        "ddns.toml:12provider.cf.zone: expect",
        "ddns.toml:14detect.timeout: expected",
        "ddns.toml:15detect.sources[1]: expec",
        "ddns.toml:15detect.sources[0]: unkno",
        'ddns.toml:16loog: unknown key; did y',
        "environment DDNS_LOG_KEEPexpected a whole number ",
        'policyretry.policy: expected "',
    ]  # fmt: skip


@pytest.mark.parametrize("text", [text for text, _ in BAD_FILES.values() if SECRET in str(text)])
def test_a_secret_in_the_wrong_place_is_not_repeated(text: str | bytes) -> None:
    assert not any(SECRET in line for line in problems(text))
