"""plan, detect, history, pause, resume and secret as a person sees them."""

from __future__ import annotations

import json
import stat
import time
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from ddns import host
from ddns.address import Family
from ddns.cycle import Found
from ddns.detection import Absent, Answer, Available, Detected, Detection, Elsewhere, Unknown
from ddns.errors import AddressError, DdnsError, Deferred, Rejected, Transport
from ddns.model import (
    Change,
    Fate,
    Hold,
    Keep,
    Kind,
    Observed,
    Outcome,
    Plan,
    Reason,
    RecordKey,
    RecordType,
    Resolution,
    RRset,
    Run,
)
from ddns.runtime import RunRequest, looking
from ddns.state.opening import open_store
from ddns.times import utc
from ddns.wording import FOR_EVER
from unit.terminal import HOUR, NOW, ddns, put, record, status

OLD, NEW = (RRset(frozenset({IPv4Address(text)})) for text in ("203.0.113.7", "203.0.113.8"))


def key(name: str) -> RecordKey:
    return RecordKey("main", name, RecordType.A)


# -- plan

CHANGED = Change("t-0", key("home.example.com"), OLD, NEW, Reason.ADDRESS)
CREATED = Change("t-1", key("new.example.com"), None, NEW, Reason.CREATE)
RIGHT = Keep(key("nas.example.com"), NEW, Observed(key("nas.example.com"), NEW, "api", NOW))
REJECTED = Rejected(
    "www.example.com A already has 2 values (192.0.2.1, \x1b[31m) that this machine did not write",
    advice='Remove the others, or set adopt = "all".',
)
KNOWN = Detected(Available(IPv4Address("203.0.113.8"), ("ipify", "Amazon")))


def plans(monkeypatch: pytest.MonkeyPatch, plan: Plan, detected: Detected = KNOWN) -> None:
    found = Found({Family.V4: detected}, {}, plan)
    monkeypatch.setattr(looking, "plan", lambda *_: found)


def hold(name: str, kind: Kind, cause: DdnsError, until: float | None = None) -> Hold:
    return Hold(key(name), kind, cause, until)


def test_a_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    plans(monkeypatch, Plan((CHANGED, CREATED), (RIGHT,), (hold("www.example.com", Kind.HELD, REJECTED),)))

    done = ddns("plan", width=110)

    assert (
        done.text
        == r"""● IPv4  203.0.113.8  agreed by ipify, Amazon

~  home.example.com  A  203.0.113.7 → 203.0.113.8  the address changed
+  new.example.com   A  none → 203.0.113.8         is not there yet
=  nas.example.com   A  203.0.113.8                seen by api
!  www.example.com   A  held

✗ www.example.com A already has 2 values (192.0.2.1, \x1b[31m) that this machine did not write
  → Remove the others, or set adopt = "all".

2 to change, 1 right, 1 held. Nothing was changed; `ddns run` does it."""
    )
    assert done.code == 12


def test_a_plan_counts_what_is_left_alone_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Deferred("main failed too often and is left alone for 60 s", until=NOW)
    left = (
        hold("a.example.com", Kind.DEFERRED, away),
        hold("b.example.com", Kind.FAILED, Transport("b.example.com A: no answer")),
        hold("c.example.com", Kind.HELD, REJECTED),
    )
    plans(monkeypatch, Plan(held=left))

    done = ddns("plan", width=120)

    assert (
        done.text
        == r"""● IPv4  203.0.113.8  agreed by ipify, Amazon

!  a.example.com  A  deferred
!  b.example.com  A  failed
!  c.example.com  A  held

✗ a.example.com A: main failed too often and is left alone for 60 s
  → Nothing to do: the record is kept and tried again later. `ddns run --now` tries at once.

✗ b.example.com A: no answer
  → Check the network and the provider's status; the next run tries again.

✗ c.example.com A: www.example.com A already has 2 values (192.0.2.1, \x1b[31m) that this machine did not write
  → Remove the others, or set adopt = "all".

→ Look all the same with: ddns plan --now

0 to change, 0 right, 1 held, 1 deferred, 1 failed. Nothing was changed."""
    )
    assert done.code == 12


