"""`ddns status` as a person sees it: the whole screen, in every state."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ddns import host
from ddns.cli.verdict import troubles
from ddns.cli.view import view
from ddns.errors import Held
from ddns.times import utc
from ddns.wording import FOR_EVER
from unit.terminal import HOUR, NOW, ddns, environment, put, record, status

BAD = {
    "code": "provider.bad_credentials",
    "advice": "Store a valid secret with `ddns secret set`, then: ddns run --now",
}
AWAY = {
    "code": "provider.unreachable",
    "advice": "Check the network and the provider's status; the next run tries again.",
}
FINE_RUNS = "runs  ● ● ● ● ● ● ● ● ● ●  10 of 10 fine, nothing changed, last 17:57"
HOME = """\
● home.example.com  A     203.0.113.7
    since 14 Nov 18:00 (8 days) · proven 2 h ago by api · next proof 22:00"""


def where(folder: Path) -> str:
    """The line that leads to the log."""
    return f"What the last full run said is in {folder}/logs/ddns.jsonl"


@pytest.fixture(autouse=True)
def _now(at_now: None) -> None:
    """All of these look at the clock."""


def test_healthy_in_80_columns(tmp_path: Path) -> None:
    six = record(type="AAAA", address="2001:db8:4711:1::7")

    done = ddns("status", "--data", put(tmp_path, status(record(), six)))

    assert (
        done.text
        == f"""\
web01  ● all is well  ddns 0.1.0 · data folder · checked 2 min ago

{HOME}
● home.example.com  AAAA  2001:db8:4711:1::7
    since 14 Nov 18:00 (8 days) · proven 2 h ago by api · next proof 22:00

{FINE_RUNS}"""
    )
    assert (done.code, done.err) == (0, "")


def test_a_fresh_address(tmp_path: Path) -> None:
    fresh = record(since=utc(NOW - 3), outcome="updated", proven_at=None, next_at=utc(NOW - 1))

    done = ddns("status", "--data", put(tmp_path, status(fresh, age=1)))

    assert done.lines[0] == "web01  ● all is well  ddns 0.1.0 · data folder · checked 1 s ago"
    assert done.lines[3] == "    since 17:59 (just now) · not yet proven · next proof with the next run"


def test_a_wide_terminal_has_one_line_a_record(tmp_path: Path) -> None:
    done = ddns("status", "--data", put(tmp_path, status(record(), record("b.example.com", address=None))), width=120)

    assert done.lines[2:4] == [
        "● home.example.com  A     203.0.113.7  since 14 Nov 18:00 (8 days) · proven 2 h ago by api · next proof 22:00",
        "● b.example.com     A     none         since 14 Nov 18:00 (8 days) · proven 2 h ago by api · next proof 22:00",
    ]


def test_a_trouble_that_two_secrets_had_is_told_once(tmp_path: Path) -> None:
    failed = record("nas.example.org", provider="dyn", outcome="failed", error=BAD, next_at=utc(NOW + 20 * HOUR))
    blocks = [
        {"provider": "dyn", "code": BAD["code"], "since": utc(NOW - second), "retry_at": utc(NOW + HOUR - second)}
        for second in (1, 2)
    ]
    done = ddns("status", "--data", put(tmp_path, status(failed, codes=(12, 12), blocks=blocks)))
    assert "1 thing to look at" in done.text
    assert done.text.count("the credentials are not accepted since") == 1


def test_a_long_type_moves_the_addresses_of_all(tmp_path: Path) -> None:
    alias = record("www.example.org", type="CNAME", address="web.example.org")
    done = ddns("status", "--data", put(tmp_path, status(record("web.example.org"), alias)))
    one, other = (line for line in done.text.splitlines() if " A " in line or " CNAME " in line)
    assert one.index("203.0.113.7") == other.rindex("web.example.org")


def test_blocked(tmp_path: Path) -> None:
    failed = record("nas.example.org", provider="dyn", outcome="failed", error=BAD, next_at=utc(NOW + 20 * HOUR))
    block = {
        "provider": "dyn",
        "code": BAD["code"],
        "since": utc(NOW - 4 * HOUR),
        "retry_at": utc(NOW + 20 * HOUR),
    }
    document = status(record(), failed, codes=(0, 0, 13, 0, 12, 12), blocks=[block])

    done = ddns("status", "--data", put(tmp_path, document))

    assert (
        done.text
        == f"""\
