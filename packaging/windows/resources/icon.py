# /// script
# requires-python = ">=3.11"
# dependencies = ["resvg-py==0.5.0"]
# ///
"""Draw ddns.ico from ddns.svg: PNG images in every size that Windows asks for.

By hand, after a change of the drawing: ``pipx run packaging/windows/resources/icon.py``. Each image carries the hash of
drawing and script, by which a test knows that the checked-in icon is theirs; so no other part needs the rasteriser.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
DRAWING = HERE / "ddns.svg"
ICON = HERE / "ddns.ico"
SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256)
#: The PNG text chunk that holds the hash.
MARK = b"Source"
_PNG_HEAD = 33  # signature and IHDR
_DIRECTORY, _ENTRY = struct.Struct("<HHH"), struct.Struct("<BBBBHHII")


def fingerprint() -> bytes:
    """The hash of what an icon is made from."""
    return hashlib.sha256(DRAWING.read_bytes() + Path(__file__).read_bytes()).hexdigest().encode()


def marked(png: bytes) -> bytes:
    """The image with the fingerprint in a text chunk behind its header."""
    body = b"tEXt" + MARK + b"\0" + fingerprint()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_PNG_HEAD] + chunk + png[_PNG_HEAD:]


def packed(images: dict[int, bytes]) -> bytes:
    """An .ico file of PNG images by their size in pixels."""
    at = _DIRECTORY.size + len(images) * _ENTRY.size
    head, body = _DIRECTORY.pack(0, 1, len(images)), b""
    for size, png in images.items():
        head += _ENTRY.pack(size % 256, size % 256, 0, 0, 1, 32, len(png), at + len(body))
        body += png
    return head + body


def images(icon: bytes) -> dict[int, bytes]:
    """What `packed` was given."""
    count = _DIRECTORY.unpack_from(icon)[2]
    entries = [_ENTRY.unpack_from(icon, _DIRECTORY.size + n * _ENTRY.size) for n in range(count)]
    return {entry[0] or 256: icon[entry[7] : entry[7] + entry[6]] for entry in entries}


def main() -> None:
    """Write the icon."""
    import resvg_py  # type: ignore[import-not-found]  # noqa: PLC0415  # only there when the icon is drawn

    drawing = DRAWING.read_text("utf-8")
    drawn = {size: bytes(resvg_py.svg_to_bytes(svg_string=drawing, width=size, height=size)) for size in SIZES}
    ICON.write_bytes(packed({size: marked(png) for size, png in drawn.items()}))


if __name__ == "__main__":
    main()
