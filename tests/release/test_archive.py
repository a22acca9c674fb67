"""The zip: made twice to the same bytes; nothing gets out of its folder."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from packages import archive
from packages.errors import PackageError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "folder"
    (place / "b").mkdir(parents=True)
    (place / "b" / "two").write_bytes(bytes(100_000))
    (place / "one").write_bytes(b"1")
    return place


def test_the_same_content_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first = archive.pack(folder, tmp_path / "1.zip").read_bytes()
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o755)

    assert archive.pack(folder, tmp_path / "2.zip").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "1.zip") as made:
        assert made.namelist() == ["b/two", "one"]


def test_what_was_packed_is_unpacked(folder: Path, tmp_path: Path) -> None:
    archive.unpack(archive.pack(folder, tmp_path / "1.zip"), tmp_path / "there")
    assert (tmp_path / "there" / "b" / "two").read_bytes() == bytes(100_000)


def _entry(name: str, mode: int = 0o644) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFREG | mode) << 16
    return entry


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([_entry("../evil")], "leads out of the folder"),
        ([_entry("/evil")], "leads out of the folder"),
        ([_entry("C:evil")], "leads out of the folder"),
        ([_entry("a/../../evil")], "leads out of the folder"),
        ([_entry("a\\..\\evil")], "leads out of the folder"),
        ([_entry("app/x.dll"), _entry("APP/X.dll")], "there twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-1].filename,
)
def test_an_entry_that_leads_elsewhere_ends_it(tmp_path: Path, entries: list[zipfile.ZipInfo], said: str) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as made:
        for entry in entries:
            made.writestr(entry, b"x")
    with pytest.raises(PackageError, match=said):
        archive.unpack(tmp_path / "bad.zip", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_link_ends_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as made:
        entry = zipfile.ZipInfo("app")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(entry, "/etc")
    with pytest.raises(PackageError, match="is a link"):
        archive.unpack(tmp_path / "bad.zip", tmp_path / "there")


@pytest.mark.parametrize("cut", [10, 100, -30])
def test_a_damaged_zip_leaves_nothing(folder: Path, tmp_path: Path, cut: int) -> None:
    package = archive.pack(folder, tmp_path / "1.zip")
    package.write_bytes(package.read_bytes()[:cut])
    with pytest.raises(PackageError, match=r"1\.zip is damaged"):
        archive.unpack(package, tmp_path / "there")
    assert not (tmp_path / "there").exists()


_AS_NOBODY = """
import resource, signal, sys
from pathlib import Path
from packages import archive
from packages.errors import PackageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if sys.argv[3] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))
try:
    archive.pack(Path(sys.argv[1]), Path(sys.argv[2]))
except PackageError as error:
    print(error)
"""


@pytest.mark.parametrize(("kind", "said"), [("full", "File too large"), ("closed", "Permission denied")])
def test_a_folder_that_takes_no_file_is_named(folder: Path, tmp_path: Path, kind: str, said: str) -> None:
    target = tmp_path / "out"
    target.mkdir(mode=0o777)
    target.chmod(0o555 if kind == "closed" else 0o777)
    for above in (tmp_path, tmp_path.parent, tmp_path.parent.parent, tmp_path.parent.parent.parent):
        above.chmod(above.stat().st_mode | 0o055)
    unprivileged = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
    done = subprocess.run(
        (*unprivileged, sys.executable, "-c", _AS_NOBODY, str(folder), str(target / "1.zip"), kind),
        env={"PYTHONPATH": str(ROOT / "packaging")},
        capture_output=True,
        text=True,
    )
    assert f"1.zip could not be written: {said}" in done.stdout, done.stderr
    assert list(target.iterdir()) == []