web01  ✗ 1 thing to look at  ddns 0.1.0 · data folder · checked 2 min ago

{HOME}
✗ nas.example.org   A     203.0.113.7  since 14 Nov 18:00 (8 days)
    the credentials are not accepted · proven 2 h ago by api
    next attempt 23 Nov 14:00

runs  ● ● ◐ ● ✗ ✗  3 of 6 fine, nothing changed, last 17:57

✗ dyn: the credentials are not accepted since 14:00; asked again 23 Nov 14:00.
  → Store a valid secret with `ddns secret set`, then: ddns run --now

{where(tmp_path)}"""
    )
    assert done.code == 20


def test_the_address_age_stands_before_the_trouble_however_wide_it_is(tmp_path: Path) -> None:
    long = record(f"{'a' * 30}.example.com", address="2001:db8:4711:1::7", type="AAAA", outcome="failed", error=BAD)
    folder = put(tmp_path, status(long))

    assert ddns("status", "--data", folder).lines[2:5] == [
        f"✗ {long['name']}  AAAA  2001:db8:4711:1::7",
        "    since 14 Nov 18:00 (8 days) · the credentials are not accepted",
        "    proven 2 h ago by api · next attempt 22:00",
    ]
    assert (
        "2001:db8:4711:1::7  since 14 Nov 18:00 (8 days) · the cred" in ddns("status", "--data", folder, width=200).out
    )


def test_what_a_person_must_decide_is_not_promised_another_attempt(tmp_path: Path) -> None:
    held = record(outcome="held", error={"code": "provider.rejected", "advice": "Decide."}, next_at=None)

    done = ddns("status", "--data", put(tmp_path, status(held)), width=200)

    assert "the record is refused as it is asked for · proven 2 h ago by api\n" in done.text


def test_the_trace_of_a_full_run_leads_to_its_lines_in_the_log(tmp_path: Path) -> None:
    document = status(record(outcome="failed", error=BAD))
    document["run"]["full"] = True

    done = ddns("status", "--data", put(tmp_path, document), width=40)

    assert done.lines[-1] == f"What the last run said is in {tmp_path}/logs/ddns.jsonl, trace ab12"


def test_settings_that_keep_no_record_are_not_well(tmp_path: Path) -> None:
    done = ddns("status", "--data", put(tmp_path, status()))

    assert (
        done.text
        == f"""\
web01  ✗ 1 thing to look at  ddns 0.1.0 · data folder · checked 2 min ago

No record: the settings name none, or no run has looked at them yet.

{FINE_RUNS}

✗ No records are set.
  → Add a [[record]] to the settings, then: ddns run

