"""What a built tree is made of: CPython and the libraries in it (parts.toml), and the Python packages compiled in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from fnmatch import fnmatch
from pathlib import Path

import pefile

from packages import sums
from windows import zig

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
_TITLES = {"BSD 3-Clause License": "BSD-3-Clause"}
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
        paths = _matching(tree, part["files"])
        version = _version(part["version"], paths, versions)
        if not paths or ("compiler" in part and part["compiler"] not in versions):
            continue
        found.append(
            Component(
                part["name"],
                version,
                part["licence"],
                part["purl"].format(version=version),
                part["home"],
                part.get("cpe", "").format(version=version),
                {path.relative_to(tree).as_posix(): sums.digest(path) for path in paths},
                tuple((zig.path().parent / name).read_text("utf-8", "replace") for name in part.get("texts", ())),
                part.get("notice", ""),
            )
        )
    return found


def _matching(tree: Path, patterns: Collection[str]) -> list[Path]:
    """As Windows compares names: in any case."""
    names = {path.relative_to(tree).as_posix(): path for path in tree.glob("*/*") if path.is_file()}
    return [path for name, path in sorted(names.items()) if any(fnmatch(name.lower(), one) for one in patterns)]


def _version(rule: str, paths: Iterable[Path], versions: Mapping[str, str]) -> str:
    if rule.startswith("build:"):
        return versions.get(rule.removeprefix("build:"), UNKNOWN)
    told = (resource_version(path) if rule == "resource" else _searched(rule, path) for path in paths)
    return next((version for version in told if version), UNKNOWN)


def _searched(rule: str, path: Path) -> str:
    found = re.search(rule.encode(), path.name.encode() + b"\0" + path.read_bytes())
    return found.group(1).decode("ascii", "replace") if found else ""


def resource_version(path: Path) -> str:
    """The product version that a PE file's version resource names as text; empty when there is none."""
    try:
        with pefile.PE(str(path), fast_load=True) as image:
            image.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_RESOURCE"]])
            texts = [
                table.entries.get(b"ProductVersion", b"").decode("utf-8", "replace")
                for block in getattr(image, "FileInfo", [])
                for information in block
                for table in getattr(information, "StringTable", [])
            ]
    except pefile.PEFormatError:
        return ""
    told = next((text for text in texts if re.fullmatch(r"[0-9][0-9.]*", text)), "")
    return told.removesuffix(".0") if told.count(".") == 3 else told


def of_packages(site_packages: Path, modules: Collection[str] | None = None) -> list[Component]:
    """The Python packages installed in a folder; with `modules` (dotted names), those that one of them is from."""
    tops = None if modules is None else {name.partition(".")[0] for name in modules}
    return [
        _package(folder, BytesParser().parsebytes((folder / "METADATA").read_bytes()))
        for folder in sorted(site_packages.glob("*.dist-info"))
        if tops is None or tops & _tops(folder)
    ]


def _tops(folder: Path) -> set[str]:
    """The names by which a package's modules begin, from its list of files: packages, and files outside of one."""
    files = [line.split(",")[0] for line in (folder / "RECORD").read_text("utf-8").splitlines()]
    packages = {name.removesuffix("/__init__.py") for name in files if name.endswith("/__init__.py")}
    loose = {
        name.rpartition("/")[2].partition(".")[0]
        for name in files
        if name.endswith((".py", ".pyd")) and name.rpartition("/")[0] not in packages
    }
    return {name.partition("/")[0] for name in packages} | loose


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
    first = (metadata["License"] or "").partition("\n")[0].strip()  # some put the whole text there, under its title
    if not expression and first in _WORDS:
        expression = first
    if not expression:
        expression = _TITLES.get(first, "")
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
