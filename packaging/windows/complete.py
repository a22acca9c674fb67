"""Whether a built app carries every DLL that it had beside it when it was built."""

from __future__ import annotations

from pathlib import Path

import pefile

from windows.errors import BuildError

_IMPORTS = ("IMAGE_DIRECTORY_ENTRY_IMPORT", "IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT")


def imports(binary: Path) -> set[str]:
    """The DLLs that a program or library names, in lower case. Raises BuildError: it is none."""
    try:
        parsed = pefile.PE(str(binary), fast_load=True)
    except (OSError, pefile.PEFormatError) as error:
        raise BuildError(f"{binary} is no Windows program or library: {error}") from error
    with parsed:
        parsed.parse_data_directories([pefile.DIRECTORY_ENTRY[name] for name in _IMPORTS])
        entries = (
            *getattr(parsed, "DIRECTORY_ENTRY_IMPORT", ()),
            *getattr(parsed, "DIRECTORY_ENTRY_DELAY_IMPORT", ()),
        )
        return {entry.dll.decode().lower() for entry in entries}


def check(app: Path, python: Path) -> None:
    """Raises BuildError when a file of `app` names a DLL that lies in `python`, and the app has none of that name."""
    known = {path.name.lower() for path in python.rglob("*") if path.suffix.lower() == ".dll"}
    binaries = [path for path in app.rglob("*") if path.suffix.lower() in {".exe", ".dll", ".pyd"}]
    held = {path.name.lower() for path in binaries}
    for path in sorted(binaries):
        missing = sorted((imports(path) & known) - held)
        if missing:
            raise BuildError(f"{path.relative_to(app)} needs {', '.join(missing)}, which Nuitka left out")
