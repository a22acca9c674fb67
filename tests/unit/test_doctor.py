"""What `ddns doctor` finds: each look by itself, and the screen. What providers see is in providers/test_harmless."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from ddns import host
from ddns.cli import doctor as command
from ddns.errors import Malformed, Transport, Untrusted
from ddns.host import tasking
from ddns.host.permits import lacking, others
from ddns.host.servicing import Service
from ddns.host.tasking import Task
from ddns.host.windows.rights import may
from ddns.model import Change, Reason, RecordKey, RecordType, RRset, Run
from ddns.net import ways
from ddns.net.client import Client
from ddns.net.options import Options
from ddns.net.proxies import Proxies
from ddns.ports import Deadline, HttpRequest, HttpResponse
from ddns.runtime.clock import SystemClock
from ddns.runtime.doctor import Finding, Verdict, folders, memory, network, settings, timer
from ddns.runtime.doctor.overheard import Heard, Overheard
from ddns.state.opening import open_store
from ddns.times import utc
from ddns.wording import FOR_EVER
from unit.terminal import HOUR, NOW, at_a_terminal, ddns, put, record, status

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM


def heard(name: str = "api.test", **more: Any) -> Heard:
    fields: dict[str, Any] = {"port": 443, "secure": True, "ca_file": "", "error": None, "skew": None}
    return Heard(name, **(fields | more))


def as_nobody(look: Callable[[], str]) -> str:
    """What a look comes to without the rights of root, and without those of whoever runs the tests."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writer, look().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read().decode()
    os.waitpid(child, 0)
    return told


# -- network


@pytest.fixture
def leaving() -> Iterator[Callable[[Proxies], None]]:
    yield lambda proxies: ways.use(ways.Ways(proxies=proxies))
    ways.use(ways.Ways())


def test_which_proxy_each_server_is_asked_through(leaving: Callable[[Proxies], None]) -> None:
    asked = [heard("api.test"), heard("gw.corp.test"), heard("api.test"), heard("source.test", needed=False)]
    assert network.proxies(asked) == []
    leaving(Proxies("http://proxy.test:3128", no_proxy=("corp.test",)))
    through, directly = network.proxies(asked)
    assert (through.verdict, through.says) == (OK, "through the proxy proxy.test:3128: api.test")
    assert (directly.verdict, directly.says) == (OK, "directly: gw.corp.test")


def test_a_proxy_that_can_not_be_used_is_told_before_it_is_needed(
    leaving: Callable[[Proxies], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    leaving(Proxies("system", system=lambda: Options("", "", "http://wpad.test/proxy.pac")))
    (found,) = network.proxies([heard("api.test")])
    assert found.verdict is PROBLEM
    assert found.says.endswith("is chosen by a script (PAC), which is not run here: http://wpad.test/proxy.pac")
    assert "[proxy] url" in found.advice


@pytest.mark.parametrize(
    ("skews", "verdict", "says"),
    [
        ([], WARNING, "no server told the time"),
        ([0.4], OK, "is right, by 1 server"),
        ([-2.0, 3.0, 1.0], OK, "1 s behind, by 3 servers"),
        ([86400.0, 0.0, 1.0], OK, "1 s behind, by 3 servers"),
        ([45.0], WARNING, "45 s behind"),
        ([-45.0], WARNING, "45 s ahead"),
        ([4000.0, 4001.0], PROBLEM, "signed requests are refused"),
    ],
)
def test_the_clock(skews: list[float], verdict: Verdict, says: str) -> None:
    (found,) = network.clock([heard(f"{n}.test", skew=skew) for n, skew in enumerate(skews)])
    assert found.verdict is verdict
    assert says in found.says
    assert bool(found.advice) is (verdict is not OK)


REFUSED = Transport("api.test: can't connect: Connection refused")
FORGED = Untrusted("api.test: its certificate is not trusted: self-signed certificate")


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([heard()], [(OK, "api.test answers, and an authority that this system trusts vouches for it")]),
        ([heard(ca_file="/ca.pem")], [(OK, "api.test answers, and the authority in /ca.pem vouches for it")]),
        ([heard(port=8443, error=Malformed("x"))], [(OK, "api.test:8443 answers, and an authority")]),
        ([heard(error=REFUSED)], [(PROBLEM, REFUSED.message)]),
        ([heard(error=REFUSED, needed=False)], [(WARNING, REFUSED.message)]),
        ([heard(error=REFUSED), heard()], [(OK, "api.test answers")]),
        ([heard(), heard(error=FORGED, needed=False)], [(PROBLEM, FORGED.message)]),
        ([heard(secure=False)], []),
    ],
    ids=["fine", "own authority", "garbage", "refused", "one of many", "once", "forged", "in the clear"],
)
def test_who_vouches_for_servers(items: list[Heard], expected: list[tuple[Verdict, str]]) -> None:
    found = network.trust(items)
    assert [one.verdict for one in found] == [verdict for verdict, _ in expected]
    assert all(one.says.startswith(says) for one, (_, says) in zip(found, expected, strict=True)), found