@pytest.mark.parametrize("now", [False, True])
def test_a_plan_looks_at_what_is_left_alone_when_it_is_asked_to(now: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[RunRequest] = []
    left = Plan(held=(hold("a.example.com", Kind.DEFERRED, Deferred("main is left alone", until=NOW)),))

    def look(_start: object, request: RunRequest) -> Found:
        asked.append(request)
        return Found({Family.V4: KNOWN}, {}, left)

    monkeypatch.setattr(looking, "plan", look)

    done = ddns("plan", *["--now"] * now)

    assert asked == [RunRequest(now=now)]
    assert ("ddns plan --now" in done.out) is not now


def test_a_plan_without_records(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found({}, {}, Plan())
    monkeypatch.setattr(looking, "plan", lambda *_: found)

    done = ddns("plan")

    assert done.lines == [
        "No records are set; add a [[record]] to the settings.",
        "",
        "0 to change, 0 right, 0 held. Nothing was changed.",
    ]


def test_a_plan_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = Detected(Absent("no route to the Internet over IPv4"))
    plans(monkeypatch, Plan(unchanged=(Keep(key("a.example.com"), None, note="no route"),)), absent)

    done = ddns("plan")

    assert done.lines == [
        "○ IPv4  none  no route to the Internet over IPv4",
        "",
        "=  a.example.com  A  none  no route",
        "",
        "0 to change, 1 right, 0 held. Nothing was changed.",
    ]
    assert done.code == 0


def test_a_plan_without_an_address_is_11_and_one_that_waits_13(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = hold("a.example.com", Kind.FAILED, AddressError("not known: " + "x" * 500))
    plans(monkeypatch, Plan(held=(unknown,)), Detected(Unknown(("ipify: HTTP 503",))))
    done = ddns("plan")
    assert done.lines[0] == "✗ IPv4  not known  no two operators agree; records stay"
    assert "✗ a.example.com A: the public address is not known" in done.lines
    assert done.code == 11

    waits = hold("a.example.com", Kind.DEFERRED, Transport("away"), NOW + HOUR)
    plans(monkeypatch, Plan(held=(waits,)))
    assert ddns("plan").code == 13


def test_a_plan_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    held = hold("www.example.com", Kind.HELD, REJECTED, NOW)
    plans(monkeypatch, Plan((CHANGED,), (RIGHT,), (held,)))

    done = ddns("plan", "--json")

    where = {"type": "A", "provider": "main"}
    data = done.json("plan")
    assert data["changes"] == [
        {"name": "home.example.com", **where, "from": ["203.0.113.7"], "to": ["203.0.113.8"], "reason": "address"}
    ]
    assert data["unchanged"] == [
        {"name": "nas.example.com", **where, "values": ["203.0.113.8"], "observed_by": "api", "note": None}
    ]
    assert data["held"] == [
        {
            "name": "www.example.com",
            **where,
            "outcome": "held",
            "code": "provider.rejected",
            "message": REJECTED.message,
            "advice": REJECTED.advice,
            "until": utc(NOW),
        }
    ]
    assert [family["verdict"] for family in data["families"]] == ["available"]
    assert done.out.isascii()
    assert done.code == 12


def test_a_plan_without_settings(tmp_path: Path) -> None:
    done = ddns("plan", "--data", tmp_path)

    assert done.err == (f"ddns: there are no settings at {tmp_path}/ddns.toml\nWrite them with: ddns config init\n")
    assert (done.code, done.out) == (10, "")


# -- detect

SAID = (
    Answer("google", "Google", False, address=IPv4Address("203.0.113.8"), seconds=0.0094),
    Answer("ipify", "ipify", True, address=IPv4Address("203.0.113.8"), seconds=0.084),
    Answer("icanhazip", "Cloudflare", True, address=IPv4Address("198.51.100.66"), seconds=0.061),
    Answer("own\x1b[2J", "me", True, problem="own\x1b[2J: HTTP 503", seconds=1.5),
)


def says(
    monkeypatch: pytest.MonkeyPatch,
    resting: dict[str, float] | None = None,
    skew: str = "",
    **families: Detection,
) -> list[Family]:
    wanted: list[Family] = []

    def detect_all(_start: object, asked: list[Family]) -> dict[Family, looking.Seen]:
        wanted.extend(asked)
        detected = {Family[name]: Detected(found, SAID if name == "V4" else ()) for name, found in families.items()}
        return {family: looking.Seen(found, resting or {}, skew) for family, found in detected.items()}

    monkeypatch.setattr(looking, "detect_all", detect_all)
    return wanted


def test_detect(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, V4=KNOWN.detection, V6=Absent("no route to the Internet over IPv6"))

    done = ddns("detect")

    assert (
        done.text
        == r"""   source      operator    TLS  answer           ms
●  google      Google      no   203.0.113.8       9
●  ipify       ipify       yes  203.0.113.8      84
✗  icanhazip   Cloudflare  yes  198.51.100.66    61
○  own\x1b[2J  me          yes  HTTP 503       1500

● IPv4  203.0.113.8  agreed by ipify, Amazon

○ IPv6  none  no route to the Internet over IPv6"""
    )
    assert done.code == 0


def test_detect_shows_who_agrees_first_whoever_came_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "SAID", SAID[::-1])
    says(monkeypatch, V4=KNOWN.detection)
    assert [line.split()[:2] for line in ddns("detect").lines[1:5]] == [
        ["●", "ipify"],
        ["●", "google"],
        ["✗", "icanhazip"],
        ["○", r"own\x1b[2J"],
    ]
    says(monkeypatch, V4=Unknown(("nobody agrees",)))
    assert [line.split()[:2] for line in ddns("detect").lines[1:5]] == [
        ["○", "icanhazip"],
        ["○", "ipify"],
        ["○", "google"],
        ["○", r"own\x1b[2J"],
    ]


def test_detect_in_a_narrow_terminal_keeps_words_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, V4=KNOWN.detection)

    assert (
        ddns("detect", width=40).text
        == r"""● google  operator Google  TLS no
    answer 203.0.113.8  ms 9
● ipify  operator ipify  TLS yes
    answer 203.0.113.8  ms 84
✗ icanhazip  operator Cloudflare
    TLS yes  answer 198.51.100.66  ms 61
○ own\x1b[2J  operator me  TLS yes
    answer HTTP 503  ms 1500

● IPv4  203.0.113.8  agreed by ipify,
  Amazon"""
    )
    assert ddns("detect", width=60).lines[0] == "   source      operator    TLS  answer           ms"


def test_detect_shows_who_rests_and_a_clock_that_is_wrong(monkeypatch: pytest.MonkeyPatch, at_now: None) -> None:
    says(monkeypatch, {"icanhazip": NOW + 600.0}, "this machine's clock is 300 s behind", V4=KNOWN.detection)

    done = ddns("detect")

    assert done.lines[3] == "✗  icanhazip   Cloudflare  yes  198.51.100.66  rests until 18:10    61"
    assert done.lines[-1] == "◐ this machine's clock is 300 s behind"
    (family,) = ddns("detect", "--json").json("detect")["families"]
    assert family["clock"] == "this machine's clock is 300 s behind"
    assert [answer["resting_until"] for answer in family["answers"]] == [None, None, "2026-11-22T18:10:00.000Z", None]


def test_detect_behind_a_portal_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, V4=Unknown(("a captive portal, or a proxy that inspects TLS, answers in place of the sources",)))

    assert ddns("detect").lines[-2:] == [
        "◐ a captive portal, or a proxy that inspects TLS, answers in place of the",
        "  sources; log in to this network with a browser",
    ]


