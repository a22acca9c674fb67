"""`ddns gateway` and `ddns enroll`: the operator's commands on a ledger, and enrolment at a served gateway."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ddns import protocol
from ddns.address import Family
from ddns.cli.audit import draw
from ddns.errors import BadCredentials, ProviderError, Transport, Untrusted
from ddns.gateway.ledger import Entry, RecordState
from ddns.gateway.operators import HostView
from ddns.model import RecordType
from ddns.ports import Deadline, HttpRequest, HttpResponse
from ddns.render import Screen
from ddns.runtime import serving
from ddns.runtime.enrolling import enrol
from ground.echo import Echo
from ground.tls import Authority
from unit.terminal import HOUR, NOW, ROOT, Done, ddns

MASTER = base64.b64encode(bytes(32)).decode()
SETTINGS = """\
schema = 1
name = "gw.example.test"
data = "{folder}/ledger"
master_key = "file:master"

[listen]
host = "127.0.0.1"
port = 0
{listen}

[hosts]
template = "{{host}}.dyn.example.com"

[[zone]]
name = "dyn.example.com"
provider = "dns"

[provider.dns]
kind = "rfc2136"
server = "127.0.0.1:9"
zone = "dyn.example.com"
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Path:
    """A gateway's folder: settings and master key."""
    folder = tmp_path / "gateway"
    folder.mkdir()
    (folder / "gateway.toml").write_text(SETTINGS.format(folder=folder, listen="plain = true"))
    ddns("secret", "set", "master", "--data", folder, stdin=MASTER)
    return folder


def operator(folder: Path, *arguments: object) -> Done:
    return ddns("gateway", *arguments, "--data", folder, width=110)


def test_a_code_is_minted_on_the_ledger(gateway: Path) -> None:
    done = operator(gateway, "code", "pc7", "--valid", "1h")

    assert (done.code, done.err) == (0, "")
    assert len(done.out.strip().replace("-", "")) == 32
    assert operator(gateway, "code", "pc8", "--json").json("gateway code")["host"] == "pc8"
    audit = (gateway / "ledger" / "audit.jsonl").read_text()
    assert done.out.strip() not in audit
    assert audit.count('"pc7"') == 1


def test_a_settings_file_may_be_named(gateway: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere.toml"
    (gateway / "gateway.toml").rename(moved)

    assert ddns("gateway", "code", "pc7", "--config", moved).code == 0
    assert operator(gateway, "hosts").err == (
        f"ddns: the gateway's settings at {gateway}/gateway.toml can't be read: No such file or directory\n"
        "Name the file with: --config gateway.toml\n"
    )


@pytest.mark.parametrize("host", ["www", "no_underscore", "\x1b[2J", "a.b"])
def test_a_code_for_what_is_no_host(gateway: Path, host: str) -> None:
    done = operator(gateway, "code", host)

    assert done.code == 2
    assert done.err.startswith("ddns: host: ")
    assert all(line.isprintable() for line in done.err.splitlines())


def test_a_code_that_is_never_good(gateway: Path) -> None:
    done = operator(gateway, "code", "pc7", "--valid", "soon")
    assert done.code == 2
    assert "--valid" in done.err


def test_wrong_settings_are_told_all_at_once(gateway: Path) -> None:
    (gateway / "gateway.toml").write_text(
        SETTINGS.format(folder=gateway, listen='plain = "yes"')
        .replace("rfc2136", "rfc2163")
        .replace("[hosts]", "[host]")
    )

    done = operator(gateway, "hosts")

    assert done.code == 10
    assert done.err.splitlines()[0] == "ddns: gateway.toml has 4 problems"
    for part in ("gateway.toml:9: listen.plain:", 'unknown key; did you mean "hosts"?', "rfc2136", "hosts: required"):
        assert part in done.err
    assert done.err.splitlines()[-1] == "Correct the gateway's settings file, then try again."


@pytest.mark.parametrize(("table", "said"), [("[provider.dns]", "kind"), ("[provider]\ndns = 7\n[x]", "provider.dns")])
def test_a_provider_without_a_kind(gateway: Path, table: str, said: str) -> None:
    text = SETTINGS.format(folder=gateway, listen="plain = true").partition("[provider.dns]")[0]
    (gateway / "gateway.toml").write_text(text + table + "\n")

    done = operator(gateway, "hosts")

    assert done.code == 10
    assert said in done.err


def test_no_host_yet(gateway: Path) -> None:
    assert operator(gateway, "hosts").out == "No host is enrolled yet; mint a code with: ddns gateway code HOST\n"
    assert operator(gateway, "hosts", "--json").json("gateway hosts") == {"hosts": []}


def test_a_host_is_added_without_enrolment(gateway: Path) -> None:
    done = operator(gateway, "add", "Router1")

    assert (done.code, done.err) == (0, "")
    head, name, _, user, password = done.lines
    assert head.startswith("added router1 (h")
    assert (name, user) == ("  router1.dyn.example.com", "user name  router1")
    secret = password.removeprefix("password   ")
    assert len(secret) == 24
    assert operator(gateway, "hosts").lines[1] == "○  router1  router1.dyn.example.com  none     never seen"
    files = [file for file in (gateway / "ledger").iterdir() if file.is_file()]
    assert not any(secret.encode() in file.read_bytes() for file in files)
    told = operator(gateway, "add", "router2", "--json").json("gateway add")
    assert (told["user"], told["label"], told["names"]) == ("router2", "router2", ["router2.dyn.example.com"])
    lines = [json.loads(line) for line in (gateway / "ledger" / "audit.jsonl").read_text().splitlines()]
    assert [(line["decision"], line["label"], line["names"]) for line in lines] == [
        ("added", "router1", ["router1.dyn.example.com"]),
        ("added", "router2", ["router2.dyn.example.com"]),
    ]


@pytest.mark.parametrize("host", ["www", "no_underscore", "a.b"])
def test_what_is_no_host_is_not_added(gateway: Path, host: str) -> None:
    done = operator(gateway, "add", host)

    assert done.code == 2
    assert done.err.startswith("ddns: host: ")
    assert operator(gateway, "hosts", "--json").json("gateway hosts") == {"hosts": []}


def test_a_host_is_not_added_twice(gateway: Path) -> None:
    operator(gateway, "add", "router1")

    done = operator(gateway, "add", "router1")

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "ddns: host 'router1' exists already\n"
        "For a new password: ddns gateway password router1; to begin anew: ddns gateway revoke router1\n"
    )
    operator(gateway, "revoke", "router1")
    assert operator(gateway, "add", "router1").code == 0


