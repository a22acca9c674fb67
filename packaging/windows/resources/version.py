"""The version resource: its fields for every exe, as Nuitka's options, and as a script for a resource compiler."""

from __future__ import annotations

from pathlib import Path

from packages.facts import facts

HERE = Path(__file__).resolve().parent
ICON = HERE / "ddns.ico"
MANIFEST = HERE / "ddns.manifest"

APP = "DDNS client"
LAUNCHER = "DDNS client, launcher for consoles"
#: US English, Unicode.
_LANGUAGE = "040904B0"


def fields(version: str, description: str) -> dict[str, str]:
    """The texts of the version resource of an exe whose file is ddns.exe; both of ours are called that."""
    known = facts()
    return {
        "CompanyName": known.publisher,
        "FileDescription": description,
        "FileVersion": four(version),
        "InternalName": "ddns",
        "LegalCopyright": f"Copyright {known.publisher}. Licence: {known.licence}",
        "OriginalFilename": "ddns.exe",
        "ProductName": known.name,
        "ProductVersion": four(version),
    }


def four(version: str) -> str:
    """N.N.N as Windows counts: N.N.N.0."""
    return f"{version}.0"


def nuitka(version: str) -> tuple[str, ...]:
    """The options that give the app its version resource and icon. Its manifest is put in afterwards."""
    texts = fields(version, APP)
    return (
        f"--company-name={texts['CompanyName']}",
        f"--product-name={texts['ProductName']}",
        f"--file-version={texts['FileVersion']}",
        f"--product-version={texts['ProductVersion']}",
        f"--file-description={texts['FileDescription']}",
        f"--copyright={texts['LegalCopyright']}",
    )


def script(version: str, description: str) -> str:
    """A resource script with icon, manifest and version; to be compiled in the folder of this module."""
    commas = four(version).replace(".", ",")
    values = "\n".join(f'      VALUE "{name}", "{text}"' for name, text in fields(version, description).items())
    return f"""1 ICON "{ICON.name}"
1 24 "{MANIFEST.name}"
1 VERSIONINFO
FILEVERSION {commas}
PRODUCTVERSION {commas}
FILEFLAGSMASK 0x3FL
FILEFLAGS 0x0L
FILEOS 0x40004L
FILETYPE 0x1L
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "{_LANGUAGE}"
    BEGIN
{values}
    END
  END
  BLOCK "VarFileInfo"
  BEGIN
    VALUE "Translation", 0x{_LANGUAGE[:4]}, 0x{_LANGUAGE[4:]}
  END
END
"""
