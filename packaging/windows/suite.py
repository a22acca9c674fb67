"""Packages of one suite of Debian, fetched by another Debian from its own mirror, each with a hash that is pinned.

apt checks Debian's signatures; the pin says that it is the very file that the build was tried with.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from windows.errors import BuildError, Lacking

_COMPLETE = "A complete Windows Python needs none of this: make exe ARGS='--windows-python FOLDER'"


def pins(text: str) -> dict[str, str]:
    """File name -> SHA-256, of lines as `sha256sum` writes them. Raises BuildError."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            match = re.fullmatch(r"([0-9a-f]{64})  (\S+\.deb)", line)
            if not match:
                raise BuildError(f"line {number} of the pinned Debian packages is no hash and file name: {line}")
            found[match[2]] = match[1]
    return found


def fetch(name: str, pinned: dict[str, str], folder: Path) -> list[Path]:
    """The pinned packages (for amd64) from the suite `name`, in `folder`. Raises BuildError."""
    download(name, tuple(file.split("_")[0] for file in pinned), folder)
    return [checked(folder, file, digest) for file, digest in pinned.items()]


def checked(folder: Path, file: str, digest: str) -> Path:
    """The file, when it is there and has the hash. Raises BuildError."""
    path = folder / file
    if not path.exists():
        package = file.split("_", maxsplit=1)[0]
        served = ", ".join(sorted(one.name for one in folder.glob(f"{package}_*"))) or "nothing"
        raise BuildError(
            f"Debian does not serve {file} any more, but {served}",
            f"Pin what it serves (make lock), and build anew. {_COMPLETE}",
        )
    if (found := sha256(path)) != digest:
        raise BuildError(
            f"{file} is not what is pinned: its SHA-256 is {found}, not {digest}", "Find out why before anything else."
        )
    return path


def sha256(path: Path) -> str:
    """Of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(name: str, packages: tuple[str, ...], folder: Path) -> None:
    """What the suite serves now. This machine's lists of packages stay as they are. Raises BuildError."""
    here = _codename()
    if not here or not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Lacking("only on Debian can a Windows Python be composed: parts of it are Debian's", _COMPLETE)
    apt = folder / "apt"
    for place in ("state/lists/partial", "cache/archives/partial", "sources"):
        (apt / place).mkdir(parents=True)
    _copy_sources(apt / "sources", here, name)
    options = (
        *("-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={apt / 'sources'}"),
        *("-o", f"Dir::State={apt / 'state'}", "-o", f"Dir::Cache={apt / 'cache'}"),
        # As root, apt would fetch as its own user, who can't write here, and says so.
        *("-o", "APT::Sandbox::User=root", "-o", "APT::Architecture=amd64", "-o", "APT::Architectures=amd64"),
    )
    _run(folder, "apt-get", *options, "-qq", "update")
    _run(folder, "apt-get", *options, "-qq", "download", *packages)
    shutil.rmtree(apt)


def unpack(package: Path, folder: Path) -> None:
    """The files of a package, below `folder`. Raises BuildError."""
    _run(package.parent, "dpkg-deb", "-x", str(package), str(folder))


def _codename() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return release.get("VERSION_CODENAME", "") if release.get("ID") == "debian" else ""


def _copy_sources(folder: Path, here: str, name: str) -> None:
    known = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for source in known:
        if source.suffix in {".list", ".sources"} and source.is_file():
            entries = own_entries(source.read_text("utf-8", errors="replace"), here, source.suffix)
            if entries:
                (folder / source.name).write_text(entries.replace(here, name))


def own_entries(text: str, here: str, kind: str) -> str:
    """The entries of Debian `here`, its updates and security fixes: no third party's, and no backports."""
    suite = rf"\s{here}(?:-updates|-security)?(?=\s|$)"
    if kind == ".sources":
        stanzas = re.split(r"\n\s*\n", text)
        return "".join(f"{one}\n\n" for one in stanzas if re.search(rf"(?mi)^Suites:.*{suite}", one))
    return "".join(f"{line}\n" for line in text.splitlines() if re.match(rf"\s*deb\s.*{suite}", line))


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = next((line for line in done.stdout.splitlines() if line.startswith(("E:", "dpkg"))), "no reason given")
        raise BuildError(f"{command[0]} could not fetch Debian's packages: {said}", _COMPLETE)
