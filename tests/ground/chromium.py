"""A real browser without a window: what a page is after its scripts ran, and what it looks like."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ground import NotHere

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
_PATIENCE = 120


def program() -> str:
    """Chromium; as root on Debian it is installed first when it is missing. Raises NotHere."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found:
        return found
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NotHere("Chromium is not installed (as root: apt-get install chromium)")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    for command in (("update",), ("install", "-y", "--no-install-recommends", "chromium")):
        done = subprocess.run(
            ("apt-get", "-q", *command), env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode:
            raise NotHere("apt-get could not install Chromium")
    return program()


def document(page: Path, fragment: str = "") -> str:
    """The page's markup after its scripts ran."""
    return _run(page, fragment, "--dump-dom").decode(errors="replace")


def picture(page: Path, target: Path, *, fragment: str = "", width: int = 1360, height: int = 1000) -> None:
    """What the page looks like, as PNG."""
    _run(page, fragment, f"--window-size={width},{height}", f"--screenshot={target}")


def _run(page: Path, fragment: str, *arguments: str) -> bytes:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        done = subprocess.run(
            (program(), *_FLAGS, f"--user-data-dir={profile}", *arguments, page.as_uri() + fragment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
        )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done.stdout
