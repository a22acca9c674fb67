"""NOTICES.txt: the licences of everything in the program that is not ours, in the words of their owners."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from packages.components import Component
from packages.errors import PackageError

_RULE = "-" * 78
#: Where a Windows Python keeps its licence: python.org's layout, then a composed one.
_PYTHON = ("LICENSE.txt", "Lib/LICENSE.txt")


def python_licence(python: Path) -> str:
    """CPython's licence file, which holds those of the libraries in it. Raises PackageError."""
    for name in _PYTHON:
        if (python / name).is_file():
            return (python / name).read_text("utf-8", "replace")
    raise PackageError(f"{python} has no LICENSE.txt: CPython can't be passed on without it")


def render(product: str, components: Sequence[Component], python_text: str, *, strict: bool) -> str:
    """The file. With `strict`, a part whose notice is missing raises PackageError; else the file names it."""
    lines = [f"{product} holds software of others, under these licences.", ""]
    lines += [f"  {one.name} {one.version}: {one.licence}{f'  {one.home}' if one.home else ''}" for one in components]
    missing = [one.name for one in components if one.notice and one.notice.lower() not in python_text.lower()]
    if missing and strict:
        raise PackageError(f"CPython's licence file lacks the notice of {', '.join(missing)}: take a complete Python")
    if missing:
        lines += ["", f"Not for passing on: the licence texts of {', '.join(missing)} are not in this build."]
    lines += ["", _RULE, "CPython, and the libraries that it brings", _RULE, "", python_text.strip(), ""]
    for one in components:
        for text in one.texts:
            lines += [_RULE, f"{one.name} {one.version}", _RULE, "", text.strip(), ""]
    return "\n".join(line.rstrip() for line in "\n".join(lines).splitlines()) + "\n"
