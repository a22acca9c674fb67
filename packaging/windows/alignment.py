"""Lays an exe's sections out in its file as they lie in memory: each begins at a page.

A section that does is mapped: what is never touched is never read. Wine reads any other whole, 24 MB at every start of
ours (10 ms of 50); Windows maps both. Linkers let sections begin at 512 bytes.
"""

from __future__ import annotations

from pathlib import Path

import pefile

from windows.errors import BuildError

#: Of every machine that we build for.
PAGE = 4096


def align(exe: Path) -> None:
    """Rewrite it; one that is so already stays as it is. Raises BuildError: no program, or it is signed."""
    try:
        parsed = pefile.PE(str(exe), fast_load=True)
    except pefile.PEFormatError as error:
        raise BuildError(f"{exe} is no Windows program: {error}") from error
    with parsed:
        header, directories = parsed.OPTIONAL_HEADER, pefile.DIRECTORY_ENTRY
        if header.DATA_DIRECTORY[directories["IMAGE_DIRECTORY_ENTRY_SECURITY"]].Size:
            raise BuildError(f"{exe} is signed; what is changed now breaks its signature")
        parsed.parse_data_directories([directories["IMAGE_DIRECTORY_ENTRY_DEBUG"]])
        body = bytearray()
        for section in parsed.sections:
            data = section.get_data()[: section.SizeOfRawData]
            padded = data + bytes(-len(data) % PAGE)
            section.PointerToRawData = PAGE + len(body) if data else 0
            section.SizeOfRawData = len(padded)
            body += padded
        header.FileAlignment = header.SizeOfHeaders = PAGE
        for entry in getattr(parsed, "DIRECTORY_ENTRY_DEBUG", ()):  # the one place that names an offset of the file
            entry.struct.PointerToRawData = parsed.get_offset_from_rva(entry.struct.AddressOfRawData)
        last = parsed.sections[-1]
        end = last.get_file_offset() + last.sizeof()
        if end > PAGE:
            raise BuildError(f"the headers of {exe} need more than a page")
        headers = bytes(parsed.write())[:end]
    exe.write_bytes(headers.ljust(PAGE, b"\0") + body)


def aligned(exe: Path) -> bool:
    """Whether every section that has bytes begins at a page. Raises pefile.PEFormatError."""
    with pefile.PE(str(exe), fast_load=True) as parsed:
        return all(not section.PointerToRawData % PAGE for section in parsed.sections)