def resolver(known: str) -> Callable[[str], object]:
    def resolve(name: str) -> None:
        if name not in known.split():
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    return resolve


@pytest.mark.parametrize(
    ("items", "known", "verdict", "says"),
    [
        ([heard("a.test"), heard("b.test")], "a.test b.test", OK, "knows a.test and 1 more"),
        ([heard("a.test"), heard("b.test")], "a.test", PROBLEM, "does not know b.test: Name or service not known"),
        ([heard("a.test"), heard("b.test", needed=False)], "a.test", WARNING, "does not know b.test"),
        ([heard("a.test", needed=False), heard("b.test", needed=False)], "", PROBLEM, "not know a.test and 1 more"),
    ],
)
def test_names(items: list[Heard], known: str, verdict: Verdict, says: str) -> None:
    (found,) = network.names(items, resolver(known))
    assert found.verdict is verdict
    assert says in found.says


def test_addresses_need_no_names() -> None:
    assert network.names([heard("192.0.2.1"), heard("2001:db8::1")]) == []


class Dated:
    """A server whose clock is `ahead`."""

    def __init__(self, date: str) -> None:
        self.date = date

    def http(self, request: HttpRequest, **_options: object) -> HttpResponse:
        if "refused" in request.url:
            raise REFUSED
        return HttpResponse(200, {"date": self.date} if self.date else {}, b"")

    udp = Client.udp


class Stopped(SystemClock):
    def now(self) -> float:
        return NOW


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Sun, 22 Nov 2026 18:00:00 GMT", 0.5),
        ("Sun, 22 Nov 2026 19:00:00 GMT", HOUR + 0.5),
        ("", None),
        ("yesterday", None),
        ("Sun, 99 Nov 2026 99:00:00 GMT", None),
    ],
)
def test_what_is_overheard_of_an_answer(date: str, skew: float | None) -> None:
    net: Any = Dated(date)
    listening = Overheard(net, Stopped())
    listening.http(HttpRequest("GET", "https://api.test:8443/x?y"), deadline=Deadline(Stopped(), 1))
    assert listening.heard == [Heard("api.test", 8443, True, "", None, skew, False)]


def test_a_failure_is_overheard_and_passed_on() -> None:
    net: Any = Dated("")
    listening = Overheard(net, Stopped())
    with pytest.raises(Transport, match="refused"):
        listening.http(HttpRequest("GET", "https://refused.test/"), deadline=Deadline(Stopped(), 1))
    assert listening.heard[0].error is REFUSED


# -- folders


def laid_out(base: Path) -> host.Places:
    places = host.places(str(base))
    for folder in (places.config, places.secrets, places.state, places.logs):
        Path(folder).mkdir(mode=0o700, exist_ok=True)
        Path(folder).chmod(0o700)
    Path(places.public).mkdir(mode=0o755)
    Path(places.config_file).write_text("schema = 1\n")
    Path(places.config_file).chmod(0o600)
    (base / "secrets" / "token").write_text("s3cret")
    (base / "secrets" / "token").chmod(0o600)
    return places


def wrong(found: list[Finding]) -> list[tuple[str, Verdict]]:
    return [(one.what, one.verdict) for one in found if one.verdict is not OK]


def test_folders_as_they_are_made_are_fine(tmp_path: Path) -> None:
    found = folders.look(laid_out(tmp_path))
    assert wrong(found) == []
    assert [one.what for one in found] == ["settings", "settings folder", "secrets", "state", "logs", "public"]


