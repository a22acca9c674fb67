"""What sources are made of on a machine: its networks, its router, its adapters, and whose commands it runs."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pyroute2
import pytest

from ddns.address import Address, Family
from ddns.config.load import load
from ddns.errors import SettingsError
from ddns.host import Places, gateways, ownership
from ddns.host.addresses import LocalAddress
from ddns.memory import Rest
from ddns.providers import table
from ddns.runtime import Start, loading, sourcing
from ddns.runtime.looking import known_sources
from ddns.state.opening import open_store
from faults.stage import FIRST, SECOND, Stage
from unit.fakes import START

MAC = "00:11:22:aa:bb:cc"


def where(networks: tuple[str, ...], local: list[str], mac: str = "", router: str = "192.168.1.1") -> str:
    return sourcing.where_we_are(
        networks, local, lambda: router, lambda _address: mac, lambda found: KNOWN.get(found, ("", ""))
    )


#: What Windows knows of the networks behind routers.
KNOWN = {MAC: ("Büro", "private"), "00:11:22:aa:bb:cd": ("Hotel", "public")}


HOTEL, IN_OFFICE = (
    "k (Hotel, public) than",
    "this machine is on another network (Büro, private) than those of [detect] networks",
)
ELSEWHERE = "this machine is on another network than those of [detect] networks"


@pytest.mark.parametrize(
    ("networks", "local", "mac", "told"),
    [
        (("192.168.1.0/24",), ["192.168.1.20", ""], "", ""),
        (("192.168.1.0/24",), ["192.168.2.20", ""], "", ELSEWHERE),
        (("192.168.1.0/24", "2a00::/16"), ["10.0.0.2", "2a00::7"], "", ""),
        (("2a00::/16",), ["10.0.0.2", ""], "", ELSEWHERE),
        (("0.0.0.0/0",), ["", "2a00::7"], "", ELSEWHERE),
        (("00-11-22-AA-BB-CC",), ["192.168.1.20", ""], MAC, ""),
        ((MAC,), ["192.168.1.20", ""], "00:11:22:aa:bb:cd", ELSEWHERE),
        ((MAC,), ["192.168.1.20", ""], "", ELSEWHERE),
        ((MAC,), ["", ""], "", ELSEWHERE),
        ((MAC, "10.0.0.0/8"), ["10.0.0.2", ""], "", ""),
        (("profile:BÜRO",), ["192.168.1.20", ""], MAC, ""),
        (("category:Private",), ["192.168.1.20", ""], MAC, ""),
        (("profile:private", "category:domain"), ["192.168.1.20", ""], MAC, IN_OFFICE),
        (("category:private",), ["192.168.1.20", ""], "00:11:22:aa:bb:cd", ELSEWHERE.replace("k than", HOTEL)),
        (("category:private", "10.0.0.0/8"), ["10.0.0.2", ""], "00:11:22:aa:bb:cd", ""),
        (("profile:Hotel",), ["192.168.1.20", ""], "00:11:22:aa:bb:ce", ELSEWHERE),
        (("category:public",), ["", ""], "", ELSEWHERE),
    ],
    ids=[
        "in it", "not in it", "in one of two", "no IPv6", "only IPv4 named", "router", "another router",
        "router unknown", "no route at all", "either is enough",
        "profile", "category", "a category is no name", "another category", "the network is enough",
        "a router that Windows does not know", "unknown is not public",
    ],
)  # fmt: skip
def test_where_it_may_publish(networks: tuple[str, ...], local: list[str], mac: str, told: str) -> None:
    assert where(networks, local, mac) == told


def test_the_router_is_not_asked_without_need() -> None:
    def fail() -> str:
        raise AssertionError("asked")

    assert sourcing.where_we_are(("10.0.0.0/8",), ["10.0.0.2"], fail, str, KNOWN.__getitem__) == ""
    assert sourcing.where_we_are(("10.0.0.0/8",), ["172.16.0.2"], fail, str, KNOWN.__getitem__) == ELSEWHERE


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "machine") as made:
        yield made


def roam(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets the machine be elsewhere, and publish only at home."""
    file = stage.folder / "ddns.toml"
    file.write_text(file.read_text().replace("[detect]\n", '[detect]\nnetworks = ["192.168.7.0/24"]\n'))

    def move(address: str) -> None:
        monkeypatch.setattr("ddns.host.route.source_address", lambda family: address if family == 4 else "")

    return move


