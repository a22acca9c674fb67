"""What a Windows machine answers to the parts of the client that every run needs. Runs there; prints JSON."""

from __future__ import annotations

import ctypes
import json
import os
import ssl
import sys
import threading
import time
import winreg
from typing import Any

import win32crypt
import win32cryptcon

from ddns import host
from ddns.config import policy
from ddns.config.policy_bytes import REGISTRY_KEY, UNREADABLE, policy_bytes
from ddns.errors import DdnsError, SettingsError
from ddns.host import route
from ddns.host.identity import machine_identity
from ddns.host.permits import lacking, others
from ddns.host.places import Places
from ddns.host.secrets import Vault
from ddns.host.windows import account, dpapi
from ddns.host.windows import places as where
from ddns.net.client import Client
from ddns.ports import Deadline, HttpRequest
from ddns.runtime.clock import SystemClock
from ddns.secret import SecretRef

assert sys.platform == "win32"

GUID = r"SOFTWARE\Microsoft\Cryptography"


def _told(error: DdnsError) -> list[str]:
    return [type(error).__name__, error.message, error.advice]


def _folders(made: Places) -> list[str]:
    return [made.whose, made.config, made.secrets, made.state, made.logs, made.public]


def places() -> object:
    """The machine's and a user's, whatever the environment says or lacks."""
    found = [_folders(host.places())]
    evil = {
        "ProgramData": r"C:\evil",
        "ALLUSERSPROFILE": r"C:\evil",
        "SystemDrive": r"C:\evil",
        "SystemRoot": r"C:\evil",
    }
    os.environ.update(evil)
    found.append(_folders(host.places()))
    found += [_folders(made) for made in host.readable_places()]
    os.environ.clear()
    found.append(_folders(host.places()))
    return found


def ordinary() -> object:
    """Those of an account without rights; without a profile; and when somebody made the machine's folder first."""
    for name in ("administrative", "service"):
        setattr(account, name, lambda: False)
    where._readable = lambda folder: not folder
    found: list[object] = [_folders(host.places())]
    os.environ.clear()
    try:
        host.places()
    except DdnsError as error:
        found.append(_told(error))
    return found


def machine() -> object:
    """The machine's places, or why they must not be used."""
    try:
        return _folders(host.places())
    except DdnsError as error:
        return _told(error)


def folder(path: str) -> object:
    """Make a folder."""
    try:
        host.private_folder(path)
    except DdnsError as error:
        return _told(error)
    return os.path.isdir(path)


def who() -> object:
    """The account, and whether it has rights."""
    return [account.user(), account.administrative(), account.service()]


def lock(path: str) -> object:
    """Whether the lock could be had; it is held until standard input ends."""
    try:
        held = host.InstanceLock(path)
    except DdnsError as error:
        return _told(error)
    print("held", flush=True)
    sys.stdin.read()
    held.release()
    host.InstanceLock(path).release()
    return "released"


def replace() -> object:
    """A file that is replaced while it is held: for a moment, for longer, by a reader that allows it."""
    path = os.path.join(os.environ["TEMP"], "status.json")
    found: list[object] = []

    def content() -> str:
        with open(path, encoding="utf-8") as file:
            return file.read()

    host.replace(path, b"old")
    held = open(path, "rb")  # noqa: SIM115 - closed by the timer
    threading.Timer(0.06, held.close).start()
    host.replace(path, b"new")
    found.append(content())
    with open(path, "rb"):
        started = time.monotonic()
        try:
            host.replace(path, b"newest")
        except OSError as error:
            found += [type(error).__name__, 0.15 < time.monotonic() - started < 5]
    found.append(content())
    with open(path + ".new", "wb") as draft:
        draft.write(b"what a kill left behind")
    host.replace(path, b"last", mode=0o600)
    found += [content(), os.path.exists(path + ".new")]
    found += [host.append(path, b" line\n"), content()]
    return found


def asleep() -> object:
    """How long the machine slept, twice."""
    return [host.sleep_bias(), host.sleep_bias(), route.source_address(4)]


def identity() -> object:
    """By the machine's id, by another one, without one; and the id, which must not be in it."""
    found = [machine_identity(), machine_identity()]
    access = winreg.KEY_ALL_ACCESS | winreg.KEY_WOW64_64KEY
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, GUID, 0, access) as key:
        own = winreg.QueryValueEx(key, "MachineGuid")[0]
        winreg.SetValueEx(key, "MachineGuid", 0, winreg.REG_SZ, "01234567-89ab-cdef-0123-456789abcdef")
        found.append(machine_identity())
        winreg.DeleteValue(key, "MachineGuid")
        found.append(machine_identity())
        winreg.SetValueEx(key, "MachineGuid", 0, winreg.REG_SZ, own)
    return [*found, own]


def _write(table: str, name: str, kind: int, data: bytes) -> None:
    """As it is: `winreg` itself writes no malformed value."""
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, REGISTRY_KEY + table) as key:
        ctypes.windll.advapi32.RegSetValueExW(ctypes.c_void_p(key.handle), name, 0, kind, data, len(data))


def _policy() -> object:
    try:
        return policy.read("")
    except SettingsError as error:
        return [error.message, *error.problems, error.advice]


