"""The facts of a release: release.toml, and what the build says of itself in build.json."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

import msgspec

from packages.errors import PackageError

RELEASE = Path(__file__).with_name("release.toml")
#: Written by the build into the root of its tree.
BUILD = "build.json"
Architecture = Literal["amd64", "x86", "arm64"]
_VERSION = re.compile(
    r"(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,4})"
)  # Windows Installer: 255.255.65535
#: Top-level names that nobody can own (RFC 2606).
_RESERVED = (".example", ".invalid", ".test", ".localhost")


@dataclass(frozen=True)
class Facts:
    """release.toml, field by field."""

    product: str
    name: str
    publisher: str
    signer: str
    summary: str
    description: str
    licence: str
    tags: tuple[str, ...]
    winget: str
    chocolatey: str
    url: Mapping[str, str]
    upgrade_code: Mapping[Architecture, str]
    event_source: Mapping[str, str | int]
    entry: Mapping[str, str | int]

    def download(self, version: str, file: str) -> str:
        """Where a release file is fetched from."""
        return self.url["download"].format(version=version, file=file)


def facts(path: Path = RELEASE) -> Facts:
    """The facts in `path`. Raises PackageError: a key is missing, unknown, or of a wrong type."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Facts)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PackageError(f"{path.name}: {error}") from error


@dataclass(frozen=True)
class Build:
    """What is packed: a version for an architecture, and whether it is for testing only."""

    version: str
    architecture: Architecture
    for_testing: bool

    @property
    def stem(self) -> str:
        """How the names of its release files begin."""
        return f"ddns-{self.version}-windows-{self.architecture}{'-for-testing' if self.for_testing else ''}"


def build_of(tree: Path) -> Build:
    """What build.json in `tree` says. Unknown keys are the build's own affair. Raises PackageError."""
    path = tree / BUILD
    try:
        told = cast("dict[str, object]", json.loads(path.read_bytes()))
        build = msgspec.convert({name: told.get(name) for name in Build.__dataclass_fields__}, Build)
    except OSError as error:
        raise PackageError(f"{path}: {error.strerror}; build the program first (make exe)") from error
    except (ValueError, msgspec.ValidationError, AttributeError) as error:
        raise PackageError(f"{path}: {error}") from error
    return checked(build)


def checked(build: Build) -> Build:
    """The build, when Windows Installer can express its version. Raises PackageError."""
    if not _VERSION.fullmatch(build.version) or any(int(part) > 255 for part in build.version.split(".")[:2]):
        raise PackageError(f"version {build.version} is not N.N.N with at most 255.255.65535")
    return build


def publishable(known: Facts, build: Build) -> None:
    """Raises PackageError when a build that is not for testing would go out with addresses that nobody owns."""
    if build.for_testing:
        return
    for name, url in known.url.items():
        host = urlsplit(url).hostname or ""
        if host.endswith(_RESERVED):
            raise PackageError(
                f"release.toml: url.{name} is {url}, a reserved name; put the project's own address there"
            )
