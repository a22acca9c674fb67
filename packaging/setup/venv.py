"""Make the virtual environment of a lock file, once for each content of it, and print its path.

It lies in the cache (`DDNS_CACHE`, else `XDG_CACHE_HOME`/ddns-fleet, else ~/.cache/ddns-fleet) and is named by a hash
of the lock file and the interpreter, so that another branch or another Python has its own. Runs on Python's standard
library alone; needs no root. Only the path goes to standard output.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TextIO

try:
    import ensurepip

    HAS_PIP = bool(ensurepip.version())
except (ImportError, AttributeError):  # Debian without python3-venv
    HAS_PIP = False

LOCKS = Path(__file__).resolve().parent.parent / "locks"
#: Written last; an environment without it was cut short and is made anew.
COMPLETE = ".complete"


class SetupError(Exception):
    """Set-up can't go on; the message says why and what to do."""


def cache() -> Path:
    """The folder of everything that is fetched or built and can be made again."""
    own = os.environ.get("DDNS_CACHE")
    if own:
        return Path(own).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "ddns-fleet"


def say(text: str) -> None:
    """One line of progress."""
    print(f"set-up: {text}", file=sys.stderr, flush=True)


def quietly(*command: str | Path) -> None:
    """Run a command; its output is shown only when it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise SetupError(f"{done.stdout.strip()}\nfailed with status {done.returncode}: {command[0]}")


def pip_of_debian(folder: Path) -> Path:
    """Debian leaves pip out of python3; its package python3-pip-whl holds it and can be unpacked by anybody."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise SetupError("this Python has neither venv with pip nor pip itself; install them, or set PYTHON=")
    lists = folder / "apt"
    (lists / "lists" / "partial").mkdir(parents=True)
    (lists / "cache" / "archives" / "partial").mkdir(parents=True)
    apt = ("apt-get", "-q", "-o", f"Dir::State::lists={lists / 'lists'}", "-o", f"Dir::Cache={lists / 'cache'}")
    try:
        quietly(*apt, "update")
        quietly("env", "-C", folder, *apt, "download", "python3-pip-whl")
        for package in folder.glob("python3-pip-whl_*.deb"):
            quietly("dpkg-deb", "-x", package, folder / "pip")
        return next(folder.glob("pip/usr/share/python-wheels/pip-*.whl"))
    except (SetupError, StopIteration) as error:
        raise SetupError(f"{error}\nPython's venv module lacks pip here: apt-get install python3-venv") from error


def install(python: Path, lock: Path) -> None:
    """Install exactly what the lock pins, by hash."""
    options = ("--require-hashes", "--disable-pip-version-check", "--no-input", "--quiet", "-r", lock)
    with tempfile.TemporaryDirectory() as folder:
        here = ("env", f"TMPDIR={folder}")  # pip's own leftovers go with it when it is interrupted
        if HAS_PIP:
            quietly(*here, python, "-m", "pip", "install", *options)
            return
        wheel = pip_of_debian(Path(folder))
        quietly(*here, sys.executable, wheel / "pip", "--python", python, "install", *options)


def make(venv: Path, lock: Path) -> None:
    """Make the environment in its final place, for the scripts in it name that place."""
    started = time.monotonic()
    say(f"Python {platform.python_version()} with the packages of packaging/locks/{lock.name} (once; about a minute)")
    shutil.rmtree(venv, ignore_errors=True)
    quietly(sys.executable, "-m", "venv", *(() if HAS_PIP else ("--without-pip",)), venv)
    install(venv / "bin" / "python", lock)
    (venv / COMPLETE).touch()
    say(f"ready after {time.monotonic() - started:.0f} s")


def guarded(venv: Path) -> TextIO:
    """The lock file beside an environment, open."""
    try:
        venv.parent.mkdir(parents=True, exist_ok=True)
        return open(venv.with_name(f"{venv.name}.lock"), "w")
    except OSError as error:
        raise SetupError(f"the cache {cache()} can't be written; set DDNS_CACHE to a folder that can") from error


def main(name: str) -> Path:
    """The environment of a lock, made if it is not there."""
    lock = LOCKS / f"{name}.txt"
    if not lock.is_file():
        raise SetupError(f"no such lock: {lock}")
    key = hashlib.sha256(lock.read_bytes())
    key.update(f"{sys.version}\n{sys.base_prefix}\n{platform.machine()}".encode())
    venv = cache() / f"venv-{name}-{key.hexdigest()[:16]}"
    if not (venv / COMPLETE).exists():
        # Two makes at once: the second waits here and then finds the work done.
        with guarded(venv) as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not (venv / COMPLETE).exists():
                make(venv, lock)
    return venv


if __name__ == "__main__":
    try:
        print(main(sys.argv[1]))
    except (SetupError, OSError) as failure:
        sys.exit(f"set-up: {failure}")
    except KeyboardInterrupt:
        say("stopped; nothing is left running")
        sys.exit(130)
