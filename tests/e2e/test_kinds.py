"""The whole program with each kind of provider that is read back over HTTP: the doubles stand for the services."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest

from ddns.providers import table
from ddns.secret import SecretRef
from e2e.world import FIRST, SECOND, World
from providers import matrix
from providers.cast import HOME, NEAR, NEIGHBOUR, Double

#: The gateway has journeys of its own; what is not read over HTTP is proven at name servers, which these doubles lack.
KINDS = [
    kind
    for kind in matrix.kinds()
    if kind != "gateway" and table.load(kind).CAPABILITIES.read and "url" in table.load(kind).Settings.__struct_fields__
]
pytestmark = pytest.mark.parametrize("program", ["source"], indirect=True)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def double(kind: str, world: World) -> Iterator[Double]:
    """The service, to which the machine's settings lead."""
    with importlib.import_module(f"providers.doubles.{kind}").serve() as served:
        service = cast("Double", served)
        service.zone.put(NEIGHBOUR.name, NEIGHBOUR.type, NEAR)
        _point(world, kind, service)
        yield service


def _point(world: World, kind: str, service: Double) -> None:
    lines = [f'kind = "{kind}"']
    for name, value in msgspec.structs.asdict(service.settings).items():
        if isinstance(value, SecretRef):
            value = world.machine.secret(name, service.secrets[str(value)])
        lines += [f"{name} = {json.dumps(value)}"] if value not in ("", None) else []
    record = f'[[record]]\nname = "{HOME.name}"\nprovider = "main"\n'
    proof = '[proof]\nsettle = "1ms"\n'
    world.machine.settings("\n".join([record, "[provider.main]", *lines, world.detection(str(world.ca.file)), proof]))


def test_a_machine_s_life(kind: str, double: Double, world: World) -> None:
    told = []

    def ddns(*arguments: str) -> None:
        ended = world.machine.ddns(*arguments)
        told.append(ended.out + ended.err)
        assert ended.exit == 0, told[-1]

    ddns("run")
    assert double.zone.get(HOME.name, "A") == {FIRST}
    ddns("run", "--prove")
    assert [record["outcome"] for record in world.machine.status()["records"]] == ["proven"]
    world.move(SECOND)
    ddns("run")
    assert double.zone.get(HOME.name, "A") == {SECOND}
    ddns("remove", "--all", "--yes")
    assert double.zone.get(HOME.name, "A") == set()
    assert double.zone.get(NEIGHBOUR.name, "A") == {NEAR}
    _is_nowhere(double, world.machine.folder, told)


def test_a_refusal_is_told_and_not_asked_again(kind: str, double: Double, world: World) -> None:
    for path in (world.machine.folder / "secrets").iterdir():
        path.write_text("Y2FuYXJ5LXdyb25n\n")
    assert world.machine.ddns("run").exit == 12
    (block,) = world.machine.status()["blocks"]
    assert block["code"] == "provider.bad_credentials"
    (error,) = [record["error"] for record in world.machine.status()["records"]]
    assert error["advice"]
    assert world.machine.ddns("run").exit == 12
    assert double.zone.get(HOME.name, "A") == set()


def _is_nowhere(double: Double, folder: Path, told: list[str]) -> None:
    """No secret is in what was written or told."""
    kept = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "secrets"]
    texts = [path.read_bytes() for path in kept] + [text.encode() for text in told]
    assert len(texts) > 4
    for secret in double.secrets.values():
        assert not [text for text in texts if secret.encode() in text]
