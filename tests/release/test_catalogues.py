"""winget and Chocolatey: what their rules ask for, and the same facts in both as in the MSI."""

from __future__ import annotations

import hashlib
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from packages import chocolatey, facts, winget, wxs
from packages.errors import PackageError
from packages.facts import Architecture

BUILD = facts.Build("1.2.3", "amd64", for_testing=False)
TESTING = facts.Build("1.2.3", "amd64", for_testing=True)


@pytest.fixture
def installers(tmp_path: Path) -> dict[Architecture, Path]:
    found: dict[Architecture, Path] = {"amd64": tmp_path / "x64.msi", "x86": tmp_path / "x86.msi"}
    for name, path in found.items():
        path.write_bytes(name.encode())
    return found


def _read(text: str) -> dict[str, object]:
    """The YAML that we write: keys, JSON values, lists of them, lists of such maps. Anything else is an error."""
    lines = [(len(line) - len(line.lstrip(" ")), line.strip()) for line in text.splitlines()]
    return _map(lines, 0, 0)[0]


def _map(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[dict[str, object], int]:
    found: dict[str, object] = {}
    while at < len(lines) and lines[at][0] == indent and not lines[at][1].startswith("- "):
        name, colon, value = lines[at][1].partition(":")
        assert colon
        assert name.isidentifier(), lines[at]
        at += 1
        if value:
            found[name] = json.loads(value)
        else:
            found[name], at = _list(lines, at, indent)
    return found, at


def _list(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[list[object], int]:
    found: list[object] = []
    while at < len(lines) and lines[at][0] == indent and lines[at][1].startswith("- "):
        rest = lines[at][1][2:]
        if rest.startswith('"'):
            found.append(json.loads(rest))
            at += 1
        else:
            lines = [*lines[:at], (indent + 2, rest), *lines[at + 1 :]]
            item, at = _map(lines, at, indent + 2)
            found.append(item)
    return found, at


#: Field -> pattern, of the published schema of manifests 1.6.0.
RULES = {
    "PackageIdentifier": r"[^.\s\\/:*?\"<>|]{1,32}(\.[^.\s\\/:*?\"<>|]{1,32}){1,7}",
    "PackageVersion": r"[^\\/:*?\"<>|\x01-\x1f]{1,128}",
    "PackageLocale": r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*",
    "DefaultLocale": r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*",
    "Publisher": r".{2,256}",
    "PackageName": r".{2,256}",
    "License": r".{3,512}",
    "ShortDescription": r".{3,256}",
    "Description": r".{3,10000}",
    "MinimumOSVersion": r"(0|[1-9]\d{0,4})(\.(0|[1-9]\d{0,4})){0,3}",
    "ReleaseDate": r"\d{4}-\d\d-\d\d",
    "InstallerType": r"msix|msi|appx|exe|zip|inno|nullsoft|wix|burn|pwa|portable",
    "Scope": r"user|machine",
    "UpgradeBehavior": r"install|uninstallPrevious|deny",
    "Architecture": r"x86|x64|arm|arm64|neutral",
    "InstallerSha256": r"[A-F0-9]{64}",
    "InstallerUrl": r"https://\S{1,2000}",
    "ProductCode": r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}",
    "UpgradeCode": r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}",
    "ManifestType": r"version|installer|defaultLocale",
    "ManifestVersion": r"1\.6\.0",
}
#: Manifest -> fields that it must have.
REQUIRED = {
    "version": {"PackageIdentifier", "PackageVersion", "DefaultLocale", "ManifestType", "ManifestVersion"},
    "installer": {"PackageIdentifier", "PackageVersion", "Installers", "ManifestType", "ManifestVersion"},
    "defaultLocale": {
        "PackageIdentifier", "PackageVersion", "PackageLocale", "Publisher", "PackageName", "License",
        "ShortDescription", "ManifestType", "ManifestVersion",
    },
}  # fmt: skip
#: Fields without a pattern of their own: addresses, lists.
OTHERS = {"PublisherUrl", "PublisherSupportUrl", "PackageUrl", "LicenseUrl", "ReleaseNotesUrl", "Tags"}
LISTS = {"Installers", "InstallModes", "Commands", "AppsAndFeaturesEntries"}