def test_detect_on_a_network_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, V4=Elsewhere("this machine is on another network"))

    done = ddns("detect")

    assert done.lines[-1] == "○ IPv4  records stay  this machine is on another network"
    assert done.code == 0
    (family,) = ddns("detect", "--json").json("detect")["families"]
    assert (family["verdict"], family["because"]) == ("elsewhere", "this machine is on another network")


# -- sources


def source(name: str, **more: object) -> dict[str, object]:
    row = {"name": name, "operator": "Op", "families": (4, 6), "authenticated": True, "how": "https"}
    return row | {"built_in": True, "used": False, "resting": {}} | more


LISTED = [
    source("unused"),
    source("tired", used=True, resting={"ipv6": "2026-11-22T18:10:00.000Z"}),
    source("own\x1b[2J", used=True, families=(4,), authenticated=False, how="command", built_in=False),
]


def test_sources(monkeypatch: pytest.MonkeyPatch, at_now: None) -> None:
    monkeypatch.setattr(looking, "known_sources", lambda _start: LISTED)

    done = ddns("sources")

    assert (
        done.text
        == r"""   source      operator  IP     TLS  how
◐  tired       Op        v4 v6  yes  https    IPv6 rests until 18:10
●  own\x1b[2J  Op        v4     no   command  in use
○  unused      Op        v4 v6  yes  https"""
    )
    assert done.code == 0