def test_the_audit_log_is_shown_and_checked(gateway: Path, at_now: None) -> None:
    operator(gateway, "code", "pc7")
    operator(gateway, "add", "router1")
    operator(gateway, "freeze", "router1")

    done = operator(gateway, "audit", "--limit", 2)

    assert (done.code, done.err) == (0, "")
    assert [line.split()[-2:] for line in done.lines[1:3]] == [["added", "router1"], ["frozen", "router1"]]
    assert done.lines[-1] == "● 3 lines, the chain is unbroken"
    told = operator(gateway, "audit", "--json").json("gateway audit")
    assert (told["lines"], told["problem"], told["file"]) == (3, None, f"{gateway}/ledger/audit.jsonl")
    assert [entry["decision"] for entry in told["entries"]] == ["code", "added", "frozen"]


def test_an_altered_audit_log_is_told_with_file_and_line(gateway: Path) -> None:
    for host in ("a", "b", "c"):
        operator(gateway, "add", host)
    file = gateway / "ledger" / "audit.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text(lines[0].replace('"a"', '"x\\u001b[2J"') + lines[1] + "no line\n" + lines[2])

    done = operator(gateway, "audit")

    assert done.code == 20
    assert done.err == (
        f"ddns: {file}: line 2 does not follow the line before it\n"
        "It was altered there, or in the line before: compare it with the copy that you keep elsewhere.\n"
    )
    assert r"x\x1b[2J" in done.out
    assert "unreadable" in done.out
    assert "unbroken" not in done.out
    told = operator(gateway, "audit", "--json")
    assert told.code == 20
    assert told.json("gateway audit")["problem"] == f"{file}: line 2 does not follow the line before it"


def test_no_audit_log_yet(gateway: Path) -> None:
    done = operator(gateway, "audit")

    assert done.code == 15
    assert done.err.startswith(
        f"ddns: the audit log {gateway}/ledger/audit.jsonl can't be read: No such file or directory\n"
    )
    assert not (gateway / "ledger").exists()


JUNK = [
    {"at": at, "decision": value, "name": value, "type": value, "old": value, "new": value, "reason": value}
    for at in (1e300, -1, "x", None)
    for value in (None, 7, [], ["a", ["b"]], {"x": 1}, "\x1b\n\u202e")
]


def test_audit_lines_of_any_shape_are_drawn_on_one_line(at_now: None) -> None:
    out = io.StringIO()
    for entry in [{}, *JUNK]:
        draw(Screen(out), [entry], None, NOW)
    assert all(line.isprintable() for line in out.getvalue().splitlines())


def test_an_audit_line_tells_who_what_and_why(at_now: None) -> None:
    out = io.StringIO()
    who = {"at": NOW - HOUR, "name": "pc7.dyn.example.com", "type": "A", "trace_id": "ab12"}
    entries = [
        who | {"decision": "published", "old": [], "new": ["203.0.113.7"]},
        who | {"decision": "refused", "reason": "stale", "detail": "old seq", "peer": "192.0.2.9"},
    ]
    draw(Screen(out), entries, 2, NOW)
    assert [line.rstrip() for line in out.getvalue().splitlines()] == [
        "   at     decision   host                                              trace",
        "●  17:00  published  pc7.dyn.example.com A  none → 203.0.113.7         ab12",
        "✗  17:00  refused    pc7.dyn.example.com A  stale; old seq; 192.0.2.9  ab12",
        "",
        "● 2 lines, the chain is unbroken",
    ]


def test_hosts_that_stand_well_and_badly(gateway: Path, monkeypatch: pytest.MonkeyPatch, at_now: None) -> None:
    def host(label: str, *states: RecordState, frozen: bool = False) -> HostView:
        name, values = f"{label}.dyn.example.com", ("203.0.113.7",)
        records = tuple(
            Entry(
                name, RecordType.A, label, values, 60, 1, 1, state, "t", NOW,
                confirmed=values if state == "confirmed" else ("203.0.113.1",) if label == "e" else None,
                confirmed_at=NOW - HOUR, problem="x" * (state == "failed"),
            )
            for state in states
        )  # fmt: skip
        return HostView(label, label, (name,), NOW, NOW - HOUR if states else None, frozen, False, records)

    hosts = [
        host("a", RecordState.CONFIRMED),
        host("b", RecordState.CONFIRMED, RecordState.FAILED),
        host("c", RecordState.QUEUED),
        host("d", frozen=True),
        host("e", RecordState.HELD, frozen=True),
    ]
    monkeypatch.setattr(serving, "hosts", lambda _loaded: hosts)

    assert (
        operator(gateway, "hosts").text
        == """\
   host  name               address
●  a     a.dyn.example.com  203.0.113.7                       seen 1 h ago
✗  b     b.dyn.example.com  203.0.113.7 refused: 203.0.113.7  seen 1 h ago
◐  c     c.dyn.example.com  none on its way: 203.0.113.7      seen 1 h ago
◐  d     d.dyn.example.com  none                              never seen    frozen
◐  e     e.dyn.example.com  203.0.113.1 held: 203.0.113.7     seen 1 h ago  frozen
✗ b.dyn.example.com A: x
5 hosts"""
    )
    held = operator(gateway, "hosts", "--json").json("gateway hosts")["hosts"][-1]["records"]
    assert [(entry["wanted"], entry["confirmed"]) for entry in held] == [(["203.0.113.7"], ["203.0.113.1"])]


def test_without_the_extra_it_says_how_to_get_it(gateway: Path) -> None:
    program = "import sys; sys.modules['uvicorn'] = None; from ddns.cli.main import main; sys.exit(main(sys.argv[1:]))"
    for command in (["serve"], ["hosts"]):
        done = subprocess.run(
            [sys.executable, "-c", program, "gateway", *command, "--data", str(gateway)],
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )

        assert done.stderr == (
            "ddns: this installation has no gateway: uvicorn is missing\n"
            'Install it with: pip install "ddns-fleet[gateway]"\n'
        )
        assert done.returncode == 2


#: Its URL, and what ends it, giving the exit code and what it said on standard error.
Served = tuple[str, Callable[[], tuple[int, str]]]


@pytest.fixture
def served(gateway: Path, ca: Authority) -> Iterator[Served]:
    """The gateway, served over TLS by the command itself, telling what it decides."""
    cert, key = ca.write_server_files(gateway)
    listen = f'cert_file = "{cert}"\nkey_file = "{key}"'
    (gateway / "gateway.toml").write_text(SETTINGS.format(folder=gateway, listen=listen))
    with subprocess.Popen(
        [sys.executable, "-m", "ddns", "gateway", "serve", "--verbose", "--data", str(gateway)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:

        def stop() -> tuple[int, str]:
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=30)
            return process.returncode, err

        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("serving on https://127.0.0.1:"), process.stderr and process.stderr.read()
            assert process.stdout.readline() == f"audit log  {gateway}/ledger/audit.jsonl\n"
            yield line.split()[-1], stop
        finally:
            process.kill()


def test_from_code_to_revocation(gateway: Path, served: Served, ca: Authority, tmp_path: Path) -> None:
    url, stop = served
    machine = tmp_path / "machine"
    code = operator(gateway, "code", "pc7").out

    done = ddns("enroll", url, "--ca-file", ca.file, "--data", machine, stdin=code)

    assert done.err == ""
    assert (
        done.text
        == f"""\
enrolled as pc7 at gateway gw.example.test
  pc7.dyn.example.com

the identity is stored as file:gateway; add to the settings:

[gateway]
url = "{url}"
ca_file = "{ca.file}"

[provider.fleet]
kind = "gateway"
token = "file:gateway"

[[record]]
name = "pc7.dyn.example.com"
provider = "fleet"
types = ["A", "AAAA"]"""
    )
    identity = protocol.Identity.parse((machine / "secrets" / "gateway").read_text())
    assert identity.gateway == "gw.example.test"
    assert os.listdir(machine / "secrets") == ["gateway"]

    (host,) = operator(gateway, "hosts", "--json").json("gateway hosts")["hosts"]
    assert (host["id"], host["label"], host["names"]) == (identity.host, "pc7", ["pc7.dyn.example.com"])
    assert operator(gateway, "hosts").lines == [
        "   host  name                 address",
        "○  pc7   pc7.dyn.example.com  none     never seen",
        "1 host",
    ]

    used = ddns("gateway", "enroll", url, "--ca-file", ca.file, "--data", machine, stdin=code)
    assert used.code == 12
    assert "the code was used with another key" in used.err

    assert len(operator(gateway, "password", "pc7").out.strip()) == 24
    assert operator(gateway, "password", "pc7", "--json").json("gateway password")["user"] == "pc7"
    assert operator(gateway, "freeze", "pc7").out == "held: pc7\n"
    assert operator(gateway, "hosts").lines[1] == "◐  pc7   pc7.dyn.example.com  none     never seen  frozen"
    assert operator(gateway, "thaw", "pc7").out == "released: pc7\n"
    assert operator(gateway, "revoke", "pc7", "--remove-records").out == (
        f"revoked pc7 ({identity.host}); its records go\n"
    )
    assert operator(gateway, "revoke", "pc7").err == (
        "ddns: there is no host 'pc7'\nSee which there are with: ddns gateway hosts\n"
    )
    for _ in range(2):
        assert operator(gateway, "retire", identity.host).out == f"retired pc7 ({identity.host})\n"
    retired = operator(gateway, "retire", identity.host, "--json").json("gateway retire")
    assert retired == {"id": identity.host, "label": "pc7", "waiting": []}
    assert operator(gateway, "retire", "pc7").code == 2
    exit_code, err = stop()
    assert exit_code == 0
    told = [line.split(" ", 2)[2] for line in err.splitlines()]
    assert [line.partition(":")[0] for line in told] == ["enrolled", "refused"]
    assert f"host {identity.host}, label pc7" in told[0]
    assert "reason code-used" in told[1]
    assert code.strip() not in err


def test_the_lines_that_enrolment_prints_are_valid_settings(
    gateway: Path, served: Served, ca: Authority, tmp_path: Path
) -> None:
    url, _ = served
    code = operator(gateway, "code", "pc9").out
    found = ddns("enroll", url, "--ca-file", ca.file, "--json", "--data", tmp_path, stdin=code).json("enroll")
    (tmp_path / "ddns.toml").write_text("schema = 1\n" + found["settings"])

    assert ddns("config", "validate", "--data", tmp_path).code == 0


# -- a lost answer


class Lossy:
    """A gateway whose answers are lost as often as `losses` says; remembers what was asked."""

    def __init__(
        self, folder: Path, losses: int, answer: HttpResponse | None = None, error: ProviderError | None = None
    ) -> None:
        self.error = error or Transport("the connection was cut", ambiguous=True)
        self.folder = folder
        self.losses = losses
        self.answer = answer
        self.bodies: list[dict[str, str]] = []

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        body = json.loads(request.content or b"")
        (pending,) = (self.folder / "secrets").iterdir()
        assert pending.read_text().strip() == body["key"]  # stored before it is sent
        self.bodies.append(body)
        if len(self.bodies) <= self.losses:
            raise self.error
        if self.answer is not None:
            return self.answer
        said = {"host": "h1", "label": "pc7", "names": ["pc7.dyn.example.com"], "gateway": "gw"}
        return HttpResponse(200, {}, json.dumps(said).encode())

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        raise NotImplementedError


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


URL = "https://gw.example.test"


def test_a_lost_answer_is_asked_for_again_with_the_same_pair(tmp_path: Path) -> None:
    net = Lossy(tmp_path, losses=2)

    found = enrol(str(tmp_path), URL, "code", net=net, clock=Clock())

    assert found.names == ("pc7.dyn.example.com",)
    assert len(net.bodies) == 3
    assert net.bodies[0] == net.bodies[1] == net.bodies[2]
    assert os.listdir(tmp_path / "secrets") == ["gateway"]


def test_the_next_call_goes_on_with_the_same_key(tmp_path: Path) -> None:
    first = Lossy(tmp_path, losses=99)
    with pytest.raises(Transport):
        enrol(str(tmp_path), URL, "code", net=first, clock=Clock())
    second = Lossy(tmp_path, losses=0)

    enrol(str(tmp_path), URL, "code", net=second, clock=Clock())

    assert len(first.bodies) == 5
    assert second.bodies == first.bodies[:1]


def test_a_refused_code_is_not_tried_again(tmp_path: Path) -> None:
    problem = {"type": protocol.problem_type("code-expired"), "detail": "too \x1b[31mold"}
    answer = HttpResponse(403, {"content-type": "application/problem+json"}, json.dumps(problem).encode())
    net = Lossy(tmp_path, losses=0, answer=answer)

    with pytest.raises(BadCredentials, match=r"too .31mold"):
        enrol(str(tmp_path), URL, "code", net=net, clock=Clock())

    assert len(net.bodies) == 1


def test_a_ca_file_that_is_not_there(tmp_path: Path) -> None:
    done = ddns("enroll", URL, "--ca-file", tmp_path / "no.pem", "--data", tmp_path, stdin="code")

    assert done.code == 2
    assert not (tmp_path / "secrets").exists()


def test_a_gateway_that_is_not_trusted(echo: Callable[..., Echo], tmp_path: Path) -> None:
    done = ddns("enroll", echo("").url.rstrip("/"), "--data", tmp_path, stdin="code")

    assert done.code == 13
    assert done.err == (
        "ddns: 127.0.0.1: its certificate is not trusted: unable to get local issuer certificate\n"
        "Name the PEM file of the authority that signed it with: --ca-file FILE\n"
    )


def test_a_gateway_that_is_not_trusted_is_asked_once(tmp_path: Path) -> None:
    net = Lossy(tmp_path, losses=9, error=Untrusted("no", authority=False, advice="Renew it."))
    with pytest.raises(Untrusted) as found:
        enrol(str(tmp_path), URL, "code", net=net, clock=Clock())
    assert (len(net.bodies), found.value.advice) == (1, "Renew it.")


@pytest.mark.parametrize("url", ["http://gw.example.test", "https://", "gw"])
def test_a_url_that_is_none(tmp_path: Path, url: str) -> None:
    done = ddns("enroll", url, "--data", tmp_path, stdin="code")
    assert done.code == 10


def test_settings_and_enrolment_fit_together(
    gateway: Path, served: tuple[str, Callable[[], int]], ca: Authority, tmp_path: Path
) -> None:
    url, _ = served
    machine = tmp_path / "machine"
    asked = ["--name", "pc8.dyn.example.com", "--gateway", url, "--gateway-ca", ca.file]
    assert ddns("config", "init", "--data", machine, *asked).code == 0
    waiting = ddns("config", "validate", "--data", machine)
    assert (waiting.code, waiting.err.count("warning: "), "file:gateway is not in" in waiting.err) == (0, 1, True)

    code = operator(gateway, "code", "pc8").out
    assert ddns("enroll", url, "--ca-file", ca.file, "--data", machine, stdin=code).code == 0

    done = ddns("config", "validate", "--data", machine)
    assert (done.code, done.out, done.err) == (0, f"{machine}/ddns.toml is valid; records: 1, providers: 1\n", "")
    settings = machine / "ddns.toml"
    allowed = settings.read_text().replace(
        "[detect]", '[detect]\nsources = ["gateway"]\nallow_private = ["127.0.0.0/8"]'
    )
    settings.write_text(allowed)
    trial = subprocess.run(
        [sys.executable, "-m", "ddns", "run", "--trial", "--data", str(machine)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
    )
    # The gateway knows the machine and its name; it is the DNS server behind it that nobody serves here.
    assert (trial.returncode, trial.stdout) == (13, "")
    assert trial.stderr == (
        f"ddns: pc8.dyn.example.com A: gateway {url.removeprefix('https://')}: "
        "what stands at pc8.dyn.example.com can't be read from the DNS server now\n"
    )
