"""The three files of a winget manifest (https://github.com/microsoft/winget-pkgs, manifest schema 1.6.0)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from packages import sums, wxs
from packages.errors import PackageError
from packages.facts import Architecture, Build, Facts

SCHEMA = "1.6.0"
_ARCHITECTURES: dict[Architecture, str] = {"amd64": "x64", "x86": "x86", "arm64": "arm64"}


def render(known: Facts, installers: Mapping[Architecture, Path], build: Build, released: str) -> dict[str, str]:
    """File name to content. `released` is the day, YYYY-MM-DD. Raises PackageError: a build for testing."""
    if build.for_testing:
        raise PackageError(f"{build.stem} is for testing and goes into no public catalogue")
    shared: dict[str, object] = {"PackageIdentifier": known.winget, "PackageVersion": build.version}
    version = shared | {"DefaultLocale": "en-US"}
    locale = shared | {
        "PackageLocale": "en-US",
        "Publisher": known.publisher,
        "PublisherUrl": known.url["home"],
        "PublisherSupportUrl": known.url["help"],
        "PackageName": known.name,
        "PackageUrl": known.url["home"],
        "License": known.licence,
        "LicenseUrl": known.url["licence"],
        "ShortDescription": known.summary,
        "Description": known.description,
        "Tags": list(known.tags),
        "ReleaseNotesUrl": known.url["updates"],
    }
    installer = shared | {
        "InstallerType": "wix",
        "Scope": "machine",
        "InstallModes": ["silent", "silentWithProgress"],
        "UpgradeBehavior": "install",
        "Commands": ["ddns"],
        "MinimumOSVersion": "10.0.14393.0",
        "ReleaseDate": released,
        "Installers": [_installer(known, build, name, path) for name, path in sorted(installers.items())],
    }
    files = {
        "": ("version", version),
        ".installer": ("installer", installer),
        ".locale.en-US": ("defaultLocale", locale),
    }
    return {
        f"{known.winget}{suffix}.yaml": _yaml(content | {"ManifestType": kind, "ManifestVersion": SCHEMA})
        for suffix, (kind, content) in files.items()
    }


def _installer(known: Facts, build: Build, architecture: Architecture, path: Path) -> dict[str, object]:
    identifiers = wxs.Identifiers.of(known, Build(build.version, architecture, build.for_testing))
    return {
        "Architecture": _ARCHITECTURES[architecture],
        "InstallerUrl": known.download(build.version, path.name),
        "InstallerSha256": sums.digest(path).upper(),
        "ProductCode": f"{{{identifiers.product}}}",
        "AppsAndFeaturesEntries": [
            {"UpgradeCode": f"{{{identifiers.upgrade}}}", "ProductCode": f"{{{identifiers.product}}}"}
        ],
    }


def _yaml(content: Mapping[str, object]) -> str:
    """YAML in the form that winget's own files have; values are quoted as JSON, which is YAML too."""
    lines: list[str] = []
    for name, value in content.items():
        if isinstance(value, list):
            lines.append(f"{name}:")
            lines += _items(value, "")
        else:
            lines.append(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    return "".join(f"{line}\n" for line in lines)


def _items(values: list[object], indent: str) -> list[str]:
    lines = []
    for value in values:
        if not isinstance(value, dict):
            lines.append(f"{indent}- {json.dumps(value, ensure_ascii=False)}")
            continue
        mark = "- "
        for name, inner in value.items():
            if isinstance(inner, list):
                lines.append(f"{indent}{mark}{name}:")
                lines += _items(inner, f"{indent}  ")
            else:
                lines.append(f"{indent}{mark}{name}: {json.dumps(inner, ensure_ascii=False)}")
            mark = "  "
    return lines
