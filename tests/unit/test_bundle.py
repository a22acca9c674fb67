"""`ddns support-bundle`: what is in it, that it is the owner's alone, and that it holds no secret of the machine.

The canary is put in every place where a secret can lie, and searched in every file, packed and unpacked.
"""

from __future__ import annotations

import base64
import json
import stat
import urllib.parse
import zipfile
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.errors import BadCredentials
from ddns.memory import BlockNote
from ddns.model import Change, Kind, Outcome, Reason, RecordKey, RecordType, RRset, Run
from ddns.runtime import bundling, shaping
from ddns.runtime.redaction import Redactor
from ddns.state.opening import open_store
from ground import canary
from unit.terminal import NOW, Done, ddns, put, record, status
from unit.test_cli_secret import InMemory

pytestmark = pytest.mark.plants_secrets("logs and state of the machine, which the bundle is made of")
CANARY = "canary/3f9a+1c"
OWN, THEIRS = "203.0.113.7", "198.51.100.66"
SETTINGS = f"""schema = 1
# the old token was {CANARY}-comment
[[record]]
name = "home.example.com"
provider = "main"

[[record]]
name = "nas.example.com"
provider = "mine"

[provider.main]
kind = "cloudflare"
token = "file:cf"
url = "https://127.0.0.1:9/client/v4"

[provider.mine]
kind = "dyndns2"
url = "https://127.0.0.1:9/nic/update"
username = "account-4711"
password = "env:MY_PASSWORD"

[provider.chain]
kind = "desec"
token = "keyring:desec"
url = "https://127.0.0.1:9/api/v1"

[provider.hook]
kind = "webhook"
url = "https://127.0.0.1:9/hook/{CANARY}-hook/update/{{name}}?key={CANARY}-query&ip={{value}}"
method = "POST"
headers = {{ X-Key = "{CANARY}-header", Authorization = "Bearer {CANARY}-bearer" }}
body = '{{"auth": {{"key": "{CANARY}-body"}}, "ip": "{{value}}", "list": ["{CANARY}-list"]}}'

[provider.hook.remove]
url = "https://127.0.0.1:9/gone/{CANARY}-gone"
form = "form"
body = "key={CANARY}-form&name={{name}}"
method = "POST"

[provider.path]
kind = "dyndns2"
url = "https://127.0.0.1:9/update/{CANARY}-path/"
username = "account-4712"
password = "env:MY_PASSWORD"

[detect]
sources = [
    {{ url = "https://127.0.0.1:9/ip/{CANARY}-source?t={CANARY}-source-query", operator = "a" }},
    {{ url = "https://127.0.0.1:9/b", operator = "b" }},
    {{ command = ["/bin/false", "--key", "{CANARY}-argument", "--secret={CANARY}-option"], operator = "c" }},
]
probe4 = "dns://127.0.0.1:9/whoami.test"
timeout = "500ms"
allow_private = ["192.0.2.53/32"]

[proof]
servers = ["127.0.0.1:9"]
"""
KEY = RecordKey("main", "home.example.com", RecordType.A)


