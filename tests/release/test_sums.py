"""The hash list and its seal."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packages import sums
from packages.errors import PackageError

_NAME = st.text("abcDEF_+-0123456789", min_size=1, max_size=8)
_PATH = st.lists(_NAME, min_size=1, max_size=4).map("/".join)
_HASH = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(st.dictionaries(_PATH, _HASH))
def test_a_list_is_read_as_it_was_written(hashes: dict[str, str]) -> None:
    assert sums.parse(sums.render(hashes)) == hashes


@given(st.text())
def test_any_text_is_a_list_or_an_error(text: str) -> None:
    try:
        hashes = sums.parse(text)
    except PackageError:
        return
    assert all(".." not in path.split("/") and not path.startswith("/") for path in hashes)


@pytest.mark.parametrize("path", ["../x", "/x", "a/../x", "C:/x", "a\\b", "a//b", "", ".", "x ", "a/."])
def test_a_path_out_of_the_folder_is_refused(path: str) -> None:
    with pytest.raises(PackageError, match=r"not a path within the package|not a hash and a path"):
        sums.parse(f"{'0' * 64} *{path}\n")


@given(
    st.builds(
        sums.Seal,
        st.just("ddns-fleet"),
        st.from_regex(r"[0-9]{1,3}\.[0-9]\.[0-9]", fullmatch=True),
        st.sampled_from(["amd64", "x86", "arm64", "any"]),
        st.booleans(),
        _HASH,
    )
)
def test_a_seal_is_read_as_it_was_written(seal: sums.Seal) -> None:
    signature = "\r\n# SIG # Begin signature block\r\n# MIIF\r\n# SIG # End signature block\r\n"
    assert sums.Seal.parse(seal.render()) == seal
    assert sums.Seal.parse(seal.render() + signature) == seal


def test_a_seal_with_anything_else_in_it_is_refused() -> None:
    seal = sums.Seal("ddns-fleet", "1.2.3", "amd64", False, "0" * 64).render()
    with pytest.raises(PackageError, match="more than a seal"):
        sums.Seal.parse(seal.replace("@{", "@{\r\n    Run = (Get-Date)"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "package"
    (place / "app").mkdir(parents=True)
    (place / "app" / "ddns.exe").write_bytes(b"MZ")
    (place / "LICENSE.txt").write_bytes(b"free")
    sums.write(place, "ddns-fleet", "1.2.3", "amd64", for_testing=False)
    return place


def test_sha256sum_reads_the_list(folder: Path) -> None:
    assert shutil.which("sha256sum")
    done = subprocess.run(("sha256sum", "--check", sums.LIST), cwd=folder, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["LICENSE.txt: OK", "app/ddns.exe: OK"]


def _change(folder: Path) -> None:
    (folder / "app" / "ddns.exe").write_bytes(b"MX")


def _remove(folder: Path) -> None:
    (folder / "LICENSE.txt").unlink()


def _plant(folder: Path) -> None:
    (folder / "app" / "version.dll").write_bytes(b"MZ")


def _replace_list(folder: Path) -> None:
    _change(folder)
    text = sums.render({path: sums.digest(folder / path) for path in ("LICENSE.txt", "app/ddns.exe")})
    (folder / sums.LIST).write_text(text)


def _link(folder: Path) -> None:
    (folder / "app" / "ddns.exe").unlink()
    (folder / "app" / "ddns.exe").symlink_to("/bin/true")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_change, r"app/ddns\.exe was changed: its SHA-256 is not the one in SHA256SUMS"),
        (_remove, r"LICENSE\.txt is missing"),
        (_plant, r"app/version\.dll is not in SHA256SUMS"),
        (_replace_list, r"SHA256SUMS is not the one that SHA256SUMS\.psd1 names"),
        (_link, r"app/ddns\.exe is a link"),
    ],
)
def test_what_was_done_to_a_package_is_named(folder: Path, spoil: Callable[[Path], None], said: str) -> None:
    assert sums.check(folder).version == "1.2.3"
    spoil(folder)
    with pytest.raises(PackageError, match=said):
        sums.check(folder)
