"""The addresses of this machine's adapters, with their flags, from GetAdaptersAddresses (iptypes.h)."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from ctypes import POINTER, byref, c_char_p, c_int, c_uint8, c_uint32, c_uint64, c_void_p, c_wchar_p
from ipaddress import IPv4Address, IPv6Address

from ddns.host.addresses import LocalAddress

assert sys.platform == "win32"

_ANY_FAMILY, _IPV4, _IPV6 = 0, 2, 23
#: GAA_FLAG_SKIP_ANYCAST, _MULTICAST, _DNS_SERVER: only unicast addresses are looked at.
_FLAGS = 0x2 | 0x4 | 0x8
_OVERFLOW = 111
_NO_DATA = 232
_UP = 1
_FOR_EVER = 0xFFFFFFFF
#: IP_PREFIX_ORIGIN, IP_SUFFIX_ORIGIN: from a router's announcement, made by chance: a temporary address.
_ANNOUNCED, _BY_CHANCE = 4, 5
#: IP_DAD_STATE.
_DEPRECATED, _PREFERRED = 3, 4
#: Bytes that the list is expected to need, and tries: it may grow between two calls.
_FIRST_SIZE, _TRIES = 16_384, 5


class _SocketAddress(ctypes.Structure):
    _fields_ = (("data", c_void_p), ("length", c_int))


class _Unicast(ctypes.Structure):
    """IP_ADAPTER_UNICAST_ADDRESS_LH."""


_Unicast._fields_ = (  # apart, because it points to its own kind
    ("length_and_flags", c_uint64),
    ("next", POINTER(_Unicast)),
    ("address", _SocketAddress),
    ("prefix_origin", c_int),
    ("suffix_origin", c_int),
    ("dad_state", c_int),
    ("valid_lifetime", c_uint32),
    ("preferred_lifetime", c_uint32),
    ("lease_lifetime", c_uint32),
    ("prefix_length", c_uint8),
)


class _Adapter(ctypes.Structure):
    """IP_ADAPTER_ADDRESSES_LH, as far as it is looked at."""


_Adapter._fields_ = (  # as above
    ("length_and_index", c_uint64),
    ("next", POINTER(_Adapter)),
    ("name", c_char_p),
    ("unicast", POINTER(_Unicast)),
    ("anycast", c_void_p),
    ("multicast", c_void_p),
    ("dns_servers", c_void_p),
    ("dns_suffix", c_wchar_p),
    ("description", c_wchar_p),
    ("friendly_name", c_wchar_p),
    ("physical_address", c_uint8 * 8),
    ("physical_address_length", c_uint32),
    ("flags", c_uint32),
    ("mtu", c_uint32),
    ("kind", c_uint32),
    ("status", c_int),
)


def read() -> list[LocalAddress]:
    """Every IPv4 and IPv6 address, the loopback's among them. Raises OSError."""
    call = ctypes.WinDLL("iphlpapi").GetAdaptersAddresses
    call.argtypes = (c_uint32, c_uint32, c_void_p, c_void_p, c_void_p)
    call.restype = c_uint32
    size, code = c_uint32(_FIRST_SIZE), _OVERFLOW
    for _ in range(_TRIES):
        buffer = ctypes.create_string_buffer(size.value)
        code = call(_ANY_FAMILY, _FLAGS, None, buffer, byref(size))
        if code == 0:
            return list(_listed(ctypes.cast(buffer, POINTER(_Adapter))))
        if code != _OVERFLOW:
            break
    if code == _NO_DATA:
        return []
    raise ctypes.WinError(code)


def _listed(adapter: ctypes._Pointer[_Adapter]) -> Iterator[LocalAddress]:
    while bool(adapter):  # a null pointer is false
        entry = adapter.contents
        unicast = entry.unicast
        while unicast:
            address = _address(unicast.contents.address)
            if address is not None:
                yield _local(entry, unicast.contents, address)
            unicast = unicast.contents.next
        adapter = entry.next


def _address(socket: _SocketAddress) -> IPv4Address | IPv6Address | None:
    data = ctypes.string_at(socket.data, socket.length)
    family = int.from_bytes(data[:2], "little")
    if family == _IPV4 and len(data) >= 8:
        return IPv4Address(data[4:8])
    if family == _IPV6 and len(data) >= 24:
        return IPv6Address(data[8:24])
    return None


def _local(adapter: _Adapter, unicast: _Unicast, address: IPv4Address | IPv6Address) -> LocalAddress:
    lifetime = unicast.preferred_lifetime
    return LocalAddress(
        adapter.friendly_name or "",
        address,
        up=adapter.status == _UP,
        temporary=unicast.prefix_origin == _ANNOUNCED and unicast.suffix_origin == _BY_CHANCE,
        tentative=unicast.dad_state not in (_DEPRECATED, _PREFERRED),
        deprecated=unicast.dad_state == _DEPRECATED or lifetime == 0,
        preferred=None if lifetime == _FOR_EVER else float(lifetime),
    )