def _against_rules(content: dict[str, object]) -> list[str]:
    wrong = []
    for name, value in content.items():
        if isinstance(value, list):
            for one in value:
                wrong += _against_rules(one) if isinstance(one, dict) else []
        elif name in RULES and not re.fullmatch(RULES[name], str(value)):
            wrong.append(f"{name}: {value}")
        if name not in RULES.keys() | OTHERS | LISTS:
            wrong.append(f"{name} is no field")
    return wrong


def test_the_winget_manifest_keeps_the_rules(installers: dict[Architecture, Path]) -> None:
    files = winget.render(facts.facts(), installers, BUILD, "2026-01-31")
    assert set(files) == {f"DdnsFleet.Ddns{end}.yaml" for end in ("", ".installer", ".locale.en-US")}
    read = {str(content["ManifestType"]): content for content in map(_read, files.values())}
    for kind, content in read.items():
        assert _against_rules(content) == []
        assert content.keys() >= REQUIRED[kind], kind
    tags = read["defaultLocale"]["Tags"]
    assert isinstance(tags, list)
    assert len(tags) == len(set(tags)) <= 16


def test_the_winget_manifest_names_the_msi_that_was_made(installers: dict[Architecture, Path]) -> None:
    text = winget.render(facts.facts(), installers, BUILD, "2026-01-31")["DdnsFleet.Ddns.installer.yaml"]
    entries = _read(text)["Installers"]
    assert isinstance(entries, list)
    by_architecture = {one["Architecture"]: one for one in entries}
    assert by_architecture.keys() == {"x64", "x86"}
    wide = by_architecture["x64"]
    assert wide["InstallerSha256"] == hashlib.sha256(b"amd64").hexdigest().upper()
    assert wide["InstallerUrl"].endswith("/1.2.3/x64.msi")
    identifiers = wxs.Identifiers.of(facts.facts(), BUILD)
    assert wide["ProductCode"] == f"{{{identifiers.product}}}"
    assert wide["AppsAndFeaturesEntries"][0]["UpgradeCode"] == f"{{{identifiers.upgrade}}}"


def test_the_chocolatey_package(installers: dict[Architecture, Path]) -> None:
    files = chocolatey.render(facts.facts(), installers, BUILD)
    assert set(files) == {"ddns-fleet.nuspec", "tools/chocolateyInstall.ps1", "tools/chocolateyUninstall.ps1"}
    space = "{http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd}"
    metadata = ET.fromstring(files["ddns-fleet.nuspec"]).find(f"{space}metadata")
    assert metadata is not None
    told = {one.tag.removeprefix(space): one.text or "" for one in metadata}
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,99}", told["id"])
    assert told["version"] == "1.2.3"
    assert told.keys() >= {"authors", "description", "title", "projectUrl", "licenseUrl", "tags", "summary"}
    assert len(told["description"]) <= 4000
    install = files["tools/chocolateyInstall.ps1"]
    for name, path in installers.items():
        assert hashlib.sha256(name.encode()).hexdigest() in install
        assert f"/1.2.3/{path.name}" in install
    assert wxs.Identifiers.of(facts.facts(), BUILD).product in files["tools/chocolateyUninstall.ps1"]


def test_a_build_for_testing_goes_into_no_catalogue(installers: dict[Architecture, Path]) -> None:
    with pytest.raises(PackageError, match="for testing and goes into no public catalogue"):
        winget.render(facts.facts(), installers, TESTING, "2026-01-31")
    with pytest.raises(PackageError, match="for testing and goes into no public catalogue"):
        chocolatey.render(facts.facts(), installers, TESTING)


def test_powershells_entry_says_what_the_msi_says() -> None:
    known = facts.facts()
    assert known.entry["DisplayName"] == known.name
    assert known.entry["Publisher"] == known.publisher
    assert known.entry["URLInfoAbout"] == known.url["home"]
    assert known.entry["HelpLink"] == known.url["help"]
    assert known.entry["URLUpdateInfo"] == known.url["updates"]
