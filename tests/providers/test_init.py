"""What the dialogue of `ddns config init` writes for each kind: it is valid, and leads to the service."""

from __future__ import annotations

import getpass
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from ddns.cli import dialogue, init
from ddns.config import toml_text
from ddns.model import Observed
from ddns.runtime import RunRequest, Start, compose
from ddns.runtime.looking import compose_world
from ddns.secret import SecretRef
from providers import matrix
from providers.cast import FIRST, HOME, Double
from unit.terminal import Done, ddns

#: The gateway's identity is had by `ddns enroll`, and Lexicon's secrets have names of their own in each service.
KINDS = [kind for kind in matrix.kinds() if kind not in {"gateway", "lexicon"}]


def typed(kind: str, double: Double) -> Iterator[str]:
    """What a person with this service answers: its settings, in the order of the questions."""
    known = msgspec.structs.asdict(double.settings)
    yield from (HOME.name, "A", kind)
    given: dict[str, str] = {}
    for item in init._subject().fields(kind):
        if not item.due(given):
            continue
        value = known[item.name]
        if isinstance(value, SecretRef):
            yield double.secrets[str(value)]
            continue
        given[item.name] = str(value or "")
        yield given[item.name]


def talk(monkeypatch: pytest.MonkeyPatch, folder: Path, answers: list[str]) -> Done:
    """The dialogue, at a terminal where these lines are typed."""
    monkeypatch.setattr(dialogue, "possible", lambda: True)
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: sys.stdin.readline().rstrip("\n"))
    return ddns("config", "init", "--data", folder, stdin="\n".join([*answers, ""]))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _towards(double: Double, text: str) -> str:
    """The settings, with the double in the service's place where that was not asked for."""
    known: Mapping[str, Any] = msgspec.structs.asdict(double.settings)
    start = text.index("[provider.main]")
    end = text.index("\n\n", start)
    table = text[start:end]
    for name in ("url", "zone", "body", "method", "headers", "read"):
        if known.get(name) and not re.search(rf"^{name} = ", table, re.MULTILINE):
            table += "\n" + _line(name, known[name])
    servers = ", ".join(f'"{server}"' for server in double.proof_servers)
    rest = re.sub(
        r"^#servers = .*$|^# \(servers is not set\)$", f"servers = [{servers}]", text[end:], flags=re.MULTILINE
    )
    return text[:start] + table + (rest if servers else text[end:])


def _line(name: str, value: object) -> str:
    return f"{name} = {toml_text.value(msgspec.to_builtins(value, enc_hook=str))}"


@pytest.mark.plants_secrets("what the doubles hold as secrets, in a folder of secrets")
def test_what_it_writes_is_valid_and_leads_to_the_service(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    with importlib.import_module(f"providers.doubles.{kind}").serve() as served:
        double = cast("Double", served)
        double.zone.put(HOME.name, HOME.type, FIRST)
        done = talk(monkeypatch, folder, list(typed(kind, double)))
        assert (done.code, done.err) == (0, ""), done
        checked = ddns("config", "validate", "--data", folder)
        assert (checked.code, checked.err) == (0, ""), checked
        file = folder / "ddns.toml"
        file.write_text(_towards(double, file.read_text()))
        start = Start(str(folder))
        world, _ = compose_world(start, RunRequest(start.data), compose.Seams(net=lambda: double.net))
        seen = world.providers["main"].observe([HOME], world.deadline)[HOME]
    assert isinstance(seen, Observed), seen
    assert seen.rrset is not None
    assert list(seen.rrset.texts()) == [FIRST]


def test_a_key_of_tsig_may_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = talk(monkeypatch, tmp_path, ["home.example.com", "A", "rfc2136", "192.0.2.53", ""])
    assert done.code == 0, done
    assert "algorithm (" not in done.out
    assert not (tmp_path / "secrets").exists()
    assert 'server = "192.0.2.53"' in (tmp_path / "ddns.toml").read_text()


def test_answers_that_do_not_fit_are_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ["", "", "", "canary-password"]  # neither a service nor a URL
    answers = ["home.example.com", "A", "dyndns2", *first, "noip", "me", "canary-password"]
    done = talk(monkeypatch, tmp_path, answers)
    assert done.code == 0, done
    assert "service or url is required" in done.out
    assert 'service = "noip"' in (tmp_path / "ddns.toml").read_text()