{where(tmp_path)}"""
    )
    assert done.code == 20


def test_paused_before_there_is_a_record_is_not_wrong(tmp_path: Path) -> None:
    assert ddns("status", "--data", put(tmp_path, status(paused_until=utc(NOW + HOUR)))).code == 0


def test_paused_is_not_wrong(tmp_path: Path) -> None:
    done = ddns("status", "--data", put(tmp_path, status(record(), paused_until=utc(NOW + 5 * HOUR))))

    assert done.lines[:2] == [
        "web01  ◐ paused  ddns 0.1.0 · data folder · checked 2 min ago",
        "◐ Runs change nothing until 23:00 (in 5 h); end the pause with: ddns resume",
    ]
    assert done.code == 0


def test_paused_without_end(tmp_path: Path) -> None:
    done = ddns("status", "--data", put(tmp_path, status(record(), paused_until=utc(FOR_EVER))))

    assert done.lines[1] == "◐ Runs change nothing; end the pause with: ddns resume"


def test_a_pause_that_is_over_is_none(tmp_path: Path) -> None:
    done = ddns("status", "--data", put(tmp_path, status(record(), paused_until=utc(NOW - 1))))

    assert done.lines[0].startswith("web01  ● all is well")


def test_stale(tmp_path: Path) -> None:
    done = ddns("status", "--data", put(tmp_path, status(record(), age=9 * HOUR)))

    assert done.lines[-6:] == [
        "",
        "✗ The last run ended 9 h ago, though one comes about every 10 min.",
        "  → The scheduled task may not run: see that it is there and enabled",
        "    (Get-DdnsTask, or systemctl list-timers), or run by hand: ddns run",
        "",
        where(tmp_path),
    ]
    assert done.code == 20


@pytest.mark.parametrize(
    ("age", "wrong"), [(1.1 * HOUR, False), (1.2 * HOUR, True), (-240, False), (-400, True)], ids=str
)
def test_an_hour_more_than_usual_is_stale_and_so_is_the_future(age: float, wrong: bool) -> None:
    assert bool(troubles(view(status(record(), age=age)), NOW)) is wrong


def test_a_machine_that_runs_once_a_day_is_not_stale_after_twenty_hours() -> None:
    document = status(record(), age=20 * HOUR)
    for number, run in enumerate(document["last_runs"]):
        run["started"] = utc(NOW - 20 * HOUR - (9 - number) * 24 * HOUR)

    assert troubles(view(document), NOW) == []


def test_wrong_settings(tmp_path: Path) -> None:
    done = ddns("status", "--data", put(tmp_path, status(record(), codes=(0, 10))))

    assert done.lines[-4:] == [
        "✗ The settings are wrong (exit code 10).",
        "  → See every problem with its line: ddns config validate",
        "",
        where(tmp_path),
    ]
    assert done.code == 20


def test_unusable_state_says_why(tmp_path: Path) -> None:
    notes = ["state.newer: Install the newer version again, or restore the state's snapshot taken before the upgrade."]

    done = ddns("status", "--data", put(tmp_path, status(record(), codes=(0, 15), notes=notes)), width=120)

    assert done.lines[-4:] == [
        "✗ The state can't be used (exit code 15).",
        "  → Install the newer version again, or restore the state's snapshot taken before the upgrade.",
        "",
        where(tmp_path),
    ]
    assert done.code == 20


def test_a_rebuilt_state_is_told_and_is_not_wrong(tmp_path: Path) -> None:
    notes = ["the state was damaged and is kept as state.db.damaged-1; history before this is not there"]

    done = ddns("status", "--data", put(tmp_path, status(record(), notes=notes)), width=120)

    assert done.lines[-1] == f"· {notes[0]}"
    assert done.code == 0


def test_several_things_are_told_once_each(tmp_path: Path) -> None:
    sent = record(
        "b.example.com",
        outcome="accepted",
        proven_at=None,
        error={"code": "provider.deferred", "advice": "Nothing."},
        next_at=utc(NOW - 60),
    )
    document = status(
        record(outcome="deferred", error=AWAY, next_at=utc(NOW + 300)),
        sent,
        record(
            "c.example.com",
            address=None,
            since=None,
            outcome="failed",
            error={"code": "address.unknown"},
            next_at=None,
        ),
        record("d.example.com", outcome="held", error={"code": Held.code, "advice": Held.default_advice}, next_at=None),
        record("e.example.com", outcome=None, address=None, since=None, proven_at=None, next_at=None),
        codes=(0, 0, 11, 13),
    )

    done = ddns("status", "--data", put(tmp_path, document), width=100)

    assert (
        done.text
        == """\
web01  ✗ 3 things to look at  ddns 0.1.0 · data folder · checked 2 min ago

◐ home.example.com  A     203.0.113.7  since 14 Nov 18:00 (8 days)
    the provider can't be reached · proven 2 h ago by api · next attempt 18:05
◐ b.example.com     A     203.0.113.7  since 14 Nov 18:00 (8 days)
    sent, not yet seen in DNS · not yet proven · next attempt with the next run
✗ c.example.com     A     none
    the public address is not known · proven 2 h ago by api · next attempt with the next run
◐ d.example.com     A     203.0.113.7  since 14 Nov 18:00 (8 days)
    held by the gateway until an operator releases it · proven 2 h ago by api
○ e.example.com     A     none

runs  ● ● ◐ ◐  2 of 4 fine, nothing changed, last 17:57

✗ home.example.com A: the provider can't be reached.
  → Check the network and the provider's status; the next run tries again.
✗ c.example.com A: the public address is not known.
  → See what each source answers with: ddns detect
✗ d.example.com A: held by the gateway until an operator releases it.
  → Nothing to do here: the gateway keeps the update. Its operator releases it with:
    ddns gateway thaw HOST