def test_on_a_network_of_others_the_record_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    move = roam(stage, monkeypatch)
    move("192.168.7.2")
    assert stage.run() == 0
    move("10.9.9.9")
    stage.move(SECOND)
    stage.net.asked.clear()
    capsys.readouterr()
    assert stage.run() == 0
    assert stage.published() == ((FIRST,),)
    assert stage.net.asked == []
    assert ELSEWHERE in capsys.readouterr().out
    move("192.168.7.2")
    assert stage.run() == 0
    assert stage.published() == ((SECOND,),)


@pytest.mark.parametrize("local", ["192.0.0.1", "192.0.0.7"])
def test_behind_nat64_the_translator_s_ipv4_address_is_not_published(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], local: str
) -> None:
    """All sources agree on it: it is the one that they see."""
    monkeypatch.setattr("ddns.host.route.source_address", lambda family: "192.168.7.2" if family == 4 else "")
    assert stage.run() == 0
    monkeypatch.setattr("ddns.host.route.source_address", lambda family: local if family == 4 else "2a00::7")
    stage.move(SECOND)
    stage.net.asked.clear()
    assert stage.run() == 0
    assert (stage.published(), stage.net.asked) == (((FIRST,),), [])
    assert "(IPv4 is translated to IPv6 on this network (NAT64); what sources see is" in capsys.readouterr().out
    monkeypatch.setattr("ddns.host.route.source_address", lambda family: "192.0.0.8" if family == 4 else "2a00::7")
    assert stage.run() == 0
    assert stage.published() == ((SECOND,),)


