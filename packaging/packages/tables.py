"""What wixl can't write into an MSI: the PATH entry, the search for settings, the architecture."""

from __future__ import annotations

import tempfile
from pathlib import Path

from packages import tools
from packages.errors import PackageError
from packages.facts import Build, Facts
from packages.wxs import LAUNCHER_COMPONENT, NEWER, OLDER, SKIP

#: `=` set when installing, `-` take away when uninstalling, `*` of the machine. `[~]` is what was there before.
_ENVIRONMENT = ("=-*PATH", "[~];[BinFolder]")
#: Found: the property SETTINGS holds its path, and the trial reads them.
_SETTINGS = ("config", "ddns.toml")
_TEMPLATE = {"amd64": "x64;1033", "x86": "Intel;1033", "arm64": "Arm64;1033"}


def _tables(known: Facts) -> dict[str, str]:
    """Name to content, in the archive format of the Windows Installer tables (.idt)."""
    folder = rf"[CommonAppDataFolder]{known.name}\{_SETTINGS[0]}"
    return {
        "Environment": "Environment\tName\tValue\tComponent_\r\n"
        "s72\tl255\tL255\ts72\r\n"
        "Environment\tEnvironment\r\n"
        f"Path\t{_ENVIRONMENT[0]}\t{_ENVIRONMENT[1]}\t{LAUNCHER_COMPONENT}\r\n",
        "Signature": "Signature\tFileName\tMinVersion\tMaxVersion\tMinSize\tMaxSize\tMinDate\tMaxDate\tLanguages\r\n"
        "s72\ts255\tS20\tS20\tI4\tI4\tI4\tI4\tS255\r\n"
        "Signature\tSignature\r\n"
        f"Settings\t{_SETTINGS[1]}\t\t\t\t\t\t\t\r\n",
        "DrLocator": "Signature_\tParent\tPath\tDepth\r\n"
        "s72\tS72\tS255\tI2\r\n"
        "DrLocator\tSignature_\tParent\tPath\r\n"
        f"Settings\t\t{folder}\t0\r\n",
        "AppSearch": "Property\tSignature_\r\ns72\ts72\r\nAppSearch\tProperty\tSignature_\r\nSETTINGS\tSettings\r\n",
    }


#: Action and place in InstallExecuteSequence, as Windows Installer's own tables have them.
_ACTIONS = {"AppSearch": 50, "RemoveEnvironmentStrings": 3300, "WriteEnvironmentStrings": 4900}


def _statements(known: Facts) -> list[str]:
    """In the SQL of Windows Installer, which has no parameters; the values are ours."""
    # wixl would escape the "#%" that marks an expandable value.
    message = f"#%{known.event_source['EventMessageFile']}"
    secure = f"{OLDER};{NEWER};{SKIP}"
    return [
        *(
            f"INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('{action}', {place})"  # noqa: S608 - see above
            for action, place in _ACTIONS.items()
        ),
        f"UPDATE `Registry` SET `Value` = '{message}' WHERE `Name` = 'EventMessageFile'",  # noqa: S608 - see above
        f"UPDATE `Property` SET `Value` = '{secure}' WHERE `Property` = 'SecureCustomProperties'",  # noqa: S608 - see above
    ]


def complete(package: Path, known: Facts, build: Build, code: str) -> None:
    """Bring the tables into `package`, and its package code `code` (a GUID). Raises PackageError."""
    with tempfile.TemporaryDirectory() as scratch:
        options = []
        for name, content in _tables(known).items():
            path = Path(scratch, f"{name}.idt")
            path.write_bytes(content.encode("cp1252"))
            options += ["-i", str(path)]
        for statement in _statements(known):
            options += ["-q", statement]
        summary = ["-s", f"{known.name} {build.version}", known.publisher, _TEMPLATE[build.architecture], code]
        done = tools.msibuild().run(str(package), *options, *summary)
    if done.returncode:
        raise PackageError(f"msibuild could not complete {package.name}: {done.stdout.strip()}")
