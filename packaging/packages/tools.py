"""The programs that packing needs, each found or fetched once."""

from __future__ import annotations

import re
from functools import cache

from packages import debian
from packages.debian import Program
from packages.errors import PackageError

#: osslsigncode signs PowerShell files from this version on.
_SIGNS_SCRIPTS = (2, 8)


def _got(name: str, *packages: str) -> Program:
    try:
        return debian.program(name, *packages)
    except debian.NoProgram as missing:
        raise PackageError(str(missing)) from missing


@cache
def wixl() -> Program:
    """Makes an MSI of a WiX source."""
    return _got("wixl", "wixl")


@cache
def msibuild() -> Program:
    """Writes tables into an MSI."""
    return _got("msibuild", "msitools")


@cache
def msiinfo() -> Program:
    """Reads tables of an MSI."""
    return _got("msiinfo", "msitools")


@cache
def osslsigncode() -> Program:
    """Signs and verifies Authenticode. Debian 12 has one that can't do scripts: its backport is taken then."""
    try:
        return debian.program("osslsigncode", "osslsigncode", good=_signs_scripts, backports=True)
    except debian.NoProgram as missing:
        raise PackageError(str(missing)) from missing


def _signs_scripts(found: Program) -> bool:
    told = re.search(r"osslsigncode (\d+)\.(\d+)", found.run("--version").stdout)
    return bool(told) and tuple(int(part) for part in told.groups()) >= _SIGNS_SCRIPTS if told else False
