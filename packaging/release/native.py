"""Pins for the native builds: versions of windows.txt, windows-nuitka.txt and dev.txt, hashes of each architecture.

Part of `make lock`. An architecture for which a package has no wheel is said on standard error; pip refuses it there.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from windows import target

LOCKS = Path(__file__).resolve().parents[1] / "locks"
OUT = LOCKS / "windows-native.txt"
_PLATFORMS = ("win_amd64", "win32", "win_arm64")
#: What the build runs besides Nuitka.
_TOOLS = ("pefile", "ziglang")


def pins() -> dict[str, str]:
    """Name -> version."""
    chosen = {"windows": None, "windows-nuitka": None, "dev": _TOOLS}
    return {
        name: version
        for lock, names in chosen.items()
        for name, version in re.findall(r"^(\S+)==(\S+)", (LOCKS / f"{lock}.txt").read_text("utf-8"), re.MULTILINE)
        if names is None or name in names
    }


def hashes(name: str, version: str, platform: str) -> str:
    """The SHA-256 of the wheel for a platform, or of the sdist where there are no wheels at all; empty: neither."""
    for form in (("--only-binary=:all:", "--platform", platform), ("--no-binary=:all:",)):
        with tempfile.TemporaryDirectory() as scratch:
            options = ("--dry-run", "--quiet", "--no-deps", "--ignore-installed", "--python-version", target.VERSION)
            done = subprocess.run(
                (
                    *(sys.executable, "-m", "pip", "install", *options, *form),
                    *("--target", scratch, "--report", "-", f"{name}=={version}"),
                ),
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode == 0:
            (found,) = json.loads(done.stdout)["install"]
            return str(found["download_info"]["archive_info"]["hashes"]["sha256"])
        if name != "nuitka":  # the only one without wheels
            return ""
    return ""


def main() -> None:
    """Write the lock."""
    lines = []
    for name, version in sorted(pins().items()):
        known = {platform: hashes(name, version, platform) for platform in _PLATFORMS}
        for platform in (platform for platform, digest in known.items() if not digest):
            print(f"{name} {version} has no wheel for {platform}", file=sys.stderr)
        digests = " ".join(f"\\\n    --hash=sha256:{digest}" for digest in sorted(set(known.values()) - {""}))
        lines.append(f"{name}=={version} {digests}\n")
    OUT.write_text("".join(lines), "utf-8")
    print(OUT.relative_to(LOCKS.parents[1]))


if __name__ == "__main__":
    main()
