"""The source of a Chocolatey package: nuspec, install and uninstall script; `choco pack` makes the package of it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

from packages import sums, wxs
from packages.errors import PackageError
from packages.facts import Architecture, Build, Facts

_NAMESPACE = "http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd"


def render(known: Facts, installers: Mapping[Architecture, Path], build: Build) -> dict[str, str]:
    """File name to content. Raises PackageError: a build for testing, or no installer for amd64."""
    if build.for_testing:
        raise PackageError(f"{build.stem} is for testing and goes into no public catalogue")
    if "amd64" not in installers:
        raise PackageError("Chocolatey: there is no MSI for amd64")
    return {
        f"{known.chocolatey}.nuspec": _nuspec(known, build),
        "tools/chocolateyInstall.ps1": _install(known, installers, build),
        "tools/chocolateyUninstall.ps1": _uninstall(known, build),
    }


def _nuspec(known: Facts, build: Build) -> str:
    package = ET.Element("package", xmlns=_NAMESPACE)
    metadata = ET.SubElement(package, "metadata")
    for name, value in {
        "id": known.chocolatey,
        "version": build.version,
        "title": known.name,
        "authors": known.publisher,
        "owners": known.publisher,
        "projectUrl": known.url["home"],
        "docsUrl": known.url["help"],
        "releaseNotes": known.url["updates"],
        "licenseUrl": known.url["licence"],
        "requireLicenseAcceptance": "false",
        "tags": " ".join(known.tags),
        "summary": known.summary,
        "description": known.description,
    }.items():
        ET.SubElement(metadata, name).text = value
    files = ET.SubElement(package, "files")
    ET.SubElement(files, "file", src="tools\\**", target="tools")
    ET.indent(package)
    return str(ET.tostring(package, encoding="unicode", xml_declaration=True)) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _install(known: Facts, installers: Mapping[Architecture, Path], build: Build) -> str:
    """PowerShell; the hashes are those of the files that were just made."""
    wide = installers["amd64"]
    lines = [
        "$ErrorActionPreference = 'Stop'",
        "$arguments = @{",
        "    PackageName    = $env:ChocolateyPackageName",
        "    FileType       = 'msi'",
        f"    Url64bit       = {_quoted(known.download(build.version, wide.name))}",
        f"    Checksum64     = {_quoted(sums.digest(wide))}",
        "    ChecksumType64 = 'sha256'",
    ]
    if "x86" in installers:
        narrow = installers["x86"]
        lines += [
            f"    Url            = {_quoted(known.download(build.version, narrow.name))}",
            f"    Checksum       = {_quoted(sums.digest(narrow))}",
            "    ChecksumType   = 'sha256'",
        ]
    lines += [
        "    SilentArgs     = '/qn /norestart'",
        "    ValidExitCodes = @(0, 3010)",
        "}",
        "Install-ChocolateyPackage @arguments",
    ]
    return "".join(f"{line}\r\n" for line in lines)


def _uninstall(known: Facts, build: Build) -> str:
    """By product code, so that nothing else of a similar name is touched."""
    codes = sorted(
        wxs.Identifiers.of(known, Build(build.version, architecture, build.for_testing)).product
        for architecture in known.upgrade_code
    )
    lines = [
        "$ErrorActionPreference = 'Stop'",
        f"foreach ($code in {', '.join(_quoted(f'{{{code}}}') for code in codes)}) {{",
        '    $key = "HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\$code"',
        "    if (-not (Test-Path -LiteralPath $key)) { continue }",
        "    $arguments = @{",
        "        PackageName    = $env:ChocolateyPackageName",
        "        FileType       = 'msi'",
        '        SilentArgs     = "$code /qn /norestart"',
        "        ValidExitCodes = @(0, 3010, 1605)",
        "    }",
        "    Uninstall-ChocolateyPackage @arguments",
        "}",
    ]
    return "".join(f"{line}\r\n" for line in lines)