@pytest.mark.parametrize(
    ("path", "mode", "expected"),
    [
        ("ddns.toml", 0o666, [("settings", PROBLEM)]),
        ("ddns.toml", 0o644, []),
        (".", 0o777, [("settings folder", PROBLEM)]),
        ("secrets", 0o755, [("secrets", PROBLEM)]),
        ("secrets", 0o703, [("secrets", PROBLEM)]),
        ("secrets/token", 0o644, [("secrets", PROBLEM)]),
        ("state", 0o757, [("state", PROBLEM)]),
        ("state", 0o755, []),
    ],
)
def test_rights_of_others(tmp_path: Path, path: str, mode: int, expected: list[tuple[str, Verdict]]) -> None:
    places = laid_out(tmp_path)
    (tmp_path / path).chmod(mode)
    found = folders.look(places)
    assert wrong(found) == expected
    assert all("every user may" in one.says for one in found if one.verdict is PROBLEM)


def test_what_this_account_may_not_do_is_told_as_that(tmp_path: Path) -> None:
    places = laid_out(tmp_path)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    if os.geteuid() == 0:
        told = as_nobody(lambda: str(wrong(folders.look(places))))
    else:
        for name in ("secrets", "state", "logs"):
            (tmp_path / name).chmod(0)
        told = str(wrong(folders.look(places)))
    assert "WARNING" in told or "warning" in told
    assert "problem" not in told or os.geteuid() == 0  # root's files are another account's, for nobody


def test_a_file_of_another_account_is_told(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        return  # only root can make one
    (tmp_path / "x").write_text("")
    os.chown(tmp_path / "x", 65534, 65534)
    assert next(who.who for who in others(str(tmp_path / "x"))).endswith("whose it is")
    assert lacking(str(tmp_path / "x")) == ""


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (0x1200A9, (True, False)),
        (0x1F01FF, (True, True)),
        (-0x80000000, (True, False)),
        (0x10000000, (True, True)),
        (0x100000, (False, False)),
        (0x40000, (False, True)),
    ],
)
def test_a_mask_of_windows(mask: int, expected: tuple[bool, bool]) -> None:
    assert may(mask) == expected


# -- state


KEY = RecordKey("main", "home.example.com", RecordType.A)


def state_with_an_intent(base: Path, at: float) -> host.Places:
    (base / "state").mkdir()
    store = open_store(str(base / "state" / "state.db"), at)
    run = Run("t", "schedule", at)
    store.begin(run)
    store.intend(run, [Change("t-0", KEY, None, RRset(frozenset({IPv4Address("192.0.2.1")})), Reason.CREATE)])
    store.close_file()
    return host.places(str(base))


def test_no_state_yet(tmp_path: Path) -> None:
    (found,) = memory.look(host.places(str(tmp_path)), NOW)
    assert (found.verdict, found.says) == (WARNING, "there is no state: no run has been here")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(("age", "verdict"), [(60.0, OK), (7200.0, WARNING)])
def test_what_was_left_open(tmp_path: Path, age: float, verdict: Verdict) -> None:
    places = state_with_an_intent(tmp_path, NOW - age)
    before = Path(places.state_file).read_bytes()
    whole, open_changes = memory.look(places, NOW)
    assert whole.verdict is OK
    assert open_changes.verdict is verdict
    assert open_changes.says.startswith("1 change has no known end yet, the oldest from ")
    assert Path(places.state_file).read_bytes() == before