def test_sources_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "known_sources", lambda _start: LISTED)

    rows = ddns("sources", "--json").json("sources")["sources"]

    assert [row["name"] for row in rows] == ["unused", "tired", "own\x1b[2J"]
    assert rows[1]["resting"] == {"ipv6": "2026-11-22T18:10:00.000Z"}
    assert rows[2]["families"] == [4]


def test_detect_of_a_family_that_no_source_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, V6=Unknown(("no source for IPv6 is set",)))
    assert "✗ IPv6  not known  no source for IPv6 is set; records stay" in ddns("detect").lines


def test_detect_that_can_not_tell_is_11(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, V4=Unknown(("ipify: HTTP 503",)))

    done = ddns("detect")

    assert done.lines[-1] == "✗ IPv4  not known  no two operators agree; records stay"
    assert done.lines[1].startswith("○  google")  # nobody is right or wrong then
    assert done.code == 11


@pytest.mark.parametrize(
    ("flags", "families"), [([], []), (["-4"], [4]), (["-6"], [6]), (["-6", "-4"], [4, 6])], ids=str
)
def test_detect_asks_for_the_families_that_are_wanted(
    flags: list[str], families: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = says(monkeypatch, V4=KNOWN.detection)
    ddns("detect", *flags)
    assert asked == families


def test_detect_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, V4=KNOWN.detection, V6=Unknown(("a: b",)))

    done = ddns("detect", "--json")

    four, six = done.json("detect")["families"]
    assert four["address"] == "203.0.113.8"
    assert four["answers"][0] == {
        "source": "google",
        "operator": "Google",
        "authenticated": False,
        "address": "203.0.113.8",
        "problem": None,
        "ms": 9,
        "resting_until": None,
    }
    assert (six["verdict"], six["address"], six["causes"], six["answers"]) == ("unknown", None, ["a: b"], [])
    assert done.code == 11


# -- history


