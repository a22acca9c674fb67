"""What a Windows machine answers to parts of `ddns.host` that no command shows. Runs there; prints JSON."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
import threading
import winreg
from ctypes import pointer
from ipaddress import ip_address
from typing import TYPE_CHECKING

import win32security

from ddns.address import Family
from ddns.errors import SourceError
from ddns.host import permits
from ddns.host.adapters import read
from ddns.host.changes import Changes
from ddns.host.windows import adapters as listing
from ddns.host.windows import events, gateways, grants, ownership, profiles, proxies, tasks
from ddns.net.client import Client
from ddns.ports import Deadline
from ddns.runtime.clock import SystemClock
from ddns.sources.command import CommandSource

if TYPE_CHECKING:
    from _win32typing import PySID

assert sys.platform == "win32"

SID, OTHER = "S-1-5-80-1-2-3-4-5", "S-1-5-32-545"


def adapters() -> object:
    """Addresses, and which of them are worth publishing."""
    return [[str(item.address), item.up, item.stable] for item in read()]


_FOR_EVER = 0xFFFFFFFF
#: For each address of two adapters, what iptypes.h and nldef.h call: IfOperStatus, PrefixOrigin, SuffixOrigin,
#: DadState, PreferredLifetime.
_LISTED = (
    (
        (1, "8.8.8.8", 3, 3, 4, 7200),  # from DHCP
        (1, "2600::1", 4, 4, 4, _FOR_EVER),  # announced, with the adapter's number in it
        (1, "2600::2", 4, 5, 4, 7200),  # announced, made by chance
        (1, "2600::3", 1, 5, 4, 7200),  # by chance, but set by hand
        (1, "2600::4", 4, 4, 3, 7200),  # deprecated
        (1, "2600::5", 4, 4, 4, 0),  # its time is over
        (1, "2600::6", 4, 4, 1, 7200),  # tentative
        (1, "2600::7", 4, 4, 2, 7200),  # duplicate
        (1, "2600::8", 4, 4, 0, 7200),  # invalid
    ),
    ((2, "2600::9", 1, 1, 4, _FOR_EVER),),  # the adapter is down
)


def _socket(address: str) -> bytes:
    """sockaddr_in, sockaddr_in6."""
    parsed = ip_address(address)
    if parsed.version == 4:
        return (2).to_bytes(2, "little") + bytes(2) + parsed.packed + bytes(8)
    return (23).to_bytes(2, "little") + bytes(6) + parsed.packed + bytes(4)


def flags() -> object:
    """Lists as Windows would give them, through our reading; an address of a family that nobody knows is among them."""
    kept: list[object] = []
    following = None
    for number, entries in reversed(list(enumerate(_LISTED))):
        unicast = None
        for _, address, prefix, suffix, state, lifetime in reversed(entries):
            data = ctypes.create_string_buffer(_socket(address))
            unicast = listing._Unicast(
                address=listing._SocketAddress(ctypes.cast(data, ctypes.c_void_p), len(data) - 1),
                prefix_origin=prefix,
                suffix_origin=suffix,
                dad_state=state,
                preferred_lifetime=lifetime,
                **({"next": pointer(unicast)} if unicast else {}),
            )
            kept += [data, unicast]
        odd = ctypes.create_string_buffer(b"\x99" * 28)
        first = listing._Unicast(
            address=listing._SocketAddress(ctypes.cast(odd, ctypes.c_void_p), 28), next=pointer(unicast)
        )
        adapter = listing._Adapter(
            friendly_name=f"Ethernet {number}",
            status=entries[0][0],
            unicast=pointer(first),
            **({"next": pointer(following)} if following else {}),
        )
        kept += [odd, first, adapter]
        following = adapter
    assert following is not None
    return [
        [item.adapter, str(item.address), item.up, item.temporary, item.tentative, item.deprecated, item.preferred]
        for item in listing._listed(pointer(following))
    ]


def changes() -> object:
    """Whether the system calls us; what waits come to."""
    with Changes() as waiting:
        quiet = waiting.wait(0.02)
        canceller = threading.Timer(0.02, waiting.cancel)
        canceller.start()
        cancelled = waiting.wait(60)
        canceller.join()
        return [waiting.listening, quiet, cancelled, waiting.wait()]


def _source() -> dict[str, object] | None:
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, events.KEY) as key:
            return {
                name: value for name, value, _ in (winreg.EnumValue(key, n) for n in range(winreg.QueryInfoKey(key)[1]))
            }
    except FileNotFoundError:
        return None


def event_source() -> object:
    """The registry as the source is made, by us and by another; an event is written in each state."""
    found = []
    for act in (events.register, events.register, events.unregister):
        events.report(100, "information", "100% sure: %1 %%2")
        act("service")
        found.append(_source())
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, events.KEY) as key:
        winreg.SetValueEx(key, "EventMessageFile", 0, winreg.REG_EXPAND_SZ, events.MESSAGE_FILE)
    events.register("service")
    events.unregister("service")
    found.append(_source())
    winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, events.KEY)
    events.unregister("service")
    return found


def rights() -> object:
    """The list of a folder's rights as one identifier gets some, other ones, and none; beside others, inherited ones.

    A list in memory: Wine keeps none of a file's.
    """
    acl = win32security.ACL()
    for sid, flags in ((OTHER, 3), (SID, 0x13)):
        acl.AddAccessAllowedAceEx(4, flags, 1, win32security.ConvertStringSidToSid(sid))
    found = []
    for mask in (grants.READ, grants.MODIFY, grants.MODIFY, 0):
        grants.edit(acl, SID, mask)
        found.append([_entry(acl.GetAce(number)) for number in range(acl.GetAceCount())])
    return found


def _entry(ace: tuple[tuple[int, int], int, PySID]) -> object:
    (kind, flags), mask, trustee = ace
    return [kind, flags, mask, win32security.ConvertSidToStringSid(trustee)]


def granting() -> object:
    """Rights to a real folder and to one that is not there: nothing is said."""
    folder = os.path.join(os.environ["TEMP"], "granted")
    os.makedirs(folder)
    grants.grant(folder, SID, grants.MODIFY)
    grants.revoke(folder, SID)
    grants.revoke(folder + " that is not there", SID)
    return os.listdir(folder)


def router() -> object:
    """The default gateway's address."""
    return gateways.default()


