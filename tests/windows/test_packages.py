"""The real tree, packed: what an administrator gets of this build."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ground import exe
from packages import archive, stage, sums
from packages.__main__ import main
from windows import pe
from windows.wine import Wine

CONTRACT: dict[str, Any] = tomllib.loads(Path(pe.__file__).with_name("contract.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def out(tree: Path, windows_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make packages` leaves, not signed."""
    folder = tmp_path_factory.mktemp("packages")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DDNS_SIGN_")]:
            patch.delenv(name)
        made = main(["build", "--tree", str(tree), "--python", str(windows_python.parent), "--out", str(folder)])
    assert made == 0
    return folder


def test_the_real_tree_is_packed(
    tree: Path, out: Path, tmp_path: Path, wine_machine: Wine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Zip, bill of materials, notices and list, and the program out of that zip."""
    version = exe.told()["version"]
    assert exe.told()["for_testing"], "a complete Python: then a signature is needed, and this test another"
    stem = f"ddns-{version}-windows-amd64-for-testing"
    names = {path.name for path in out.iterdir()}
    assert {f"{stem}.zip", f"{stem}.msi", f"{stem}.cdx.json", "Deploy-DDNS.ps1", sums.LIST, sums.SEAL} <= names
    assert (out / f"{stem}.zip").stat().st_size <= CONTRACT["sizes"]["zip"] == 18_000_000

    assert main(["verify", "--unsigned", str(out / f"{stem}.zip"), str(out)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{stem}.zip: ddns-fleet {version} for amd64, for testing, complete and unchanged",
        f"{out}: release {version}, complete and unchanged",
    ]

    place = tmp_path / "unpacked"
    archive.unpack(out / f"{stem}.zip", place)
    for part in ("app", "bin"):
        for path in (tree / part).rglob("*"):
            if path.is_file():
                name = path.relative_to(tree)
                assert sums.digest(place / name) == sums.digest(path), name
    assert json.loads((place / stage.RELEASE).read_text("utf-8"))["for_testing"] is True

    parts = json.loads((place / stage.SBOM).read_text("utf-8"))["components"]
    found = {one["name"]: one for one in parts}
    assert {"httpx", "msgspec", "dnspython", "truststore", "pywin32"} <= set(found)
    assert all(one.get("licenses") for one in parts if one["type"] == "library")
    notices = (place / stage.NOTICES).read_text("utf-8")
    for text in ("httpx", "msgspec", "dnspython", "PYTHON SOFTWARE FOUNDATION LICENSE"):
        assert text in notices

    told = wine_machine.run(place / "app" / "ddns.exe", "--version")
    assert (told.returncode, told.stderr) == (0, b"")
    assert version in told.stdout.decode()
    assert "for testing" in told.stdout.decode()
