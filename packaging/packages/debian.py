"""Programs of Debian packages, unpacked into the cache rather than installed.

Nothing is configured, no daemon starts, no root is needed, and no AppArmor profile applies. apt itself works out which
library packages this machine lacks. A program that is installed is used as it is.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from windows import cache

_SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: Newer packages for the running release, in lists of their own: nothing of the machine's set-up is changed.
_BACKPORTS = (
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian {}-backports main\n"
)


class NoProgram(Exception):
    """The program is not here and can't be fetched; the message says why."""


@dataclass(frozen=True)
class Program:
    """A program that can be started: `path`, with `env` in its environment."""

    path: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run it to its end, with both streams in `stdout`."""
        return subprocess.run(
            (str(self.path), *arguments),
            cwd=cwd,
            env=os.environ | dict(self.env) | {"LC_ALL": "C.UTF-8"},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )


def program(
    name: str, *packages: str, good: Callable[[Program], bool] = lambda _: True, backports: bool = False
) -> Program:
    """The program `name`: installed and `good`, or unpacked with its `packages`. Raises NoProgram."""
    installed = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM}")
    if installed and good(found := Program(Path(installed))):
        return found
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise NoProgram(f"{name} is not installed, and without apt-get it can't be fetched")
    key = "\0".join((_release("PRETTY_NAME"), platform.machine(), *packages, *(("backports",) if backports else ())))
    root = cache.once(f"debian-{packages[0]}", key, lambda folder: _unpack(folder, packages, backports=backports))
    for folder in ("usr/sbin", "usr/bin", "sbin", "bin"):
        path = root / folder / name
        if path.exists():
            return Program(path, _environment(root))
    raise NoProgram(f"the package {packages[0]} holds no {name}")


def _release(field_name: str) -> str:
    try:
        return platform.freedesktop_os_release().get(field_name, "")
    except OSError:
        return ""


def _environment(root: Path) -> dict[str, str]:
    """Where the unpacked libraries, Perl modules and data files lie."""
    libraries = sorted({str(lib.parent) for part in ("usr/lib", "lib") for lib in (root / part).glob("**/*.so*")})
    modules = sorted(str(path) for place in ("share/perl5", "lib/*/perl5/*") for path in (root / "usr").glob(place))
    # An empty entry would stand for the current folder.
    variables = {"LD_LIBRARY_PATH": ":".join(libraries), "PERL5LIB": ":".join(modules)}
    return {name: value for name, value in variables.items() if value}


def _unpack(folder: Path, packages: tuple[str, ...], *, backports: bool) -> None:
    """Fetch `packages` and what they need beyond the installed, first with the system's lists, then with fresh ones."""
    lists = folder / "apt"
    own: tuple[str, ...] = ("-o", f"Dir::State::lists={lists / 'lists'}", "-o", f"Dir::Cache={lists / 'cache'}")
    try:
        if backports:
            raise NoProgram("the system's lists have no backports")
        debs = _download(folder, (), packages)
    except NoProgram:
        (lists / "lists" / "partial").mkdir(parents=True)
        if backports:
            codename = _release("VERSION_CODENAME")
            (lists / "backports.list").write_text(_BACKPORTS.format(codename))
            parts = ("-o", f"Dir::Etc::sourcelist={lists / 'backports.list'}", "-o", "Dir::Etc::sourceparts=-")
            own += (*parts, "-t", f"{codename}-backports")
        _run("apt-get", "-q", *own, "update", folder=folder)
        debs = _download(folder, own, packages)
        shutil.rmtree(lists)
    for deb in debs:
        _run("dpkg-deb", "-x", str(deb), str(folder), folder=folder)
        deb.unlink()


def _download(folder: Path, options: tuple[str, ...], packages: tuple[str, ...]) -> list[Path]:
    plan = _run(
        "apt-get",
        "-q",
        *options,
        *("-s", "-o", "APT::Install-Recommends=false", "install", "--reinstall"),
        *packages,
        folder=folder,
    )
    wanted = re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", plan, re.MULTILINE)
    names = [f"{name}={version}" for name, version in wanted]
    if names:
        # As root, apt would fetch as its own user, who can't write here, and says so.
        _run("apt-get", "-q", *options, "-o", "APT::Sandbox::User=root", "download", *names, folder=folder)
    return sorted(folder.glob("*.deb"))


def _run(*command: str, folder: Path) -> str:
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
        raise NoProgram(f"{command[0]} could not fetch it: {said}")
    return done.stdout