def leaks(name: str) -> str:
    """A secret of its own for each place, so that a leak says where it comes from."""
    return f"{CANARY}-{name}"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder that has been at work, with a canary in every place where a secret can be."""
    chain, before = InMemory(), keyring.get_keyring()
    keyring.set_keyring(chain)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "ddns.toml").write_text(SETTINGS)
    for name in ("cf", "unused"):
        ddns("secret", "set", name, "--data", folder, stdin=leaks(name))
    ddns("secret", "set", "--keyring", "desec", "--data", folder, stdin=leaks("keyring"))
    monkeypatch.setenv("MY_PASSWORD", leaks("env"))
    (folder / "gateway.toml").write_text('master_key = "env:MASTER"\n')
    monkeypatch.setenv("MASTER", leaks("master"))
    _log(folder)
    _state(folder)
    blamed = {"code": "provider.bad_credentials", "advice": f"the token {leaks('cf')} is wrong"}
    put(folder, status(record(address=OWN), record("nas.example.com", address=OWN, error=blamed, outcome="failed")))
    monkeypatch.chdir(tmp_path)
    yield folder
    keyring.set_keyring(before)


def _log(folder: Path) -> None:
    """A log that a careless program wrote."""
    (folder / "logs").mkdir()
    authorization = base64.b64encode(leaks("env").encode()).decode()
    lines = [
        {"message": f"asked https://me:{leaks('cf')}@api.example.com/x?token={urllib.parse.quote(leaks('env'))}"},
        {"message": f"Authorization: Bearer {leaks('cf')}", "basic": authorization},
        {"message": f"GET /hook/{leaks('hook')} said 404; {leaks('body')} {leaks('header')} {leaks('argument')}"},
        {"message": f"asked https://ping.example.com/{leaks('heartbeat').rpartition('/')[2]}/fail"},
        {"message": f"account-4711 of {OWN} and {THEIRS}, 2001:db8::66, 192.0.2.53, 10.0.0.7"},
    ]
    (folder / "logs" / "ddns.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "logs" / "ddns.jsonl.1").write_text(json.dumps({"older": leaks("unused")}) + "\n")


def _state(folder: Path) -> None:
    (folder / "state").mkdir()
    store = open_store(str(folder / "state" / "state.db"), NOW)
    run = Run("t", "schedule", NOW)
    store.begin(run)
    before, after = (RRset(frozenset({ip_address(text)})) for text in (THEIRS, OWN))
    (change,) = store.intend(run, [Change("t-0", KEY, before, after, Reason.DRIFT)])
    store.settle(run, Outcome(Kind.FAILED, KEY, NOW, None, change, cause=BadCredentials(leaks("cf"))))
    store.note_block("main:f", BlockNote("main", "f", "provider.banned", leaks("cf"), leaks("cf"), NOW, NOW))
    store.note(NOW, f"a note with {leaks('env')}")
    store.close_file()


def bundle(folder: Path, *arguments: str) -> tuple[Done, dict[str, str]]:
    """How the command ends, and the texts in what it made."""
    canary.secret(CANARY)
    file = folder.parent / "bundle.zip"
    done = ddns("support-bundle", "-o", file, "--data", folder, *arguments)
    canary.hear("the bundle", *_unpacked(file))
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return done, {name.removeprefix("ddns-support/"): archive.read(name).decode() for name in archive.namelist()}


def _unpacked(file: Path) -> list[str]:
    with zipfile.ZipFile(file) as archive:
        return [archive.read(name).decode() for name in archive.namelist()]


def test_what_is_in_it(machine: Path) -> None:
    done, texts = bundle(machine)
    assert (done.code, done.err) == (0, "")
    assert done.lines[0] == str(machine.parent / "bundle.zip")
    assert set(texts) == {
        *("README.txt", "versions.json", "settings.json", "status.json", "state.json", "history.json", "doctor.json"),
        *("ddns.jsonl", "ddns.jsonl.1"),
    }
    settings = json.loads(texts["settings.json"])["values"]
    assert settings["provider.main.token"] == {"value": "file:cf", "layer": "file"}
    assert settings["provider.mine.password"]["value"] == "env:MY_PASSWORD"
    assert settings["record[0].name"]["value"] == "home.example.com"
    assert json.loads(texts["status.json"])["records"][0]["address"] == OWN
    state = json.loads(texts["state.json"])
    assert (state["tables"]["changes"]["rows"], state["whole"]) == (1, "yes")
    assert "seq" in state["tables"]["changes"]["columns"]
    assert json.loads(texts["history.json"])[0]["name"]
    assert {check["area"] for check in json.loads(texts["doctor.json"])["checks"]} >= {"settings", "credentials"}
    assert json.loads(texts["versions.json"])["packages"]["click"]


def test_no_secret_is_in_any_of_it(machine: Path) -> None:
    done, texts = bundle(machine)
    for name, text in texts.items():
        for form in (CANARY, json.dumps(CANARY)[1:-1], urllib.parse.quote(CANARY, safe=""), "account-4711"):
            assert form not in text, (name, form)
        assert base64.b64encode(leaks("env").encode()).decode() not in text, name
    assert CANARY not in done.out + done.err
    assert CANARY.encode() not in (machine.parent / "bundle.zip").read_bytes()
    log = texts["ddns.jsonl"]
    assert "Authorization: Bearer ***" in log
    assert "https://api.example.com/x?***" in log
    assert "<account 1>" in log


def test_the_search_would_find_a_leak(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the redaction the canary is in most of the parts, and the search of all tests sees it."""
    monkeypatch.setattr(Redactor, "clean", lambda _self, text: text)
    file = machine.parent / "bundle.zip"
    ddns("support-bundle", "-o", file, "--data", machine)
    canary.secret(CANARY)
    with zipfile.ZipFile(file) as archive:
        found = {name.rpartition("/")[2] for name in archive.namelist() if canary.found_in(archive.read(name))}
    assert found >= {"ddns.jsonl", "ddns.jsonl.1", "status.json", "history.json"}
    assert canary.found_in(file.read_bytes())


