"""Many records of one machine in two zones of a real server: every type and kind of name, and one that is refused."""

from __future__ import annotations

import json

import pytest

from e2e.world import FIRST, World
from ground.bind import Bind

pytestmark = pytest.mark.parametrize("program", ["source"], indirect=True)
WRONG = "alias.example.test"


def settings(world: World) -> None:
    """The records, all at one provider, and a watch after each write."""
    token = world.machine.secret("tsig", world.bind.key.secret)
    records = [
        ("other.test", 'types = ["A"]'),
        ("*.wild.other.test", 'types = ["A"]'),
        ("Bücher.other.test", 'types = ["A"]'),
        (world.name, 'types = ["A"]'),
        ("note.example.test", 'types = ["TXT"]\nvalue = "set by ddns"'),
        ("www.example.test", f'types = ["CNAME"]\nvalue = "{world.name}"'),
        (WRONG, 'types = ["A"]'),
    ]
    texts = "".join(f'[[record]]\nname = "{name}"\nprovider = "bind"\nttl = 60\n{more}\n' for name, more in records)
    world.machine.settings(f"""{texts}
[provider.bind]
kind = "rfc2136"
server = "{world.bind.server}"
key_name = "{world.bind.key.name}"
key = "{token}"

[proof]
settle = "1ms"
watch = "20s"
servers = ["{world.bind.server}"]

{world.detection(world.machine.program.named(world.ca.file))}""")


def shown(bind: Bind, name: str, kind: str = "A") -> tuple[str, ...]:
    answer = bind.query(name, kind)
    return answer.values if answer else ()


def test_one_run_writes_all_but_the_refused_one_and_a_removal_takes_just_these(world: World, bind: Bind) -> None:
    bind.alter(WRONG, "CNAME", "elsewhere.example.net.")
    bind.alter("note.example.test", "TXT", '"of somebody else"')
    try:
        settings(world)
        run = world.machine.ddns("run")
        assert run.exit == 12, run
        ours = ("other.test", "any.wild.other.test", "xn--bcher-kva.other.test", world.name)
        assert [shown(bind, name) for name in ours] == [(FIRST,)] * 4
        assert shown(bind, "note.example.test", "TXT") == ('"of somebody else"', '"set by ddns"')
        assert shown(bind, "www.example.test", "CNAME") == (f"{world.name}.",)
        assert shown(bind, WRONG, "CNAME") == ("elsewhere.example.net.",)
        health = world.machine.status()["health"]
        assert 0 <= health["visibility"]["lower"] <= health["visibility"]["upper"] <= health["visibility_delay"] < 20
        assert "bücher.other.test" in world.machine.ddns("status").out
        assert "bücher.other.test" in world.machine.ddns("plan").out

        again = world.machine.ddns("run")
        assert (again.exit, again.out[:15]) == (12, "nothing changed"), "what is refused rests: no question, no write"

        gone = world.machine.ddns("remove", "--all", "--yes", "--json")
        assert gone.exit == 0, gone
        assert {item["outcome"] for item in json.loads(gone.out)["data"]["records"]} == {"removed"}
        assert [shown(bind, name) for name in ours] == [()] * 4
        assert shown(bind, "note.example.test", "TXT") == ('"of somebody else"',)
        assert shown(bind, "www.example.test", "CNAME") == ()
        assert shown(bind, WRONG, "CNAME") == ("elsewhere.example.net.",)
    finally:
        for name, kind in ((WRONG, "CNAME"), ("note.example.test", "TXT")):
            bind.alter(name, kind)