"""
        + where(tmp_path)
    )
    assert done.code == 20


def test_names_and_notes_can_not_move_the_cursor(tmp_path: Path) -> None:
    evil = record("\x1b[2Jhome\u202e[bold]x[/bold]\r.example.com", address="1.2.3.4\x07", proven_by="\x9b31m")
    document = status(evil, host="\x1b]0;pwned\x07web01", notes=["\x1b[31mnote\nsecond line"])

    done = ddns("status", "--data", put(tmp_path, document), width=200)

    assert done.lines[0].startswith(r"\x1b]0;pwned\x07web01  ● all is well")
    assert done.lines[2].startswith(r"● \x1b[2Jhome\u202e[bold]x[/bold]\r.example.com  A     1.2.3.4\x07")
    assert done.lines[-1] == r"· \x1b[31mnote second line"
    assert all(line.isprintable() for line in done.out.splitlines())


def test_a_name_longer_than_the_line_is_folded(tmp_path: Path) -> None:
    name = ".".join(["a" * 60, "b" * 60, "example.com"])

    done = ddns("status", "--data", put(tmp_path, status(record(name), record("n.example.com"))))

    assert done.lines[2:4] == [f"● {name[:76]}", f"  {name[76:]}"]
    assert done.lines[4] == "    A     203.0.113.7"
    assert done.lines[6] == "● n.example.com  A     203.0.113.7"
    assert max(map(len, done.lines)) <= 80


def test_a_console_without_our_signs_gets_ascii(tmp_path: Path) -> None:
    failed = record("bücher.example", outcome="failed", error=BAD)

    done = ddns("status", "--data", put(tmp_path, status(failed, codes=(0, 13, 12))), encoding="ascii")

    assert (
        done.text
        == r"""
web01  x 1 thing to look at  ddns 0.1.0 - data folder - checked 2 min ago

x b\xfccher.example  A     203.0.113.7  since 14 Nov 18:00 (8 days)
    the credentials are not accepted - proven 2 h ago by api
    next attempt 22:00

runs  o ~ x  1 of 3 fine, nothing changed, last 17:57

x b\xfccher.example A: the credentials are not accepted.
  -> Store a valid secret with `ddns secret set`, then: ddns run --now