#: SYSTEM, administrators, this account, users, another account; creator owner.
_SYSTEM, _ADMINISTRATORS, _US, _USERS, _OTHER = "S-1-5-18", "S-1-5-32-544", "S-1-5-21-1-2-3-1001", OTHER, SID
_LISTS: tuple[tuple[str, tuple[tuple[int, int, str], ...]], ...] = (
    (_ADMINISTRATORS, ((3, 0x1F01FF, _SYSTEM), (3, 0x1F01FF, _ADMINISTRATORS), (3, grants.READ, _USERS))),
    (_US, ((3, 0x1F01FF, _US),)),
    (_OTHER, ((3, 0x1F01FF, _SYSTEM),)),
    ("S-1-5-19", ((3, 0x1F01FF, _SYSTEM),)),
    (_SYSTEM, ((3, grants.MODIFY, _USERS),)),
    (_SYSTEM, ((0, 0x2, _OTHER),)),
    (_SYSTEM, ((0, 0x40000, _OTHER),)),
    (_SYSTEM, ((0xB, 0x1F01FF, _OTHER), (0xB, 0x10000000, "S-1-3-0"))),
)


def owners() -> object:
    """What is said of owners and lists of rights, by the account `_US`; the last has no list at all."""
    found = []
    for owner, entries in _LISTS:
        acl = win32security.ACL()
        for flags, mask, sid in entries:
            acl.AddAccessAllowedAceEx(4, flags, mask, win32security.ConvertStringSidToSid(sid))
        found.append(ownership.complaint(owner, acl, _US))
    return [*found, ownership.complaint(_SYSTEM, None, _US)]


def own_file() -> object:
    """What is said of a file of our own, and of one that is not there."""
    path = os.path.join(os.environ["TEMP"], "own.toml")
    with open(path, "w", encoding="ascii"):
        pass
    return [ownership.refusal(path), bool(ownership.refusal(path + ".gone"))]


def of_path() -> object:
    """What is said of a file in folders that the test made."""
    return ownership.refusal(sys.argv[2])


#: Rights to folders further up: whoever has them, and what for a folder, what for a drive is said.
_ABOVE = (0x2 | 0x4 | 0x10 | 0x100, 0x40, 0x10000, 0x40000, 0x80000, 0x10000000, 0x1301BF)


def above() -> object:
    """Which rights of others to a folder further up, and to a drive, are too much."""
    found = []
    for mask in _ABOVE:
        acl = win32security.ACL()
        acl.AddAccessAllowedAceEx(4, 0, mask, win32security.ConvertStringSidToSid(_USERS))
        masks = (ownership.EXCHANGE, ownership.EXCHANGE & ~ownership.DELETE)
        found.append([bool(ownership.complaint(_SYSTEM, acl, _US, forbidden)) for forbidden in masks])
    return found


