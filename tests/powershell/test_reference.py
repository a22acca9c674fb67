"""The reference pages say what the commands' own help says."""

from __future__ import annotations

import re
from pathlib import Path

from ground import pwsh

PAGES = pwsh.ROOT / "docs" / "reference" / "powershell"
MAKER = pwsh.ROOT / "packaging" / "powershell" / "reference.ps1"


def test_the_pages_are_current(shell: pwsh.Shell, tmp_path: Path) -> None:
    """`pwsh -NoProfile -File packaging/powershell/reference.ps1 docs/reference/powershell` writes them anew."""
    ended = shell.file(MAKER, str(tmp_path))
    assert (ended.exit, ended.err) == (0, "")
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_text() for path in PAGES.iterdir()}
    assert len({name.lower() for name in made}) == len(made), "Windows would see one file"


def test_every_command_in_the_guides_exists() -> None:
    """Names of commands and their parameters in the examples of the guides are those of the reference."""
    known = {path.stem.removesuffix(".ps1"): path.read_text() for path in PAGES.glob("*.md")}
    for guide in ("fleet", "gpo", "intune"):
        text = (pwsh.ROOT / "docs" / "guides" / f"{guide}.md").read_text()
        for block in re.findall(r"```(?:powershell|console)\n(.*?)```", text, re.DOTALL):
            for line in block.replace("`\n", " ").splitlines():
                for name, rest in re.findall(r"\b((?:\w+-D(?:dns\w*|DNS)))(?:\.ps1)?\b([^|;\n]*)", line):
                    assert name in known, f"{guide}: {name}"
                    outside = re.sub(r"'[^']*'|\"[^\"]*\"|\([^)]*\)|\{[^}]*\}", "", rest)
                    for parameter in re.findall(r" -([A-Z]\w+)", outside):
                        common = {"WhatIf", "Confirm", "Verbose", "ErrorAction", "ErrorVariable"}
                        assert parameter in common or f"`-{parameter}`" in known[name], f"{guide}: {name} -{parameter}"
