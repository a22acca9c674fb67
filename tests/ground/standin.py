"""A built tree without a build: the real launcher, a program that only knows its version, and a few files beside it."""

from __future__ import annotations

import json
from pathlib import Path

from packages.facts import Build
from windows import cache, zig
from windows.launcher.build import launcher

_SOURCE = Path(__file__).with_suffix(".c")
_COMPILE = ("-Os", "-fno-builtin", "-fno-stack-protector", "-fno-sanitize=all")
_LINK = ("-nostdlib", "-s", "-Wl,--subsystem,windows", "-Wl,-e,start", "-lkernel32")


def program(version: str, *, trial: int = 0, settings: int = 0) -> Path:
    """The stand-in for app\\ddns.exe. Raises BuildError."""
    words = (f'-DVERSION="{version}"', f"-DTRIAL={trial}", f"-DSETTINGS={settings}")

    def make(folder: Path) -> None:
        zig.compile_c(_SOURCE, folder / "ddns.obj", "-c", *_COMPILE, *words)
        zig.compile_c(folder / "ddns.obj", folder / "ddns.exe", *_LINK)

    return cache.once("standin", "\0".join((_SOURCE.read_text("utf-8"), zig.version(), *words)), make) / "ddns.exe"


def tree(folder: Path, version: str, *, trial: int = 0, settings: int = 0) -> Path:
    """A tree as `make exe` leaves it, in `folder` (which is made). Raises BuildError."""
    for path, content in {
        "app/ddns.exe": program(version, trial=trial, settings=settings).read_bytes(),
        "app/data/table.json": b"{}",
        f"app/only-in-{version}.txt": version.encode(),
        "bin/ddns.exe": launcher("amd64", version).read_bytes(),
        "build.json": json.dumps(description(version)).encode(),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def description(version: str) -> dict[str, object]:
    """What the build says of itself."""
    return {"version": version, "architecture": "amd64", "for_testing": True}


def build(version: str) -> Build:
    """The same as a value."""
    return Build(version, "amd64", for_testing=True)
