"""Puts our manifest into an exe in the place of the one that Nuitka wrote, which has no say in the code page."""

from __future__ import annotations

from pathlib import Path

import pefile

from windows.errors import BuildError

_MANIFEST = 24  # RT_MANIFEST
_PADDING = b" "


def put(exe: Path, manifest: bytes) -> None:
    """Replace it where it stands; what is left of its room is blanks. Raises BuildError: it needs more room."""
    try:
        parsed = pefile.PE(str(exe), fast_load=True)
    except pefile.PEFormatError as error:
        raise BuildError(f"{exe} is no Windows program: {error}") from error
    parsed.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_RESOURCE"]])
    found = [
        language.data.struct
        for kind in parsed.DIRECTORY_ENTRY_RESOURCE.entries
        if kind.id == _MANIFEST
        for one in kind.directory.entries
        for language in one.directory.entries
    ]
    if len(found) != 1:
        raise BuildError(f"{exe.name} has {len(found)} manifests, not one")
    (place,) = found
    if len(manifest) > place.Size:
        raise BuildError(f"the manifest has {len(manifest)} bytes; {exe.name} has room for {place.Size}")
    parsed.set_bytes_at_rva(place.OffsetToData, manifest.ljust(place.Size, _PADDING))
    content = parsed.write()
    parsed.close()
    exe.write_bytes(content)