def test_a_state_that_is_no_state(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.db").write_bytes(b"no database, " * 100)
    (found,) = memory.look(host.places(str(tmp_path)), NOW)
    assert found.verdict is PROBLEM
    assert "file is not a database" in found.says


def test_a_state_of_a_newer_program(tmp_path: Path) -> None:
    places = state_with_an_intent(tmp_path, NOW)
    base = sqlite3.connect(places.state_file)
    base.execute("UPDATE meta SET value = '99' WHERE key = 'min_writer'")
    base.commit()
    base.close()
    (found,) = memory.look(places, NOW)
    assert found.verdict is PROBLEM
    assert "newer version" in found.says


def test_a_state_with_a_damaged_page(tmp_path: Path) -> None:
    places = state_with_an_intent(tmp_path, NOW)
    content = bytearray(Path(places.state_file).read_bytes())
    content[-4096:] = b"\xa5" * 4096
    Path(places.state_file).write_bytes(content)
    found = memory.look(places, NOW)
    assert found[-1].verdict is PROBLEM


def test_an_earlier_damage(tmp_path: Path) -> None:
    places = state_with_an_intent(tmp_path, NOW)
    (tmp_path / "state" / "state.db.damaged-1").write_text("")
    assert memory.look(places, NOW)[-1].verdict is WARNING


# -- settings, schedule


def test_settings_that_are_wrong(tmp_path: Path) -> None:
    (tmp_path / "ddns.toml").write_text("schema = 1\nnonsense = 2\n[log]\nlevel = 'LOUD'\n")
    loaded, (found,) = settings.look(host.places(str(tmp_path)))
    assert loaded is None
    assert found.verdict is PROBLEM
    assert "nonsense" in found.says
    assert found.says.endswith("and 1 more")


def test_settings_without_records(tmp_path: Path) -> None:
    (tmp_path / "ddns.toml").write_text("schema = 1\n")
    loaded, found = settings.look(host.places(str(tmp_path)))
    assert loaded is not None
    assert wrong(found) == [("records", PROBLEM)]


def test_settings_that_this_account_may_not_read(tmp_path: Path) -> None:
    (tmp_path / "ddns.toml").write_text("schema = 1\n")
    (tmp_path / "ddns.toml").chmod(0)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    told = as_nobody(lambda: str(wrong(settings.look(host.places(str(tmp_path)))[1])))
    assert told == str([("file", WARNING)])


@contextmanager
def systemd(folder: Path, monkeypatch: pytest.MonkeyPatch, active: str) -> Iterator[None]:
    """A machine with systemd, on which one unit is active."""
    program = folder / "systemctl"
    program.write_text(
        f'#!/bin/sh\n[ "$1 $2" = "is-active {active}" ] && echo active || {{ echo inactive; exit 3; }}\n'
    )
    program.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        patch.setattr(timer, "RUNNING", str(folder))
        yield


@pytest.mark.parametrize(
    ("active", "verdict"), [("ddns.timer", OK), ("ddns-watch.service", OK), ("other.timer", WARNING)]
)
def test_the_timer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, active: str, verdict: Verdict) -> None:
    machine = host.Places("/c", "/s", "/st", "/l", "/p", "machine")
    with systemd(tmp_path, monkeypatch, active):
        (found,) = timer.look(machine)
        assert found.verdict is verdict
        assert timer.look(host.places(str(tmp_path))) == []


# -- the command


def test_before_there_is_anything(tmp_path: Path, at_now: None) -> None:
    folder = tmp_path / "none"
    done = ddns("doctor", "--data", folder)
    assert done.code == 20
    assert done.lines[0].split()[:3] == ["✗", "settings", "file"]
    assert "→ Write them with: ddns config init" in done.text
    assert done.lines[-1].endswith("Nothing was written.")
    assert not folder.exists()


def test_json_has_every_check(tmp_path: Path, at_now: None) -> None:
    put(tmp_path, status(record()))
    (tmp_path / "ddns.toml").write_text("schema = 1\nnonsense = 2\n")
    done = ddns("doctor", "--json", "--data", tmp_path)
    told = done.json("doctor")
    assert (done.code, told["verdict"]) == (20, "problem")
    assert {check["area"] for check in told["checks"]} == {"settings", "permissions", "state", "schedule"}
    last = told["checks"][-1]
    assert last == {
        "area": "schedule",
        "what": "last run",
        "verdict": "ok",
        "says": "the last run ended 2 min ago, and all was well",
        "advice": None,
    }


def test_runs_that_no_longer_come_are_a_problem(tmp_path: Path, at_now: None) -> None:
    put(tmp_path, status(record(), age=9 * HOUR))
    told = ddns("doctor", "--json", "--data", tmp_path).json("doctor")
    assert told["checks"][-1]["verdict"] == "problem"
    assert "Get-DdnsTask" in told["checks"][-1]["advice"]


def test_every_area_has_its_place() -> None:
    found = [module.AREA for module in (settings, folders, memory, timer, network)]
    assert set(found) | {network.ADDRESSES, network.TIME, "credentials"} == set(command._AREAS)


