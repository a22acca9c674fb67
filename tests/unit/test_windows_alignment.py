"""The exe's sections are moved to pages of its file; in memory nothing changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pefile
import pytest

from ddns import __version__
from windows import alignment, pe
from windows.errors import BuildError
from windows.launcher.build import launcher


def test_sections_are_moved_to_pages_and_stay_what_they_are(tmp_path: Path) -> None:
    before, after = launcher("amd64", __version__), tmp_path / "after.exe"
    shutil.copy(before, after)
    assert not alignment.aligned(before)
    alignment.align(after)
    assert alignment.aligned(after)
    assert pe.read(after) == pe.read(before)
    assert in_memory(after) == in_memory(before)
    once = after.read_bytes()
    alignment.align(after)
    assert after.read_bytes() == once


def in_memory(exe: Path) -> dict[bytes, bytes]:
    """Each section as a process has it."""
    with pefile.PE(str(exe), fast_load=True) as parsed:
        return {one.Name: one.get_data()[: one.Misc_VirtualSize].rstrip(b"\0") for one in parsed.sections}


def test_what_is_no_program_is_not_aligned(tmp_path: Path) -> None:
    (tmp_path / "x.exe").write_bytes(b"MZ and nothing")
    with pytest.raises(BuildError, match=r"x\.exe is no Windows program"):
        alignment.align(tmp_path / "x.exe")


def test_what_is_signed_is_not_aligned(tmp_path: Path) -> None:
    signed = tmp_path / "signed.exe"
    with pefile.PE(str(launcher("amd64", __version__)), fast_load=True) as parsed:
        parsed.OPTIONAL_HEADER.DATA_DIRECTORY[pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_SECURITY"]].Size = 8
        signed.write_bytes(bytes(parsed.write()))
    content = signed.read_bytes()
    with pytest.raises(BuildError, match="is signed"):
        alignment.align(signed)
    assert signed.read_bytes() == content
