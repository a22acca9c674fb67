"""What a built tree is made of: CPython and the libraries in it (parts.toml), and the Python packages compiled in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import pefile

from packages import sums

PARTS = Path(__file__).with_name("parts.toml")
UNKNOWN = "unknown"
#: How packages of before PEP 639 name their licence.
_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_WORDS = {"MIT", "MPL-2.0", "BSD-3-Clause", "BSD-2-Clause", "Apache-2.0", "ISC", "PSF-2.0"}
_TEXTS = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)


@dataclass(frozen=True)
class Component:
    """One thing with a licence of its own.

    `licence` is an SPDX expression, `texts` the contents of its licence files, `files` the paths in the tree that hold
    it, with their SHA-256, `notice` words that CPython's licence file must hold for it.
    """

    name: str
    version: str
    licence: str
    purl: str
    home: str = ""
    cpe: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    notice: str = ""


def of_tree(tree: Path, versions: Mapping[str, str]) -> list[Component]:
    """The parts of parts.toml that are in `tree`. `versions` are those that only the build knows (zig, nuitka)."""
    found = []
    for part in tomllib.loads(PARTS.read_text("utf-8")).values():
        paths = sorted(path for pattern in part["files"] for path in tree.glob(pattern))
        if not paths or ("compiler" in part and part["compiler"] not in versions):
            continue
        version = _version(part["version"], paths, versions)
        if version is None:
            if part["version"].startswith("build:"):
                version = UNKNOWN
            else:
                continue  # the file is there, this library is not in it
        found.append(
            Component(
                part["name"],
                version,
                part["licence"],
                part["purl"].format(version=version),
                part["home"],
                part.get("cpe", "").format(version=version),
                {path.relative_to(tree).as_posix(): sums.digest(path) for path in paths},
                notice=part.get("notice", ""),
            )
        )
    return found


def _version(rule: str, paths: Iterable[Path], versions: Mapping[str, str]) -> str | None:
    if rule.startswith("build:"):
        return versions.get(rule.removeprefix("build:"))
    for path in paths:
        told = resource_version(path) if rule == "resource" else _searched(rule, path)
        if told:
            return told
    return UNKNOWN if rule == "resource" else None


def _searched(rule: str, path: Path) -> str | None:
    found = re.search(rule.encode(), path.name.encode() + b"\0" + path.read_bytes())
    return found.group(1).decode("ascii", "replace") if found else None


def resource_version(path: Path) -> str | None:
    """The product version in a PE file's version resource, its trailing zero left out; None when it has none."""
    try:
        with pefile.PE(str(path), fast_load=True) as image:
            image.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_RESOURCE"]])
            for information in getattr(image, "VS_FIXEDFILEINFO", []):
                high, low = information.FileVersionMS, information.FileVersionLS
                numbers = [high >> 16, high & 0xFFFF, low >> 16, low & 0xFFFF]
                return ".".join(str(number) for number in (numbers if numbers[3] else numbers[:3]))
    except pefile.PEFormatError:
        pass
    return None


def of_packages(site_packages: Path, modules: Collection[str] | None = None) -> list[Component]:
    """The Python packages installed in a folder; with `modules` (dotted names), those that one of them is from."""
    tops = None if modules is None else {name.partition(".")[0] for name in modules}
    return [
        _package(folder, BytesParser().parsebytes((folder / "METADATA").read_bytes()))
        for folder in sorted(site_packages.glob("*.dist-info"))
        if tops is None or tops & _tops(folder)
    ]


def _tops(folder: Path) -> set[str]:
    """The names by which a package's modules begin, from its list of files."""
    names = (line.split(",")[0].partition("/")[0] for line in (folder / "RECORD").read_text("utf-8").splitlines())
    return {name.partition(".")[0] for name in names if name.endswith((".py", ".pyd")) or "." not in name}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _package(folder: Path, metadata: Message) -> Component:
    name, version = metadata["Name"], metadata["Version"]
    licences = sorted(path for path in folder.rglob("*") if path.is_file() and _TEXTS.search(path.name))
    return Component(
        name,
        version,
        _licence(metadata),
        f"pkg:pypi/{_plain(name)}@{version}",
        _home(metadata),
        texts=tuple(path.read_text("utf-8", "replace") for path in licences),
    )


def _licence(metadata: Message) -> str:
    """The SPDX expression; empty when the package does not name its licence in a way that we know."""
    expression = metadata["License-Expression"] or ""
    if not expression and metadata["License"] in _WORDS:
        expression = metadata["License"]
    if not expression:
        classifiers = metadata.get_all("Classifier", [])
        named = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: ")]
        expression = next((_CLASSIFIERS[name] for name in named if name in _CLASSIFIERS), "")
    return str(expression)


def _home(metadata: Message) -> str:
    urls = dict(line.split(", ", 1) for line in metadata.get_all("Project-URL", []) if ", " in line)
    for label in ("Homepage", "Home", "Source", "Source Code", "Repository", "Documentation"):
        if label in urls:
            return str(urls[label])
    return str(metadata["Home-page"] or next(iter(urls.values()), ""))
