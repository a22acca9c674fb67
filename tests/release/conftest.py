"""What the tests of packing share: a certificate authority for code, a stand-in for the build, packages made of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ground import code, standin
from packages import facts, stage
from packages.sign import Signer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> code.Authority:
    return code.Authority(tmp_path_factory.mktemp("code-ca"))


@pytest.fixture(scope="session")
def signer(authority: code.Authority) -> Signer:
    """Signs as the publisher that release.toml names."""
    signer = Signer.of(authority.environ(facts.facts().signer))
    assert signer is not None
    return signer


@dataclass(frozen=True)
class World:
    """Everything that a package is made of, in a folder."""

    sources: stage.Sources
    known: facts.Facts

    @property
    def build(self) -> facts.Build:
        return facts.build_of(self.sources.tree)


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., World]:
    """Makes one: a stand-in tree, a module of PowerShell, a Windows Python of which only licence and metadata exist."""

    def make(version: str = "1.2.3", *, for_testing: bool = True) -> World:
        tree = standin.tree(tmp_path / "tree", version)
        told = standin.description(version) | {"for_testing": for_testing, "modules": [{"name": "click.core"}]}
        (tree / "build.json").write_text(json.dumps(told))
        powershell = tmp_path / "ps"
        (powershell / "Ddns").mkdir(parents=True)
        (powershell / "Deploy-DDNS.ps1").write_text("'deploys the program'\r\n# and nothing else\r\n")
        (powershell / "Ddns" / "Ddns.psd1").write_text("@{\r\n    ModuleVersion = '1.2.3'\r\n}\r\n")
        (powershell / "Ddns" / "Ddns.psm1").write_text("'the functions of the module'\r\n# are elsewhere\r\n")
        (powershell / "README.md").write_text("for developers")
        python = tmp_path / "python"
        packages = python / "Lib" / "site-packages"
        packages.mkdir(parents=True)
        for folder in Path(pytest.__file__).parent.parent.glob("click-*.dist-info"):
            shutil.copytree(folder, packages / folder.name)
        (python / "LICENSE.txt").write_text("PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2\n...\n")
        return World(stage.Sources(tree, powershell, ROOT / "LICENSE", python), facts.facts())

    return make
