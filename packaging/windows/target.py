"""What is built for: 64-bit Windows and this CPython."""

VERSION = "3.13"
NAME = "python313"
#: The release of Debian with the same CPython: code name, and packages with its library and headers.
SUITE = "trixie"
DEBIAN_PACKAGES = tuple(f"libpython{VERSION}-{part}" for part in ("minimal", "stdlib", "dev"))