def test_addresses_of_others_are_told_apart_and_not_told(machine: Path) -> None:
    _, texts = bundle(machine)
    whole = "".join(texts.values())
    assert OWN in whole
    assert THEIRS not in whole
    assert "2001:db8::66" not in whole
    assert "192.0.2.53" in texts["settings.json"]
    (line,) = [line for line in texts["ddns.jsonl"].splitlines() if "<account 1> of" in line]
    told = json.loads(line)["message"]
    assert told == f"<account 1> of {OWN} and <IPv4 2>, <IPv6 1>, 192.0.2.53, 10.0.0.7", told
    assert "<IPv4 2>" in texts["history.json"]


def test_own_addresses_are_taken_out_when_asked(machine: Path) -> None:
    _, texts = bundle(machine, "--redact-addresses")
    whole = "".join(texts.values())
    for address in (OWN, THEIRS, "192.0.2.53", "10.0.0.7"):
        assert address not in whole, address
    assert "<own IPv4 " in texts["status.json"]
    assert "and this machine's own" in texts["README.txt"]
    assert "127.0.0.1" in whole


def test_a_secret_pasted_into_the_settings(machine: Path) -> None:
    text = (machine / "ddns.toml").read_text().replace('"file:cf"', f'"{leaks("pasted")}"')
    (machine / "ddns.toml").write_text(text)
    (machine / "logs" / "ddns.jsonl").write_text(json.dumps({"message": leaks("pasted")}) + "\n")
    done, texts = bundle(machine)
    assert done.code == 0
    assert "found a literal value" in texts["settings.json"]
    assert [name for name, content in texts.items() if CANARY in content] == []


def test_it_is_the_owner_s_alone_and_replaces_nothing(machine: Path) -> None:
    bundle(machine)
    file = machine.parent / "bundle.zip"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    again = ddns("support-bundle", "-o", file, "--data", machine)
    assert again.code == 2
    assert again.err == f"ddns: {file} is there already\nName another file with: -o FILE\n"
    assert file.read_bytes() == before

    link = machine.parent / "link.zip"
    link.symlink_to(machine.parent / "elsewhere.zip")
    assert ddns("support-bundle", "-o", link, "--data", machine).code == 2
    assert not (machine.parent / "elsewhere.zip").exists()


def test_a_file_that_came_in_between_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_text("somebody else's")
    with pytest.raises(FileExistsError):
        bundling.keep(str(tmp_path / "bundle.zip"), b"ours")
    assert (tmp_path / "bundle.zip").read_text() == "somebody else's"


def test_a_folder_that_is_not_there(machine: Path) -> None:
    done = ddns("support-bundle", "-o", machine / "none" / "x.zip", "--data", machine)
    assert done.code == 15
    assert "x.zip can't be written: No such file or directory" in done.err


def test_where_everything_is_broken_the_parts_say_why(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "state").mkdir(parents=True)
    (folder / "ddns.toml").write_text("not = toml = at all")
    (folder / "state" / "state.db").write_bytes(b"no database, " * 100)
    put(folder, "not JSON")
    done, texts = bundle(folder)
    assert done.code == 0
    assert json.loads(texts["settings.json"])["problems"]
    assert json.loads(texts["state.json"])["error"] == "state.damaged"
    assert json.loads(texts["status.json"])["error"] == "status"
    assert json.loads(texts["ddns.jsonl"])["message"].endswith("No such file or directory")


def test_json_and_the_usual_name(machine: Path) -> None:
    told: Any = ddns("support-bundle", "--json", "--data", machine).json("support-bundle")
    assert Path(told["file"]).parent == machine.parent
    assert Path(told["file"]).name.startswith("ddns-support-")
    assert "README.txt" in told["parts"]


# -- redaction


@given(st.text(min_size=3).map(str.strip).filter(lambda text: len(text) >= 3 and "*" not in text))
def test_any_secret_is_taken_out_in_each_form(text: str) -> None:
    made = Redactor()
    made.secret(text)
    coded = base64.b64encode(text.encode(errors="surrogateescape")).decode() if _encodes(text) else ""
    for form in (text, json.dumps(text), urllib.parse.quote(text, safe="", errors="replace"), coded):
        if form:
            assert text not in made.clean(f"a [{form}] b").replace("a [", "").replace("] b", "")


def _encodes(text: str) -> bool:
    try:
        text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