def remembered(folder: Path) -> Path:
    """A state with one change of each end, and a gap."""
    (folder / "state").mkdir()
    store = open_store(str(folder / "state" / "state.db"), NOW)
    run = Run("t", "schedule", NOW - 3 * 24 * HOUR)
    store.begin(run)
    store.note(NOW - 4 * 24 * HOUR, "the state was damaged; history before this is not there \x1b[2J")
    made, moved = store.intend(
        run,
        [Change("t-0", key("home.example.com"), None, OLD, Reason.CREATE), CHANGED_ALSO],
    )
    store.settle(run, Outcome(Kind.UPDATED, made.key, NOW - 3 * 24 * HOUR, OLD, made))
    store.settle(run, Outcome(Kind.FAILED, moved.key, NOW, None, moved, cause=Rejected("a \x1b[31mCNAME stands there")))
    today = Run("u", "schedule", NOW - HOUR)
    store.begin(today)
    lost, ours = store.intend(
        today,
        [
            Change("u-0", key("home.example.com"), OLD, NEW, Reason.ADDRESS),
            Change("u-1", key("new.example.com"), None, NEW, Reason.CREATE),
        ],
    )
    store.resolve(today, Resolution(lost, Fate.ADOPTED, Observed(lost.key, NEW, "api", NOW - HOUR)))
    store.settle(today, Outcome(Kind.ACCEPTED, ours.key, NOW - HOUR, NEW, ours))
    store.close_file()
    return folder


CHANGED_ALSO = Change("t-1", key("www.example.com"), OLD, None, Reason.REMOVE)


def test_history(tmp_path: Path, at_now: None) -> None:
    done = ddns("history", "--data", remembered(tmp_path), width=110)

    assert (
        done.text
        == r"""◐  17:00         new.example.com   A  none → 203.0.113.8         create, sent, not yet seen
●  17:00         home.example.com  A  203.0.113.7 → 203.0.113.8  address, found in DNS
✗  19 Nov 18:00  www.example.com   A  203.0.113.7 → none         remove, refused: a \x1b[31mCNAME stands there
●  19 Nov 18:00  home.example.com  A  none → 203.0.113.7         create, in DNS

◐ 18 Nov 18:00  the state was damaged; history before this is not there \x1b[2J

home.example.com  A  ··························●──●  203.0.113.8 since 17:00
new.example.com   A  ·····························◐  not seen in DNS
www.example.com   A  ··························✗···  not seen in DNS
last 30 days         ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█▁▁█  2 changes"""
    )
    assert done.code == 0


def test_a_history_of_notes_begins_at_the_top(tmp_path: Path, at_now: None) -> None:
    (tmp_path / "state").mkdir()
    store = open_store(str(tmp_path / "state" / "state.db"), NOW)
    store.note(NOW, "the state was damaged; history before this is not there")
    store.close_file()

    assert ddns("history", "--data", tmp_path).lines[:2] == [
        "◐ 18:00  the state was damaged; history before this is not there",
        "",
    ]


def test_history_in_a_narrow_terminal_keeps_words_whole(tmp_path: Path, at_now: None) -> None:
    folder = remembered(tmp_path)

    assert ddns("history", "--data", folder, width=60).lines[:8] == [
        "◐ 17:00  new.example.com  A  none → 203.0.113.8",
        "    create, sent, not yet seen",
        "● 17:00  home.example.com  A  203.0.113.7 → 203.0.113.8",
        "    address, found in DNS",
        "✗ 19 Nov 18:00  www.example.com  A  203.0.113.7 → none",
        r"    remove, refused: a \x1b[31mCNAME stands there",
        "● 19 Nov 18:00  home.example.com  A  none → 203.0.113.7",
        "    create, in DNS",
    ]
    assert ddns("history", "--data", folder, width=40).lines[:5] == [
        "◐ 17:00  new.example.com  A",
        "    none → 203.0.113.8",
        "    create, sent, not yet seen",
        "● 17:00  home.example.com  A",
        "    203.0.113.7 → 203.0.113.8",
    ]


def test_history_is_as_long_as_asked_for(tmp_path: Path, at_now: None) -> None:
    done = ddns("history", "--limit", 1, "--data", remembered(tmp_path))

    assert done.lines[: done.lines.index("")] == [
        "◐  17:00  new.example.com  A  none → 203.0.113.8  create, sent, not yet seen"
    ]
    assert done.lines[-1].endswith("2 changes")