""".lstrip("\n")
        + where(tmp_path)
    )


def test_no_run_yet(tmp_path: Path) -> None:
    done = ddns("status", "--data", tmp_path)

    assert done.err == (f"ddns: no run yet: there is no {tmp_path}/public/status.json\nStart one with: ddns run\n")
    assert (done.code, done.out) == (20, "")


def test_no_run_yet_as_json(tmp_path: Path) -> None:
    done = ddns("status", "--json", "--data", tmp_path)

    assert done.json("status") is None
    assert done.code == 20


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is malformed: it is not JSON"),
        ("", "is malformed: it is not JSON"),
        ("[" * 100_000, "is malformed: it is not JSON"),
        ("[1]", "is malformed: it is no JSON object"),
        ('{"schema": 2}', "was written in another format than this program reads (schema 1)"),
    ],
    ids=["cut", "empty", "deep", "list", "newer"],
)
def test_a_file_that_is_no_status(tmp_path: Path, content: str, said: str) -> None:
    done = ddns("status", "--data", put(tmp_path, content))

    assert said in done.err
    assert (done.code, done.out) == (20, "")


JUNK: list[Any] = [
    None,
    7,
    "x",
    [],
    {},
    [1, None, {}],
    {"name": 7},
    -1e99,
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_in_any_field_is_nothing_worse_than_nothing(tmp_path: Path, junk: Any) -> None:
    document = status(record())
    for name in document:
        if name != "schema":
            put(tmp_path, document | {name: junk})
            assert ddns("status", "--data", tmp_path).code in (0, 20)
    for name in record():
        put(tmp_path, status(record(**{name: junk})))
        assert ddns("status", "--data", tmp_path).code in (0, 20)


def test_fields_of_a_newer_version_are_ignored(tmp_path: Path) -> None:
    document = status(record(weather="fine"), mood={"x": [1]})

    assert ddns("status", "--data", put(tmp_path, document)).lines[0].startswith("web01  ● all is well")


def test_json_passes_the_file_through(tmp_path: Path) -> None:
    document = status(record(), codes=(0, 10), unknown={"deep": [1, "\x1b"]})

    done = ddns("status", "--json", "--data", put(tmp_path, document))

    assert done.json("status") == document
    assert done.out.isascii()
    assert done.code == 20


def _places(monkeypatch: pytest.MonkeyPatch, **folders: Path) -> None:
    found = [host.Places("", "", "", "", str(folder / "public"), whose) for whose, folder in folders.items()]
    monkeypatch.setattr(host, "readable_places", lambda data=None: found)


def test_the_machine_comes_before_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, user = tmp_path / "machine", tmp_path / "user"
    _places(monkeypatch, machine=machine, user=user)
    put(user, status(record("of-the-user.example.com")))

    assert ddns("status").lines[0] == "web01  ● all is well  ddns 0.1.0 · this user · checked 2 min ago"

    put(machine, status(record("of-the-machine.example.com")))
    done = ddns("status")
    assert done.lines[0] == "web01  ● all is well  ddns 0.1.0 · this machine · checked 2 min ago"
    assert "of-the-machine.example.com" in done.out


def test_neither_machine_nor_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _places(monkeypatch, machine=tmp_path / "a", user=tmp_path / "b")

    assert ddns("status").err == (
        f"ddns: no run yet: there is no {tmp_path}/a/public/status.json and no {tmp_path}/b/public/status.json\n"
        "Start one with: ddns run\n"
    )


def test_a_missing_right_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path, status(record()))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("ddns.runtime.reading.open", refuse, raising=False)  # root may read everything
    done = ddns("status", "--data", folder)

    assert done.err == (
        f"ddns: permission denied: this account may not read {folder}/public/status.json\n"
        "Run the command as an administrator, or give this account the right to read that file.\n"
    )
    assert done.code == 20


def test_status_as_json_imports_nothing_heavy(tmp_path: Path) -> None:
    folder = put(tmp_path, status(record()))
    program = (
        "import sys; from ddns.cli.main import main; main(['status', '--json', '--data', sys.argv[1]]);"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    imported = {name.partition(".")[0] for name in done.stderr.split()}
    assert json.loads(done.stdout)["command"] == "status"
    assert "click" in imported
    assert not imported & {"rich", "httpx", "msgspec", "dns", "sqlite3", "ssl"}


@pytest.mark.parametrize(("count", "ago", "told"), [(6, 60.0, True), (5, 60.0, False), (6, 2 * HOUR, False)])
def test_a_machine_that_keeps_waiting_for_the_fleet_s_lease(count: int, ago: float, told: bool) -> None:
    document = status(record(outcome="yielded")) | {
        "contentions_last_hour": count,
        "contended_at": utc(NOW - ago),
    }
    found = [trouble.what for trouble in troubles(view(document), NOW)]
    assert found == (["another machine held the fleet lease in 6 runs of an hour"] if told else [])


def retired(*records: dict[str, Any], **more: Any) -> Any:
    """A status.json of a machine that took its records back ten minutes ago."""
    return status(*records, retired_at=utc(NOW - 600), paused_until=utc(FOR_EVER), **more)


def test_retired(tmp_path: Path) -> None:
    gone = record(address=None, since=None, outcome="removed", proven_at=None)
    done = ddns("status", "--data", put(tmp_path, retired(gone, age=3 * HOUR)), pasted=True, width=200)
    assert (
        done.text
        == f"""\
web01  ◐ retired  ddns 0.1.0 · data folder · checked 3 h ago
◐ Retired 17:50 (10 min ago); nothing is published from this machine
  → To start again: ddns resume --data {tmp_path}

runs  ● ● ● ● ● ● ● ● ● ●  10 of 10 fine, nothing changed, last 14:59"""
    )
    assert done.code == 0
    assert ddns("status", "--json", "--data", tmp_path).json("status")["retired_at"] == utc(NOW - 600)
    assert ddns("status", "--json", "--data", tmp_path).code == 0


def test_retired_with_something_left(tmp_path: Path) -> None:
    gone = record("a.example.com", address=None, since=None, outcome="removed", proven_at=None)
    stands = record("b.example.com", outcome="failed", error=AWAY)
    theirs = record("c.example.com", outcome="contended", error={"code": "provider.conflict", "advice": "Ask them."})
    done = ddns("status", "--data", put(tmp_path, retired(gone, stands, theirs, codes=(0, 13))))
    assert "a.example.com" not in done.text
    assert "nothing is published" not in done.text
    assert done.lines[-7:-1] == [
        "",
        "✗ b.example.com A is still published: the provider can't be reached.",
        "  → Go on with: ddns remove --all",
        "✗ c.example.com A is still published: somebody else keeps changing the record.",
        "  → Ask them.",
        "",
    ]
    assert done.code == 20