@given(st.ip_addresses().map(str))
def test_any_public_address_is_taken_out(text: str) -> None:
    cleaned = Redactor(addresses=True).clean(f'"address": "{text}", port [{text}]:53')
    address = ip_address(text)
    assert (text in cleaned) is (address.is_loopback or address.is_unspecified)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T18:00:00Z 12:34:56 1.2.3 v1.2.3.4.5 aa:bb:cc:dd:ee:ff",
        "https://api.example.com/v1/zones",
        "C:\\ProgramData\\DDNS\\state",
        "::1 127.0.0.1 192.168.1.1 fe80::1 100.64.0.1",
    ],
)
def test_what_is_neither_stays(text: str) -> None:
    assert Redactor().clean(text) == text


@pytest.mark.parametrize(
    ("url", "left"),
    [
        ("https://user:pass@host.test/x", "https://host.test/x?***"),
        ("https://host.test/x?token=1#y", "https://host.test/x?***"),
        ("http://[::1", "http://***"),
    ],
)
def test_urls_lose_what_may_be_secret(url: str, left: str) -> None:
    assert Redactor().clean(f'"{url}"') == f'"{left}"'


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('["-H", "Authorization: Bearer abc.def"]', '["-H", "Authorization: Bearer ***"]'),
        ('"authorization:Basic bWU6eA==\\n"', '"authorization:Basic ***\\n"'),
        ('"Authorization: Bearer {secret}"', '"Authorization: Bearer {secret}"'),
    ],
)
def test_credentials_of_a_header_in_an_argument_are_taken_out(text: str, left: str) -> None:
    assert Redactor().clean(text) == left


def test_what_urls_bodies_headers_and_arguments_carry_has_only_its_shape(machine: Path) -> None:
    _, texts = bundle(machine)
    values = {key: told["value"] for key, told in json.loads(texts["settings.json"])["values"].items()}
    assert values["provider.hook.url"] == "https://127.0.0.1:9/***/***/***/update/{name}?***"
    assert values["provider.hook.headers.X-Key"] == "***"
    assert values["provider.hook.headers.Authorization"] == "Bearer ***"
    assert values["provider.hook.body"] == '{"auth": {"key": "***"}, "ip": "{value}", "list": ["***"]}'
    assert values["provider.hook.remove.body"] == "key=***&name={name}"
    assert values["provider.path.url"] == "https://127.0.0.1:9/update/***/***/"
    assert values["provider.main.url"] == "https://127.0.0.1:9/client/v4"
    assert values["detect.sources[0].url"] == "https://127.0.0.1:9/ip/***/***?***"
    assert values["detect.sources[2].command"] == ["/bin/false", "--key", "***", "--secret=***"]
    assert values["detect.probe4"] == "dns://127.0.0.1:9/whoami.test"
    log = texts["ddns.jsonl"]
    assert "https://ping.example.com/***/fail" in log or "https://ping.example.com/***/***" in log
    for name, text in texts.items():
        for part in CANARY.split("/"):  # a path has it in two segments
            assert part not in text, name


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("auth=dXNlcjpwYXNzdw==", "auth=***=="),
        ("Basic dXNlcjpwYXNzdw==", "Basic ***=="),
        ("user=x&pass=abcdefgh:hunter", "user=x&pass=***:***"),
        ('{"pass" : "abcdefgh:", "name": "{name}"}', '{"pass" : "***:", "name": "{name}"}'),
    ],
)
def test_a_value_that_a_separator_follows_is_no_name_of_a_field(body: str, shape: str) -> None:
    assert shaping.words(body) == shape


@pytest.mark.parametrize(
    ("option", "shape"),
    [
        ("-uname:pass", "-u***"),
        ("-pS3cret=x", "-p***"),
        ("-k=s3cret", "-k=***"),
        ("-ExecutionPolicy", "-ExecutionPolicy"),
        ("-4", "-4"),
    ],
)
def test_what_is_glued_to_an_option_goes(option: str, shape: str) -> None:
    assert shaping.arguments(["/bin/x", option]) == ["/bin/x", shape]


@given(st.text("abz/:?&={}[]\"' -.019", max_size=60))
def test_the_shape_of_anything_holds_no_token(text: str) -> None:
    for shown, tokens in (
        (shaping.words(text), shaping.word_tokens(text)),
        (shaping.url("https://h/" + text), shaping.url_tokens("https://h/" + text)),
    ):
        assert not [token for token in tokens if len(token) > 5 and token in shown]
