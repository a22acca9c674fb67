"""The built files against packaging/windows/contract.toml: read, not run."""

from __future__ import annotations

import itertools
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ddns import __version__
from ground import exe
from packages.facts import facts
from windows import alignment, options, pe
from windows.launcher.build import launcher
from windows.resources import icon
from windows.resources import version as resource

CONTRACT: dict[str, Any] = tomllib.loads(Path(pe.__file__).with_name("contract.toml").read_text("utf-8"))
ASM = "{urn:schemas-microsoft-com:asm.v3}"
COMPATIBILITY = "{urn:schemas-microsoft-com:compatibility.v1}"
SETTING = "{http://schemas.microsoft.com/SMI/%s/WindowsSettings}%s"
BOTH = ["app", "launcher"]


def built(tree: Path, which: str) -> pe.Binary:
    """One of the two exes."""
    return pe.read(tree / CONTRACT[which]["path"])


@pytest.mark.parametrize("which", BOTH)
def test_subsystem_and_protections(tree: Path, which: str) -> None:
    found, wanted = built(tree, which), CONTRACT[which]
    assert found.machine == CONTRACT["machines"]["amd64"]["word"]
    assert found.subsystem == wanted["subsystem"]
    assert set(wanted["signs"]) <= found.signs
    assert found.movable


def test_what_is_never_touched_of_the_app_is_never_read(tree: Path) -> None:
    assert alignment.aligned(tree / CONTRACT["app"]["path"])


@pytest.mark.parametrize("machine", CONTRACT["machines"])
def test_the_launcher_of_every_machine(machine: str) -> None:
    path = launcher(machine, __version__)
    found, wanted = pe.read(path), CONTRACT["launcher"]
    assert found.machine == CONTRACT["machines"][machine]["word"]
    assert found.subsystem == wanted["subsystem"]
    assert found.imports == set(wanted["imports"])
    assert {*wanted["signs"], *CONTRACT["machines"][machine]["signs"]} <= found.signs
    assert found.movable
    assert path.stat().st_size <= CONTRACT["sizes"]["launcher"]
    check_version(found, wanted["description"], __version__)
    check_manifest(found)
    check_icon(found)


@pytest.mark.parametrize("which", BOTH)
def test_version_resource(tree: Path, which: str) -> None:
    check_version(built(tree, which), CONTRACT[which]["description"], exe.told()["version"])


def check_version(found: pe.Binary, description: str, version: str) -> None:
    known = facts()
    expected = {
        "CompanyName": known.publisher,
        "ProductName": known.name,
        "FileDescription": description,
        "OriginalFilename": "ddns.exe",
        "FileVersion": f"{version}.0",
        "ProductVersion": f"{version}.0",
    }
    assert {name: found.version.get(name) for name in expected} == expected
    assert known.publisher in found.version["LegalCopyright"]


@pytest.mark.parametrize("which", BOTH)
def test_manifest(tree: Path, which: str) -> None:
    check_manifest(built(tree, which))


def check_manifest(found: pe.Binary) -> None:
    (manifest,) = found.of(pe.MANIFEST)
    root = ET.fromstring(manifest)
    wanted = CONTRACT["manifest"]
    (level,) = root.iter(f"{ASM}requestedExecutionLevel")
    assert level.attrib == {"level": wanted["level"], "uiAccess": "false"}
    assert [one.text for one in root.iter(SETTING % (2016, "longPathAware"))] == [wanted["long_paths"]]
    assert [one.text for one in root.iter(SETTING % (2019, "activeCodePage"))] == [wanted["code_page"]]
    assert wanted["windows_10"] in {one.attrib["Id"] for one in root.iter(f"{COMPATIBILITY}supportedOS")}


@pytest.mark.parametrize("which", BOTH)
def test_icon(tree: Path, which: str) -> None:
    check_icon(built(tree, which))