def test_away_from_home_nothing_is_promised(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two networks may give the same local address; that we are home again would not be seen."""
    roam(stage, monkeypatch)("10.9.9.9")
    assert stage.run() == 0
    assert stage.expectation() is None


# -- adapters and router, as this machine has them


def test_the_adapter_s_address_is_that_which_packets_leave_from(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [
        LocalAddress("eth0", IPv6Address("2a00:1450::1")),
        LocalAddress("eth0", IPv4Address("203.0.113.9")),
        LocalAddress("eth1", IPv6Address("2a02::1")),
    ]
    monkeypatch.setattr("ddns.host.adapters.read", lambda: listed)
    monkeypatch.setattr("ddns.host.route.source_address", lambda family: "2a02::1" if family == 6 else "203.0.113.9")
    settings = load(
        b'schema = 1\n[detect]\nsources = ["interface"]\nallow_private = ["203.0.113.0/24"]\n',
        "ddns.toml",
        provider_type=lambda _kind: table.load("cloudflare").Settings,
        kinds=(),
        sources=("interface",),
        environ={},
        policy={},
    ).settings
    (source,) = sourcing.build(settings)
    asked: dict[Family, Address] = {family: source.ask(family, None, None) for family in Family}  # type: ignore[arg-type] # it asks nobody
    assert asked == {Family.V4: IPv4Address("203.0.113.9"), Family.V6: IPv6Address("2a02::1")}


def test_this_machine_s_router() -> None:
    """Whatever it is: an address, or none, and the same when asked again."""
    told = gateways.default()
    assert not told or not IPv4Address(told).is_unspecified
    assert gateways.default() == told


@pytest.mark.parametrize(("code", "told"), [(errno.ENETUNREACH, ""), (errno.EPERM, None)])
def test_a_kernel_without_a_route(monkeypatch: pytest.MonkeyPatch, code: int, told: str | None) -> None:
    class Refusing:
        def __enter__(self) -> None:
            raise pyroute2.NetlinkError(code, "no")

        def __exit__(self, *_error: object) -> None:
            """Nothing was opened."""

    monkeypatch.setattr(pyroute2, "IPRoute", Refusing)
    if told is None:
        with pytest.raises(PermissionError):
            gateways.default()
    else:
        assert gateways.default() == told


# -- whose commands are run


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "ddns.toml"
    file.write_text(
        'schema = 1\n[detect]\nsources = ["ipify", { command = ["/usr/bin/address"], operator = "me" }]\n', "utf-8"
    )
    file.chmod(0o644)
    return file


def test_a_command_of_our_own_settings_is_taken(written: Path) -> None:
    loaded, _ = loading.load(Places.below(str(written.parent), "data folder"))
    assert [source.name for source in sourcing.build(loaded.settings)] == ["ipify", "me"]


def test_a_command_is_not_taken_from_settings_that_others_can_change(written: Path) -> None:
    written.chmod(0o664)
    with pytest.raises(SettingsError) as caught:
        loading.load(Places.below(str(written.parent), "data folder"))
    assert caught.value.exit == 10
    head = "ddns.toml:3: detect.sources[1].command: a command is only taken from settings that nobody else can change"
    assert caught.value.problems == (f"{head}: {written} can be changed by others (mode 0664)",)


@pytest.mark.parametrize("mode", [0o770, 0o777, 0o1777])
def test_nor_where_others_can_exchange_the_file(written: Path, mode: int) -> None:
    """The sticky bit does not help: others could have put the file there."""
    written.parent.chmod(mode)
    try:
        assert ownership.refusal(str(written)) == f"{written.parent} can be changed by others (mode {mode:04o})"
    finally:
        written.parent.chmod(0o700)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_nor_where_others_can_exchange_a_folder_further_up(tmp_path: Path, mode: int) -> None:
    """In one with the sticky bit they can't: nobody renames there what is another's."""
    file = tmp_path / "open" / "ours" / "ddns.toml"
    file.parent.mkdir(parents=True)
    file.write_text("schema = 1\n")
    file.parent.parent.chmod(mode)
    told = "" if mode & 0o1000 else f"{file.parent.parent} can be changed by others (mode {mode:04o})"
    assert ownership.refusal(str(file)) == told


@pytest.mark.parametrize("whose", ["file", "folder"])
def test_nor_what_belongs_to_another(written: Path, whose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given, owner = (written if whose == "file" else written.parent), os.geteuid()
    if owner == 0:
        owner = 12345
        os.chown(given, owner, -1)
    else:  # only root gives files away
        given = written
        monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert ownership.refusal(str(written)) == f"{given} belongs to user {owner}"


def test_a_link_is_followed_to_what_it_leads_to(written: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir(mode=0o777)
    other.chmod(0o777)
    (other / "ddns.toml").write_text("schema = 1\n")
    (tmp_path / "link.toml").symlink_to(other / "ddns.toml")
    assert "can be changed by others" in ownership.refusal(str(tmp_path / "link.toml"))


def test_nor_through_a_link_that_others_can_turn(written: Path, tmp_path: Path) -> None:
    """It could have led to their own file while the settings were read."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "ddns.toml").symlink_to(written)
    (other / "folder").symlink_to(written.parent)
    assert [ownership.refusal(str(other / name)) for name in ("ddns.toml", "folder/ddns.toml")] == ["", ""]
    other.chmod(0o777)
    told = f"{other} can be changed by others (mode 0777)"
    assert [ownership.refusal(str(other / name)) for name in ("ddns.toml", "folder/ddns.toml")] == [told, told]


def test_settings_without_a_command_may_be_anybody_s(written: Path) -> None:
    written.write_text("schema = 1\n")
    written.chmod(0o666)
    loading.load(Places.below(str(written.parent), "data folder"))


# -- the list of all


def test_every_source_is_listed_and_those_in_use_are_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ddns.toml").write_text(
        'schema = 1\n[detect]\nsources = ["aws", { url = "https://echo.test/", operator = "me", families = [6] }]\n'
        'probe6 = "dns://[2001:db8::1]/who.test"\n'
    )
    rows = {row["name"]: row for row in known_sources(Start(str(tmp_path)))}
    assert [name for name, row in rows.items() if row["used"]] == ["aws", "me", "dns://[2001:db8::1]/who.test"]
    assert [name for name, row in rows.items() if not row["built_in"]] == ["me", "dns://[2001:db8::1]/who.test"]
    assert rows["me"] == {
        "name": "me",
        "operator": "me",
        "families": (6,),
        "authenticated": True,
        "how": "https",
        "built_in": False,
        "used": True,
        "resting": {},
    }
    assert {row["how"] for row in rows.values()} == {"https", "dns", "dot", "doh", "adapter", "router"}
    assert rows["3322"]["families"] == rows["router"]["families"] == (4,)


def test_who_rests_is_told(tmp_path: Path) -> None:
    (tmp_path / "ddns.toml").write_text("schema = 1\n")
    places = Start(str(tmp_path)).places
    os.makedirs(places.state)
    store = open_store(places.state_file, START)
    store.note_rest("aws", Family.V4, Rest(3, START, 9e9))
    now = Start(str(tmp_path)).started
    store.note_rest("ipify", Family.V6, Rest(3, now - 1.0, now + 600.0))
    store.close_file()
    rows = {row["name"]: row["resting"] for row in known_sources(Start(str(tmp_path)))}
    assert [name for name, rests in rows.items() if rests] == ["ipify"], "nobody rests from the future on"
    assert list(rows["ipify"]) == ["ipv6"]