_NETWORKS = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList"
#: The keys as a Windows 11 machine has them, made up: kind and router of a signature, its profile's GUID; name,
#: category, and when it was last there, as year, month, day of the week, day, hour, minute, second, ms.
_KNOWN = (
    ("Unmanaged", "001122aabbcc", "{A}", "Home", 1, (2026, 3, 4, 5, 6, 7, 8, 900)),
    ("Unmanaged", "001122aabbcc", "{B}", "Home 2", 0, (2026, 2, 6, 28, 23, 59, 59, 999)),
    ("Managed", "001122aabbcd", "{C}", "corp.example.com", 2, (2026, 1, 1, 1, 1, 1, 1, 1)),
    ("Unmanaged", "001122aabbce", "{D}", "Café", 0, None),
    ("Unmanaged", "001122aabbcf", "{E}", None, None, None),
    ("Unmanaged", "001122aabbd0", "{F}", "Odd", 9, None),
)


def network_profiles() -> object:
    """What is known of the networks behind routers, before and after Windows had noted some."""
    routers = ("00:11:22:aa:bb:cc", "00:11:22:aa:bb:cd", "00:11:22:aa:bb:ce", "00:11:22:aa:bb:cf",
               "00:11:22:aa:bb:d0", "00:11:22:00:00:00", "")  # fmt: skip
    before = [profiles.behind(router) for router in routers]
    for number, (kind, router, guid, name, category, last) in enumerate(_KNOWN):
        with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, rf"{_NETWORKS}\Signatures\{kind}\{number:032x}") as key:
            winreg.SetValueEx(key, "DefaultGatewayMac", 0, winreg.REG_BINARY, bytes.fromhex(router))
            winreg.SetValueEx(key, "ProfileGuid", 0, winreg.REG_SZ, guid)
        with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, rf"{_NETWORKS}\Profiles\{guid}") as key:
            if name is not None:
                winreg.SetValueEx(key, "ProfileName", 0, winreg.REG_SZ, name)
            if category is not None:
                winreg.SetValueEx(key, "Category", 0, winreg.REG_DWORD, category)
            if last is not None:
                moment = b"".join(part.to_bytes(2, "little") for part in last)
                winreg.SetValueEx(key, "DateLastConnected", 0, winreg.REG_BINARY, moment)
    return [before, [profiles.behind(router) for router in routers]]


class _Proxy(ctypes.Structure):
    """WINHTTP_PROXY_INFO."""

    _fields_ = (("access", ctypes.c_uint32), ("servers", ctypes.c_wchar_p), ("exceptions", ctypes.c_wchar_p))


def system_proxy() -> object:
    """What is read before and after a proxy was set for services."""
    before = proxies.read()
    told = _Proxy(3, "http=a:80;https=proxy:3128", "<local>;10.*")
    assert ctypes.WinDLL("winhttp").WinHttpSetDefaultProxyConfiguration(ctypes.byref(told))
    return [before, proxies.read()]


def commands() -> object:
    """What sources of commands come to: one that answers, one that is not there, one that does not end."""
    shell = os.path.join(os.environ["SYSTEMROOT"], "system32", "cmd.exe")
    endless = (sys.executable, "-c", "import time; time.sleep(300)")
    found = []
    for command, seconds in (((shell, "/c", "echo 1.0.0.1"), 60.0), (("C:\\nowhere.exe",), 60.0), (endless, 1.0)):
        source = CommandSource("own", "Own", command, frozenset({Family.V4}))
        try:
            found.append(str(source.ask(Family.V4, Client(), Deadline(SystemClock(), seconds))))
        except SourceError as error:
            found.append(error.message)
    return found


_TASK = (
    '<?xml version="1.0" encoding="UTF-16"?><Task xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"><Triggers>'
    "<TimeTrigger><Repetition><Interval>PT10M</Interval></Repetition></TimeTrigger></Triggers><Actions><Exec>"
    "<Command>C:\\x.exe</Command></Exec></Actions></Task>"
)


def schedule() -> object:
    """The task, as the Task Scheduler's program prints it, as one that fails does, and as this machine's own does."""
    said = (sys.executable, "-c", f"import sys; sys.stdout.buffer.write({_TASK!r}.encode('utf-16'))")
    failed = (sys.executable, "-c", f"print({_TASK!r}); raise SystemExit(1)")
    found = tasks.query(said)
    assert found is not None
    return [found.enabled, found.command, found.triggers, found.every, tasks.query(failed), tasks.query()]


def lacking() -> object:
    """What can't be done with a folder and a file that are ours, and whether looking changed anything."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "x")
        with open(file, "w", encoding="ascii") as stream:
            stream.write("abc")
        before = os.stat(file).st_mtime_ns
        found = [permits.lacking(folder), permits.lacking(file)]
        return [*found, os.stat(file).st_mtime_ns == before, os.listdir(folder)]


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))
