"""The WiX source of the MSI: files, registry, upgrade, entry, trial. What wixl can't express stands in tables.py.

No folder is a public property and none takes a secret, so nothing of either can come from a command line.
"""

from __future__ import annotations

import hashlib
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packages.errors import PackageError
from packages.facts import Build, Facts
from packages.sums import LIST, SEAL, files_of

#: What somebody might try to hand over by `msiexec PROPERTY=...`: refused, and never written to the log.
SECRETS = ("TOKEN", "SECRET", "PASSWORD", "KEY", "CODE", "ENROLMENTCODE", "CREDENTIAL")
#: A person's way past a trial that fails for a reason outside the package.
SKIP = "SKIPTRIAL"
OLDER, NEWER = "OLDERFOUND", "NEWERFOUND"
PAYLOAD, ICON = "payload", "ddns.ico"
_PROGRAM, _LAUNCHER = "app/ddns.exe", "bin/ddns.exe"
_NAMESPACE = "http://schemas.microsoft.com/wix/2006/wi"
_IDENTITY = uuid.UUID("5f9c5f0e-6d2b-4b8e-9a57-6c5b8d1f7c11")


@dataclass(frozen=True)
class Identifiers:
    """How Windows Installer knows this package."""

    upgrade: str
    product: str

    @classmethod
    def of(cls, known: Facts, build: Build) -> Identifiers:
        """The product code follows from the version: a package built twice is the same product, not a neighbour."""
        upgrade = known.upgrade_code[build.architecture]
        return cls(upgrade, _guid(f"product {upgrade} {build.version}"))


def _guid(name: str) -> str:
    return str(uuid.uuid5(_IDENTITY, name)).upper()


def key(kind: str, path: str) -> str:
    """An identifier for a path; the same in every version, as Windows Installer's component rules want it."""
    return f"{kind}{hashlib.sha256(path.encode()).hexdigest()[:20]}"


def component_of(path: str) -> str:
    """The component that holds a file of the staged folder."""
    return key("c", path)


LAUNCHER_COMPONENT = component_of(_LAUNCHER)


def source(known: Facts, build: Build, staged: Path) -> bytes:
    """The WiX document for what lies in `staged` (the zip's layout). Raises PackageError when its heart is missing.

    wixl finds files only below its own folder: PAYLOAD (`staged` itself) and ICON are to stand beside the document.
    """
    paths = [path for path in files_of(staged) if path not in {LIST, SEAL}]
    for needed in (_PROGRAM, _LAUNCHER):
        if needed not in paths:
            raise PackageError(f"{staged}: {needed} is missing, so there is nothing to install")
    identifiers = Identifiers.of(known, build)
    wix = ET.Element("Wix", xmlns=_NAMESPACE)
    product = _add(
        wix,
        "Product",
        Id=identifiers.product,
        Name=known.name,
        Language="1033",
        Codepage="1252",
        Version=build.version,
        Manufacturer=known.publisher,
        UpgradeCode=identifiers.upgrade,
    )
    _head(product, known, build)
    components = _folders(product, known, build, paths)
    feature = _add(product, "Feature", Id="Program", Title=known.name, Level="1", Absent="disallow")
    for component in components:
        _add(feature, "ComponentRef", Id=component)
    _sequence(product)
    ET.indent(wix)
    return bytes(ET.tostring(wix, encoding="utf-8", xml_declaration=True))


def _add(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, attributes)


def _head(product: ET.Element, known: Facts, build: Build) -> None:
    """Package, upgrade rule, conditions, properties."""
    testing = " (for testing)" if build.for_testing else ""
    _add(
        product,
        "Package",
        InstallerVersion="500",
        Compressed="yes",
        InstallScope="perMachine",
        Manufacturer=known.publisher,
        Description=f"{known.name} {build.version}{testing}",
        Comments=known.summary,
        Languages="1033",
    )
    _versions(product, known, build)
    _add(product, "Media", Id="1", Cabinet="ddns.cab", EmbedCab="yes")
    _condition(product, "Privileged", f"{known.name} is installed for the machine: start this as an administrator.")
    if build.architecture != "x86":
        _condition(product, "VersionNT64", f"This package is for {build.architecture} Windows.")
    _condition(
        product,
        " AND ".join(f"NOT {name}" for name in SECRETS),
        "This package takes no secret: a command line can be read by others. Use `ddns secret set` after installing.",
    )
    _add(product, "Icon", Id="ddns.ico", SourceFile=ICON)
    for name, value in {
        "ARPPRODUCTICON": "ddns.ico",
        "ARPURLINFOABOUT": known.url["home"],
        "ARPHELPLINK": known.url["help"],
        "ARPURLUPDATEINFO": known.url["updates"],
        "ARPNOMODIFY": "1",
        "MSIRESTARTMANAGERCONTROL": "Disable",  # it would end a run in progress
        "REBOOT": "ReallySuppress",
        "REINSTALLMODE": "amus",  # all files are ours: put the package's one there, whatever its version says
        "MsiHiddenProperties": ";".join(SECRETS),
        "MSIDISABLELUAPATCHING": "1",
    }.items():
        _add(product, "Property", Id=name, Value=value)