def test_history_as_json(tmp_path: Path, at_now: None) -> None:
    data = ddns("history", "--json", "--data", remembered(tmp_path)).json("history")

    assert data["entries"][2] == {
        "at": utc(NOW - 3 * 24 * HOUR),
        "kind": "change",
        "name": "www.example.com",
        "type": "A",
        "provider": "main",
        "from": ["203.0.113.7"],
        "to": None,
        "reason": "remove",
        "state": "refused",
        "detail": "a \x1b[31mCNAME stands there",
        "id": "t-1",
    }
    assert data["entries"][4]["kind"] == "note"
    assert len(data["per_day"]) == 30
    assert data["per_day"][-1] == {"day": "2026-11-22", "changes": 1}
    assert data["per_day"][-4] == {"day": "2026-11-19", "changes": 1}
    home = data["timelines"][0]
    assert (home["name"], home["type"], home["provider"]) == ("home.example.com", "A", "main")
    assert home["periods"] == [
        {"values": ["203.0.113.7"], "since": utc(NOW - 3 * 24 * HOUR), "until": utc(NOW - HOUR)},
        {"values": ["203.0.113.8"], "since": utc(NOW - HOUR), "until": None},
    ]
    assert home["days"] == ["unknown"] * 26 + ["changed", "same", "same", "changed"]


def test_history_of_one_name(tmp_path: Path, at_now: None) -> None:
    done = ddns("history", "--name", "HOME.example.com.", "--data", remembered(tmp_path))

    assert [line.split()[-3:] for line in done.lines if "www" in line or "new" in line] == []
    assert "the state was damaged" in done.out
    assert done.lines[-2].startswith("home.example.com  A  ")


def test_history_where_a_terminal_has_no_signs(tmp_path: Path, at_now: None) -> None:
    done = ddns("history", "--data", remembered(tmp_path), encoding="ascii")

    assert "home.example.com  A  --------------------------o==o  203.0.113.8 since 17:00" in done.lines


def test_history_of_a_name_that_has_none(tmp_path: Path) -> None:
    said = ddns("history", "--name", "hmoe.example.com", "--data", tmp_path).out
    assert said == "No change of hmoe.example.com is known; without --name all are shown.\n"


def test_history_before_the_first_run(tmp_path: Path) -> None:
    assert ddns("history", "--data", tmp_path).out == "No change yet: no run has published anything here.\n"
    assert ddns("history", "--json", "--data", tmp_path).json("history")["entries"] == []
    assert not (tmp_path / "state").exists()


