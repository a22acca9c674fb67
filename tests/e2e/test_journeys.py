"""What happens to a machine in its life, over real BIND with TSIG and real TLS with a test authority.

Each journey is made by Python from source and by the compiled program on Windows (`program`, see conftest).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from e2e.site import Site
from e2e.world import FIRST, LIE, SECOND, World
from ground.bind import Bind
from ground.echo import Fault
from ground.tls import Authority


def answer(text: str, command: str) -> Any:
    """The data of a ``--json`` answer; checks what is around it."""
    told = json.loads(text)
    assert (told["schema"], told["command"]) == (1, command)
    return told["data"]


def test_first_run_creates_then_nothing_then_a_change(world: World) -> None:
    first = world.machine.ddns("run")
    assert (first.exit, first.err) == (0, "")
    assert world.published() == (FIRST,)
    assert world.machine.status()["records"][0] | {"since": 0, "next_at": 0, "proven_at": 0} == {
        "name": world.name,
        "type": "A",
        "provider": "bind",
        "address": FIRST,
        "since": 0,
        "outcome": "updated",
        "proven_at": 0,
        "proven_by": None,
        "next_at": 0,
        "error": None,
    }

    asked = world.alpha.hits + world.beta.hits
    second = world.machine.ddns("run")
    assert second.out == f"nothing changed: {FIRST} (asked dns://{world.probe.server}/whoami.test)\n"
    assert second.exit == 0
    assert world.alpha.hits + world.beta.hits == asked
    assert world.machine.status()["run"]["full"] is False

    world.move(SECOND)
    third = world.machine.ddns("run")
    assert third.exit == 0
    assert world.published() == (SECOND,)
    assert [run["changed"] for run in world.machine.status()["last_runs"]] == [1, 0, 1]
    assert [line["message"] for line in world.machine.log()].count("nothing changed") == 1


def test_drift_is_repaired_by_a_due_proof(world: World) -> None:
    world.machine.ddns("run")
    world.bind.alter(world.name, "A", LIE)
    assert world.machine.ddns("run").exit == 0
    assert world.published() == (LIE,), "the cheap run does not look at DNS"
    repaired = world.machine.ddns("run", "--prove")
    assert repaired.exit == 0
    assert "repaired" in repaired.out
    assert world.published() == (FIRST,)


def test_one_lying_operator_never_gets_its_address_published(world: World) -> None:
    world.machine.ddns("run")
    world.alpha.address = world.probe.address = LIE
    lied = world.machine.ddns("run")
    assert lied.exit == 11
    assert world.published() == (FIRST,)
    assert LIE in lied.out


#: What each fault is told as, of each of the two sources: a pattern, because a reset or a silence can be met in two
#: ways.
TOLD = {
    Fault.HTML: "a web page came in place of an address; a captive portal or a filter",
    Fault.TWO_ADDRESSES: re.escape(f'the answer is not one address: "{SECOND}, 198.51.100.77"'),
    Fault.PRIVATE: r"answered 192\.168\.1\.20, which is not a public address",
    Fault.WRONG_FAMILY: "answered 2606:4700::1111, which is not an IPv4 address",
    Fault.UNAVAILABLE: "answered with status 503",
    Fault.REDIRECT: r"answered with a redirect \(status 302\); redirects are not followed",
    Fault.HUGE: "the answer is longer than 4096 bytes",
    Fault.NOTHING: 'the answer is not one address: ""',
    Fault.HALF_A_BODY: "broke off or is not HTTP: .*?without sending complete message body",
    Fault.RESET: r"(?:the connection broke|broke off or is not HTTP: Server disconnected)",
    Fault.SILENCE: r"(?:alpha|beta): .*?no answer (?:in time|within)",
}


@pytest.mark.parametrize("fault", list(Fault))
def test_a_faulty_source_publishes_nothing(world: World, fault: Fault) -> None:
    """Two operators misbehave alike, which would be a quorum for whatever is made of their answers."""
    assert world.machine.ddns("run").exit == 0
    world.move(SECOND)
    world.alpha.fault = world.beta.fault = fault
    world.probe.address = ""
    ended = world.machine.ddns("run", environ={"DDNS_DETECT_TIMEOUT": "1s"})
    assert ended.exit == 11
    assert world.published() == (FIRST,)
    assert len(re.findall(TOLD[fault], ended.out)) == 2, ended.out


def test_an_authority_of_somebody_else_is_not_believed(world: World, tmp_path: Path) -> None:
    world.ca = Authority(tmp_path)  # the settings name it; the servers' certificates are of another one
    world.write_settings()
    world.probe.address = ""
    run = world.machine.ddns("run")
    assert (run.exit, world.published()) == (11, ())
    assert run.out.count("certificate") >= 2, run.out
    assert world.alpha.hits + world.beta.hits == 0, "nobody was asked anything before it was known who it is"


@pytest.fixture
def site(tmp_path: Path, bind: Bind, ca: Authority) -> Site:
    """A gateway that publishes to the same DNS server, as a process of its own."""
    return Site(tmp_path, bind, ca)


def enrolled(world: World, site: Site, url: str) -> str:
    """Enrol as an administrator does; returns what the program says."""
    ca = world.machine.program.named(site.ca.file)
    told = world.machine.ddns("enroll", url, "--ca-file", ca, stdin=site.code(world.name.partition(".")[0]) + "\n")
    assert (told.exit, told.err) == (0, ""), told
    return told.out


def test_a_machine_that_enrols_publishes_through_the_gateway(world: World, site: Site) -> None:
    with site.process() as (url, _):
        told = enrolled(world, site, url)
        assert f"  {world.name}\n" in told
        lines = told.partition("add to the settings:\n\n")[2].replace('types = ["A", "AAAA"]', 'types = ["A"]')
        world.machine.settings(lines + world.detection(world.machine.program.named(world.ca.file)))
        assert world.machine.ddns("run").exit == 0
        assert world.published() == (FIRST,)
        world.move(SECOND)
        assert world.machine.ddns("run").exit == 0
        assert world.published() == (SECOND,)
        trace = world.machine.status()["run"]["id"]
    assert trace in (site.data / "audit.jsonl").read_text(), "one trace id, here and in the gateway's audit"


def test_a_gateway_with_a_certificate_of_somebody_else_gets_no_code(world: World, site: Site, tmp_path: Path) -> None:
    code = site.code(world.name.partition(".")[0])
    with site.process() as (url, _):
        for more in ((), ("--ca-file", world.machine.program.named(Authority(tmp_path).file))):
            told = world.machine.ddns("enroll", url, *more, stdin=code)
            assert (told.exit, told.out) == (13, ""), told
            assert "certificate" in told.err
        (waiting,) = (line for line in (site.data / "audit.jsonl").read_text().splitlines() if "code" in line)
    assert code not in waiting
    with site.process() as (url, _):
        assert world.name in enrolled(world, site, url), "the code was not used up"


def test_a_pause_leaves_the_record_alone_until_it_ends(world: World) -> None:
    assert world.machine.ddns("run").exit == 0
    paused = world.machine.ddns("pause", "2h")
    assert (paused.exit, paused.out[:12], paused.err) == (0, "paused until", "")
    world.move(SECOND)
    asked = world.probe.hits
    run = world.machine.ddns("run")
    assert (run.exit, run.out[:28]) == (0, "paused; `ddns resume --data ")
    assert (world.published(), world.probe.hits) == ((FIRST,), asked)
    assert answer(world.machine.ddns("resume", "--json").out, "resume") == {"was_paused": True}
    assert world.machine.ddns("run").exit == 0
    assert world.published() == (SECOND,)


def test_the_plan_says_what_a_run_would_do_and_does_nothing(world: World) -> None:
    found = answer(world.machine.ddns("plan", "--json").out, "plan")
    assert [(change["name"], change["from"], change["to"]) for change in found["changes"]] == [
        (world.name, None, [FIRST])
    ]
    assert world.published() == ()
    assert world.machine.ddns("run").exit == 0
    world.move(SECOND)
    drawn = world.machine.ddns("plan")
    assert (drawn.exit, drawn.err) == (0, "")
    assert f"{FIRST} → {SECOND}" in drawn.out
    # The advice can be pasted: it means the folder that was given, and no line breaks inside it.
    assert re.search(r"Nothing was changed;\s`ddns run --data [^\n`]+`\sdoes\sit\.", drawn.out)
    assert world.published() == (FIRST,)


def test_history_tells_every_change_and_why(world: World) -> None:
    world.machine.ddns("run")
    world.bind.alter(world.name, "A", LIE)
    world.machine.ddns("run", "--prove")
    world.move(SECOND)
    world.machine.ddns("run")
    entries = answer(world.machine.ddns("history", "--json").out, "history")["entries"]
    assert [(entry["from"], entry["to"], entry["reason"], entry["state"]) for entry in reversed(entries)] == [
        (None, [FIRST], "create", "applied"),
        ([LIE], [FIRST], "drift", "applied"),
        ([FIRST], [SECOND], "address", "applied"),
    ]
    assert f"{FIRST} → {SECOND}" in world.machine.ddns("history").out


def test_status_is_what_the_last_run_left(world: World) -> None:
    nothing = world.machine.ddns("status", "--json")
    assert nothing.exit == 20, "no run yet"
    world.machine.ddns("run")
    told = world.machine.ddns("status", "--json")
    assert told.exit == 0
    data = answer(told.out, "status")
    assert data["records"] == world.machine.status()["records"]
    drawn = world.machine.ddns("status")
    assert drawn.exit == 0
    assert "all is well" in drawn.out
    assert FIRST in drawn.out


def test_a_secret_comes_from_standard_input_and_is_shown_nowhere(world: World) -> None:
    """A wrong key first, so that what is shown when it is refused is looked at, too."""
    wrong, right = world.bind.stranger.secret, world.bind.key.secret
    world.machine.ddns("secret", "set", "tsig", stdin=wrong + "\n")
    refused = world.machine.ddns("run", "--now")
    assert (refused.exit, world.published()) == (12, ())
    stored = world.machine.ddns("secret", "set", "tsig", stdin=right + "\n")
    assert (stored.exit, stored.err) == (0, "")
    assert stored.out.strip().endswith(":tsig")
    assert world.machine.ddns("run").exit == 0, "a new secret ends the block"
    assert world.published() == (FIRST,)
    shown = [
        refused.out,
        refused.err,
        stored.out,
        *(file.read_text() for file in world.machine.folder.glob("*/*.json*")),
    ]
    assert not any(secret in text for text in shown for secret in (wrong, right))
    nothing = world.machine.ddns("secret", "set", "tsig")
    assert (nothing.exit, "nothing came on standard input" in nothing.err) == (2, True)


def test_wrong_settings_are_told_with_their_place(world: World) -> None:
    world.machine.settings('[[record]]\nname = "home.example.test"\nprovider = "bind"\nttl = "sixty"\nproxed = true\n')
    for command in (("run",), ("config", "validate")):
        told = world.machine.ddns(*command)
        assert told.exit == 10
        assert re.search(r"ddns\.toml:5\b", told.out + told.err), told
        assert re.search(r"ddns\.toml:6\b", told.out + told.err), told
        assert "proxied" in told.out + told.err, "a near match is named"
    world.machine.settings('[[record]\nname = "home')
    torn = world.machine.ddns("run")
    assert (torn.exit, "ddns.toml:2" in torn.err) == (10, True), torn
    assert "Traceback" not in torn.err