def _versions(product: ET.Element, known: Facts, build: Build) -> None:
    """An older version is replaced, a newer one stays."""
    upgrade = _add(product, "Upgrade", Id=known.upgrade_code[build.architecture])
    older = {"Minimum": "0.0.0", "IncludeMinimum": "yes", "Maximum": build.version, "IncludeMaximum": "no"}
    # Without an upper end Wine finds nothing at all, and it reads 255 as less than nothing.
    newer = {"Minimum": build.version, "IncludeMinimum": "no", "Maximum": "127.255.65535", "IncludeMaximum": "yes"}
    _add(upgrade, "UpgradeVersion", Property=OLDER, **older)
    _add(upgrade, "UpgradeVersion", Property=NEWER, OnlyDetect="yes", **newer)
    _condition(
        product,
        f"NOT {NEWER}",
        f"A newer version of {known.name} than {build.version} is installed. Uninstall it first if the older one is "
        "wanted; settings, secrets and state stay.",
    )


def _condition(product: ET.Element, formula: str, message: str) -> None:
    _add(product, "Condition", Message=message).text = formula


def _folders(product: ET.Element, known: Facts, build: Build, paths: list[str]) -> list[str]:
    """Folders with their components; the identifiers of the components."""
    wide = build.architecture != "x86"
    root = _add(product, "Directory", Id="TARGETDIR", Name="SourceDir")
    programs = _add(root, "Directory", Id="ProgramFiles64Folder" if wide else "ProgramFilesFolder")
    top = _add(programs, "Directory", Id="ProductFolder", Name=known.name)
    folders = {
        "bin": _add(top, "Directory", Id="BinFolder", Name="bin"),
        "": _add(top, "Directory", Id="AppFolder", Name="msi"),
    }
    components = []
    for path in paths:
        component = _component(_folder(folders, str(PurePosixPath(path).parent)), component_of(path), build)
        _add(
            component,
            "File",
            Id=key("f", path),
            Name=path.rpartition("/")[2],
            Source=f"{PAYLOAD}/{path}",
            KeyPath="yes",
        )
        components.append(component.attrib["Id"])
    return components + [component.attrib["Id"] for component in _registry(top, known, build)]


def _folder(folders: dict[str, ET.Element], path: str) -> ET.Element:
    """The element of a folder, made with those above it."""
    path = "" if path == "." else path
    if path not in folders:
        above, _, name = path.rpartition("/")
        folders[path] = _add(_folder(folders, above), "Directory", Id=key("d", path), Name=name)
    return folders[path]


def _component(parent: ET.Element, name: str, build: Build) -> ET.Element:
    wide = {"Win64": "yes"} if build.architecture != "x86" else {}
    return _add(parent, "Component", Id=name, Guid=_guid(f"component {build.architecture} {name}"), **wide)


def _registry(parent: ET.Element, known: Facts, build: Build) -> list[ET.Element]:
    """The event source, and the mark by which PowerShell finds this installation; with it goes the last folder."""
    event = _component(parent, "EventSource", build)
    values = {name: value for name, value in known.event_source.items() if name != "key"}
    for number, (name, value) in enumerate(values.items()):
        kind = "string" if isinstance(value, str) else "integer"
        _value(event, str(known.event_source["key"]), name, kind, str(value), first=number == 0)
    mark = _component(parent, "Mark", build)
    _value(mark, rf"SOFTWARE\{known.name}\Msi", "Version", "string", build.version, first=True)
    _value(mark, rf"SOFTWARE\{known.name}\Msi", "AppFolder", "string", "[AppFolder]", first=False)
    _add(mark, "RemoveFolder", Id="RemoveProductFolder", On="uninstall")
    return [event, mark]


def _value(parent: ET.Element, place: str, name: str, kind: str, value: str, *, first: bool) -> None:
    key_path = {"KeyPath": "yes"} if first else {}
    _add(parent, "RegistryValue", Root="HKLM", Key=place, Name=name, Type=kind, Value=value, **key_path)


def _sequence(product: ET.Element) -> None:
    """The old version goes and the new one is tried within one transaction: a failure of either brings it back."""
    actions = {"TryProgram": "--version", "TrySettings": "config validate"}
    for name, arguments in actions.items():
        _add(
            product,
            "CustomAction",
            Id=name,
            FileKey=key("f", _PROGRAM),
            ExeCommand=arguments,
            Execute="deferred",
            Impersonate="no",
            Return="check",
        )
    _add(
        product,
        "CustomAction",
        Id="SayFolder",
        Property="ARPINSTALLLOCATION",
        Value="[ProductFolder]",
        Impersonate="yes",
    )
    sequence = _add(product, "InstallExecuteSequence")
    _add(sequence, "Custom", Action="SayFolder", After="CostFinalize").text = "NOT REMOVE"
    _add(sequence, "RemoveExistingProducts", After="InstallInitialize")
    _add(sequence, "Custom", Action="TryProgram", After="WriteRegistryValues").text = f"NOT REMOVE AND NOT {SKIP}"
    _add(
        sequence, "Custom", Action="TrySettings", After="TryProgram"
    ).text = f"SETTINGS AND NOT REMOVE AND NOT REINSTALL AND NOT {SKIP}"