def check_icon(found: pe.Binary) -> None:
    assert len(found.of(pe.ICON_GROUP)) == 1
    assert sorted(found.of(pe.ICON)) == sorted(icon.images(icon.ICON.read_bytes()).values())


def test_the_icon_is_that_of_the_drawing() -> None:
    drawn = icon.images(icon.ICON.read_bytes())
    assert tuple(drawn) == icon.SIZES
    for size, png in drawn.items():
        assert int.from_bytes(png[16:20]) == int.from_bytes(png[20:24]) == size
        assert icon.MARK + b"\0" + icon.fingerprint() in png, "draw it anew: packaging/windows/resources/icon.py"


def test_every_import_is_in_the_folder_or_of_windows(tree: Path) -> None:
    own = {path.name.lower() for path in pe.binaries(tree / "app")}
    known = set(CONTRACT["libraries"]["system32"])
    assert not own & known, "these would shadow libraries of Windows"
    imported = {path: pe.read(path).imports for path in pe.binaries(tree / "app")}
    foreign = {path.name: sorted(names - own - known) for path, names in imported.items()}
    assert not {name: names for name, names in foreign.items() if names}
    assert known <= set(itertools.chain.from_iterable(imported.values())), "nothing imports these any more"


def test_the_launcher_imports_what_windows_never_loads_from_its_folder(tree: Path) -> None:
    assert built(tree, "launcher").imports == set(CONTRACT["launcher"]["imports"])
    assert [path.name for path in (tree / "bin").iterdir()] == ["ddns.exe"]


def test_every_library_is_protected_and_for_this_machine(tree: Path) -> None:
    libraries = [path for path in pe.binaries(tree / "app") if path.suffix != ".exe"]
    assert libraries
    for path in libraries:
        found = pe.read(path)
        assert found.machine == CONTRACT["machines"]["amd64"]["word"], path.name
        assert set(CONTRACT["libraries"]["signs"]) <= found.signs, path.name
        assert found.movable, path.name


def test_no_other_program_is_in_the_folder(tree: Path) -> None:
    programs = {path.relative_to(tree).as_posix() for path in pe.binaries(tree) if path.suffix == ".exe"}
    assert programs == {CONTRACT["app"]["path"], CONTRACT["launcher"]["path"]}


def test_no_forbidden_module(tree: Path) -> None:
    names = {module["name"] for module in exe.told()["modules"]}
    assert {"ddns.__main__", "ddns.cycle", "httpx", "msgspec", "dns"} <= names
    forbidden = options.load().forbidden
    assert {"pygments", "anyio", "trio", "unittest", "tkinter"} <= set(forbidden)
    found = {name for name in names for bad in forbidden if name == bad or name.startswith(f"{bad}.")}
    assert not found


def test_sizes(tree: Path, tmp_path: Path) -> None:
    files = [path for part in ("app", "bin") for path in sorted((tree / part).rglob("*")) if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= CONTRACT["sizes"]["folder"]
    with zipfile.ZipFile(tmp_path / "ddns.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files:
            packed.write(path, path.relative_to(tree))
    assert (tmp_path / "ddns.zip").stat().st_size <= CONTRACT["sizes"]["zip"]


def test_the_report_says_where_the_time_went() -> None:
    stages = [one["stage"] for one in exe.told()["times"]]
    assert stages == ["compose", "compile", "link", "pack"]
    assert all(one["seconds"] >= 0 for one in exe.told()["times"])


@pytest.mark.parametrize(
    ("field", "change"),
    [("CompanyName", "Somebody"), ("FileVersion", "0.0.0.0")],
)
def test_the_reader_sees_a_wrong_version_resource(field: str, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = resource.fields(__version__, resource.LAUNCHER)
    monkeypatch.setattr("windows.resources.version.fields", lambda *_: right | {field: change})
    with pytest.raises(AssertionError):
        check_version(pe.read(launcher("amd64", __version__)), resource.LAUNCHER, __version__)
