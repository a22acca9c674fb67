"""The getting-started page, typed as it is written, on a Windows machine that knows nothing of tests.

The release is signed, by a throw-away authority; the program is the real one, with the settings that it writes itself;
the names of public services lead to doubles, in a network that has no way out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ground import NotHere, code, exe, internet, not_run, pwsh
from packages import sign, sums
from packages.facts import facts
from packages.sign import Signer
from powershell.one.on_windows import release
from providers.doubles.cloudflare import TOKEN

PAGE = (pwsh.ROOT / "docs" / "guides" / "getting-started.md").read_text()
SCRIPTS = ("Deploy-DDNS.ps1", "Get-DDNS.ps1", "Uninstall-DDNS.ps1")
#: Public addresses that nobody is asked at.
FIRST, SECOND = "193.0.2.7", "193.0.2.8"


def blocks(kind: str) -> list[str]:
    """The blocks of one kind in the page's part for Windows."""
    part = PAGE.split("\n## Windows\n")[1].split("\n## ")[0]
    return re.findall(rf"```{kind}\n(.*?)```", part, re.DOTALL)


def shown(text: str) -> list[str]:
    """The lines of a screen that are the same whenever it is shown."""
    lines = (
        re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|(?<=Computer).*|\d+ files", "", line) for line in text.splitlines()
    )
    return [line.rstrip() for line in lines if line.strip() and not line.startswith(("Token of", "Seconds"))]


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """A signed release, as it is published."""
    try:
        tree = exe.tree()
    except NotHere as missing:
        not_run(missing)
    authority = tmp_path / "ca"
    authority.mkdir()
    signer = Signer.of(code.Authority(authority).environ(facts().signer))
    assert signer is not None
    folder = tmp_path / "share"
    release(folder, tree, "0.1.0")
    for name in SCRIPTS:
        shutil.copyfile(pwsh.PS / name, folder / name)
    sign.sign([folder / name for name in SCRIPTS], facts(), signer)
    sums.write(folder, "ddns-fleet", "0.1.0", "any", for_testing=True)
    sign.sign([folder / sums.SEAL], facts(), signer)
    return folder


def play(share: Path, steps: list[dict[str, str]], answers: list[str]) -> list[dict[str, Any]]:
    """Have these steps taken on a new machine; see `as_written`."""
    spec = {"folder": str(share.parent), "share": str(share), "authority": str(share.parent / "ca" / "ca.pem")}
    file = share.parent / "spec.json"
    file.write_text(json.dumps({**spec, "answers": answers, "steps": steps}))
    try:
        pwsh.tasks_double()
        command = internet.command(sys.executable, "-m", "powershell.one.as_written", str(file))
    except NotHere as missing:
        not_run(missing)
    paths = os.pathsep.join(str(pwsh.ROOT / name) for name in ("src", "packaging", "tests"))
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


@pytest.mark.plants_secrets("what will be typed lies in a file for the one who types")
def test_the_getting_started_page_works_as_written(share: Path) -> None:
    deploy, ask, uninstall = blocks("powershell")
    said_made, said_asked = blocks("console")
    steps = [{"address": FIRST, "text": deploy}, {"text": ask}, {"address": SECOND}, {"text": deploy}]
    made, asked, moved, again, gone = play(share, [*steps, {"text": uninstall}], [TOKEN])

    assert made["exit"] == 0, made
    assert made["asked"] == ["Token of the provider cloudflare"]
    assert shown(made["out"]) == shown(said_made)
    assert made["records"] == {"home.example.com": FIRST}

    assert asked["exit"] == 0, asked
    assert shown(asked["out"]) == shown(said_asked)
    assert FIRST in said_asked

    assert moved["records"] == {"home.example.com": SECOND}, moved

    assert again["exit"] == 0, again
    assert re.search(r"Outcome +: Unchanged", again["out"]), again["out"]
    assert again["asked"] == made["asked"], "it asks once"

    assert gone["exit"] == 0, gone
    assert gone["records"] == {"home.example.com": SECOND}, "the record stays, as the page says"
    assert not list((share.parent / "prefix" / "drive_c").glob("Program*/DDNS*"))