def policies() -> object:
    """No policy; each form of value; values of other types; a key that can't be read; as 32 bits see it."""
    found: list[object] = [policy_bytes("").hex(), _policy()]
    _write("", "Schema", winreg.REG_DWORD, b"\x01\0\0\0")
    _write(r"\Log", "Level", winreg.REG_SZ, "DEBUG\0".encode("utf-16-le"))
    _write(r"\Log", "KEEP", winreg.REG_DWORD, b"\x03\0\0\0")
    _write(r"\Detect", "Sources", winreg.REG_MULTI_SZ, "ipify\0aws\0\0".encode("utf-16-le"))
    _write(r"\Detect", "Networks", winreg.REG_MULTI_SZ, b"")
    found += [bool(policy_bytes("")), _policy()]
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, REGISTRY_KEY, 0, winreg.KEY_READ | winreg.KEY_WOW64_32KEY) as key:
        found.append(winreg.QueryInfoKey(key)[0])
    _write(r"\Log", "Keep", 11, bytes(8))
    _write(r"\Log", "Level", 3, b"\0")
    _write(r"\Log", "Odd", 74565, b"\0")
    found.append(_policy())
    opened = winreg.OpenKey

    def denied(*_arguments: object) -> object:
        raise PermissionError(None, "Access denied", None, 5)

    replaced: Any = winreg
    replaced.OpenKey = denied
    found += [policy_bytes("") == UNREADABLE, _policy()]
    replaced.OpenKey = opened
    for table in (r"\Log", r"\Detect", ""):
        winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, REGISTRY_KEY + table)
    return found


def trust(authority: str) -> None:
    """Place an authority among those that this Windows trusts."""
    with open(authority, encoding="ascii") as file:
        certificate = ssl.PEM_cert_to_DER_cert(file.read())
    store = win32crypt.CertOpenStore(
        win32cryptcon.CERT_STORE_PROV_SYSTEM, 0, None, win32cryptcon.CERT_SYSTEM_STORE_LOCAL_MACHINE, "Root"
    )
    assert store is not None
    store.CertAddEncodedCertificateToStore(1, certificate, win32cryptcon.CERT_STORE_ADD_ALWAYS)
    store.CertCloseStore()


def fetch(url: str, authority: str = "") -> object:
    """The page, or why not. Keys of the connection would be written where this says."""
    keys = os.environ["SSLKEYLOGFILE"] = os.path.join(os.environ["TEMP"], "keys.log")
    try:
        request = HttpRequest("GET", url, ca_file=authority)
        text = Client().http(request, deadline=Deadline(SystemClock(), 30)).body.decode()
    except DdnsError as error:
        return _told(error)
    return [text, os.path.exists(keys)]


def secrets(place: str) -> object:
    """A secret as it is stored, damaged, and of others."""
    vault = Vault(place)
    ref = vault.store("token", "höchst geheim")
    path = vault.path(ref)
    found: list[object] = [str(ref), path, vault.resolve(ref).reveal()]
    with open(path, "rb") as file:
        sealed = file.read()
    found.append(b"geheim" in sealed)
    before = vault.stored(ref)
    vault.store("token", "anderes")
    found.append(before != vault.stored(ref))
    foreign = bytes(win32crypt.CryptProtectData(b"of another program", "", None, None, None, 4))
    for content in (b"", b"\xff", sealed[: len(sealed) // 2], sealed[:-1] + bytes([sealed[-1] ^ 1]), foreign):
        host.replace(path, content, mode=0o600)
        try:
            found.append(vault.resolve(ref).reveal())
        except DdnsError as error:
            found.append(_told(error))
    for text in ("dpapi:missing", "keyring:x"):
        try:
            vault.resolve(SecretRef(text))
        except DdnsError as error:
            found.append(_told(error))
    return found


def scopes(place: str) -> object:
    """What Windows is asked for with each secret: by an account without rights in a folder of its own, by others."""
    asked, protect = [], win32crypt.CryptProtectData

    def protected(*arguments: Any) -> bytes:
        asked.append(arguments[-1])
        return bytes(protect(*arguments))

    setattr(win32crypt, protect.__name__, protected)
    found: list[object] = []
    for administrative, service, folder in (
        (False, False, place),
        (True, False, place),
        (False, True, place),
        (False, False, r"C:\ProgramData\DDNS\secrets"),
    ):
        for name, rights in (("administrative", administrative), ("service", service)):
            setattr(account, name, lambda rights=rights: rights)
        blob = dpapi.seal("höchst geheim".encode(), folder)
        found.append([asked[-1], dpapi.unseal(blob, "x").decode()])
    return found


def permits(folder: str) -> object:
    """Who else may do what in folders as the program makes them, and in one that everybody may write to."""
    private, public, wide = (f"{folder}\\{name}" for name in ("private", "public", "wide"))
    host.private_folder(private)
    host.private_folder(public, public=True)
    account.make_folder(wide, "D:(A;OICI;FA;;;WD)(A;OICI;FA;;;BA)")
    told = [[[who.who, who.reads, who.writes] for who in others(path)] for path in (private, public, wide)]
    return [*told, lacking(private)]


def console() -> object:
    """The code page that Windows would take for pipes."""
    return ctypes.windll.kernel32.GetACP()


if __name__ == "__main__":
    answer = globals()[sys.argv[1]](*sys.argv[2:])
    sys.stdout.write(json.dumps(answer) + "\n")