def test_history_of_a_file_that_is_no_state(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.db").write_bytes(b"no database, " * 100)

    done = ddns("history", "--data", tmp_path)

    assert done.err == (
        f"ddns: the state is damaged: {tmp_path}/state/state.db: file is not a database\n"
        "The next run sets it aside and builds a new one: ddns run\n"
    )
    assert done.code == 15


# -- pause and resume


def paused_until(folder: Path) -> object:
    return json.loads((folder / "public" / "status.json").read_text())["paused_until"]


def test_pause_and_resume(tmp_path: Path, at_now: None) -> None:
    put(tmp_path, status(record()))

    done = ddns("pause", "2h", "--data", tmp_path)
    assert (done.code, done.out) == (0, "paused until 20:00 (in 2 h); `ddns resume` ends it\n")
    assert paused_until(tmp_path) == utc(NOW + 2 * HOUR)
    assert ddns("status", "--data", tmp_path).lines[0].startswith("web01  ◐ paused")

    assert ddns("run", "--data", tmp_path).out == f"paused; `ddns resume --data {tmp_path}` ends it\n"
    assert paused_until(tmp_path) == utc(NOW + 2 * HOUR)

    assert ddns("resume", "--data", tmp_path).out == "runs work again\n"
    assert paused_until(tmp_path) is None
    assert ddns("resume", "--data", tmp_path).out == "runs were not paused\n"
    assert ddns("run", "--data", tmp_path).code == 10  # works again, so it looks for settings


def test_a_pause_without_end(tmp_path: Path, at_now: None) -> None:
    assert ddns("pause", "--data", tmp_path).out == "paused; `ddns resume` ends it\n"
    assert ddns("pause", "--json", "--data", tmp_path).json("pause") == {"paused_until": utc(FOR_EVER)}
    assert ddns("resume", "--json", "--data", tmp_path).json("resume") == {"was_paused": True}


def test_a_pause_that_a_run_in_full_keeps(tmp_path: Path, at_now: None) -> None:
    ddns("pause", "2026-12-24", "18:00", "--data", tmp_path)
    ddns("config", "init", "--data", tmp_path)
    assert ddns("run", "--full", "--data", tmp_path).code == 0

    assert paused_until(tmp_path) == "2026-12-24T18:00:00.000Z"


def test_a_pause_waits_for_a_run_then_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddns.runtime.pausing._PATIENCE", 0.0)
    lock = host.InstanceLock(str(tmp_path / "state"))
    try:
        done = ddns("pause", "--data", tmp_path)
    finally:
        lock.release()

    assert done.err == (
        f"ddns: another run holds {tmp_path}/state/instance.lock\n"
        "Wait for the other run to end; it has a time limit of its own.\n"
    )
    assert done.code == 14
    assert ddns("pause", "--data", tmp_path).code == 0


def test_a_pause_begins_when_the_run_in_progress_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = host.InstanceLock(str(tmp_path / "state"))
    monkeypatch.setattr(time, "sleep", lambda _seconds: lock.release())

    assert ddns("pause", "--data", tmp_path).code == 0


# -- secret


def test_a_secret_is_stored_and_only_its_reference_printed(tmp_path: Path) -> None:
    done = ddns("secret", "set", "cf-token", "--data", tmp_path, stdin="  s3cret\n")

    file = tmp_path / "secrets" / "cf-token"
    assert (done.code, done.out, done.err) == (0, "file:cf-token\n", "")
    assert file.read_text() == "s3cret\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ddns("secret", "set", "x", "--json", "--data", tmp_path, stdin="y").json("secret set") == {
        "reference": "file:x"
    }


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        ("", "nothing came"),
        (" \n", "nothing came"),
        ("two\nlines", "one line of text"),
        ("x" * 20000, "one line of text"),
        ("a\x1b", "one line of text"),
    ],
    ids=["nothing", "blank", "lines", "long", "control"],
)
def test_what_is_no_secret(tmp_path: Path, stdin: str, said: str) -> None:
    done = ddns("secret", "set", "token", "--data", tmp_path, stdin=stdin)

    assert said in done.err
    assert done.code == 2
    assert not (tmp_path / "secrets").exists()


@pytest.mark.parametrize("name", ["../token", ".hidden", "a/b", "", "x" * 65, "\x1b[2J"])
def test_what_is_no_id_of_a_secret(tmp_path: Path, name: str) -> None:
    done = ddns("secret", "set", "--data", tmp_path, "--", name, stdin="s3cret")

    assert done.code == 2
    assert "s3cret" not in done.err
    assert all(line.isprintable() for line in done.err.splitlines())


def test_a_secret_that_can_not_be_stored(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("a file")

    done = ddns("secret", "set", "token", "--data", tmp_path, stdin="s3cret")

    assert done.err == (
        f"ddns: the secret can't be stored in {tmp_path}/secrets: File exists\n"
        f"Give this account the right to write in {tmp_path}.\n"
    )
    assert done.code == 15


def test_a_secret_is_asked_for_without_echo_in_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return "typed"

    monkeypatch.setattr("ddns.cli.secret._at_a_terminal", lambda: True)
    monkeypatch.setattr("getpass.getpass", getpass)

    assert ddns("secret", "set", "t", "--data", tmp_path).out == "file:t\n"
    assert asked == ["Secret: "]
    assert (tmp_path / "secrets" / "t").read_text() == "typed\n"