def test_a_terminal_sees_what_is_looked_at(tmp_path: Path) -> None:
    """While the one source that there is keeps silent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        closed = f"https://127.0.0.1:{port}/"  # nobody listens there over TCP
        (tmp_path / "ddns.toml").write_text(
            f'schema = 1\n[detect]\nsources = [{{ url = "{closed}", operator = "one" }}]\n'
            f'probe4 = "dns://127.0.0.1:{port}/whoami.test"\ntimeout = "500ms"\n'
        )
        code, text = at_a_terminal("doctor", "--data", str(tmp_path))
    assert code == 20
    assert "looking at the public address, IPv4" in text
    assert "no records are set" in text.rpartition("looking at")[2]


# -- what starts runs on Windows

TASK = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers>
    <BootTrigger><Enabled>true</Enabled></BootTrigger>
    <TimeTrigger><Repetition><Interval>PT10M</Interval></Repetition><StartBoundary>2026-01-01T00:00:00</StartBoundary></TimeTrigger>
    <LogonTrigger><Enabled>false</Enabled><Repetition><Interval>PT1M</Interval></Repetition></LogonTrigger>
  </Triggers>
  <Settings><Enabled>{enabled}</Enabled></Settings>
  <Actions><Exec><Command>"{command}"</Command><Arguments>run</Arguments></Exec></Actions>
</Task>
"""
STOPPED, RUNNING, ABSENT = (Service(state) for state in ("stopped", "running", "not installed"))


def test_a_task_as_the_scheduler_writes_it() -> None:
    found = tasking.parse(TASK.format(enabled="true", command=r"C:\ddns.exe"))
    assert found == Task(enabled=True, command=r"C:\ddns.exe", triggers=2, every=600.0)
    assert tasking.parse("ERROR: The system cannot find the file specified.") is None
    assert tasking.parse("<Task/>") is None


@pytest.mark.parametrize(
    ("found", "kept", "sees_all", "expected"),
    [
        (Task(True, __file__, 2, 600.0), ABSENT, True, [(OK, "is enabled and starts")]),
        (Task(True, __file__, 2, 600.0), RUNNING, True, [(OK, "the service runs"), (WARNING, "both start runs")]),
        (Task(False, __file__, 2, 600.0), RUNNING, True, [(OK, "the service runs")]),
        (Task(False, __file__, 2, 600.0), ABSENT, True, [(PROBLEM, "is disabled")]),
        (Task(True, __file__ + "x", 2, 600.0), ABSENT, True, [(PROBLEM, "which is not there")]),
        (Task(True, __file__, 0, None), ABSENT, True, [(PROBLEM, "no trigger")]),
        (None, ABSENT, True, [(PROBLEM, "nothing starts runs")]),
        (None, ABSENT, False, [(WARNING, "may not see")]),
        (None, STOPPED, True, [(PROBLEM, "the service is stopped")]),
        (None, RUNNING, False, [(OK, "the service runs")]),
    ],
)
def test_what_starts_runs_on_windows(
    found: Task | None, kept: Service, sees_all: bool, expected: list[tuple[Verdict, str]]
) -> None:
    told = timer.windows(found, kept, sees_all=sees_all)
    assert [one.verdict for one in told] == [verdict for verdict, _ in expected]
    assert all(says in one.says for one, (_, says) in zip(told, expected, strict=True)), told
    assert all(bool(one.advice) is (one.verdict is not OK) for one in told)


@pytest.mark.parametrize(("command", "verdict"), [(r"C:\ddns.exe watch", OK), ("", WARNING)])
def test_what_starts_with_a_user_s_session(command: str, verdict: Verdict) -> None:
    (found,) = timer.logon(command)
    assert found.verdict is verdict


def test_a_retired_machine_is_no_problem_of_its_schedule(tmp_path: Path, at_now: None) -> None:
    put(tmp_path, status(age=30 * HOUR) | {"retired_at": utc(NOW - 30 * HOUR), "paused_until": utc(FOR_EVER)})
    checks = ddns("doctor", "--json", "--data", tmp_path).json("doctor")["checks"]
    (found,) = (check for check in checks if check["area"] == "schedule")
    assert (found["verdict"], found["advice"]) == ("warning", "To start again: ddns resume")
    assert "retired since" in found["says"]
