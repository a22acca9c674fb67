"""The default gateway (GetBestRoute, ipmib.h) and its MAC address (SendARP, iphlpapi.h). Both are of IPv4."""

from __future__ import annotations

import ctypes
import ipaddress
import sys
from ctypes import byref, c_uint8, c_uint32

assert sys.platform == "win32"

#: Any public address: the system is asked for its route, nothing is sent.
_ANYWHERE = "198.41.0.4"
#: ERROR_NETWORK_UNREACHABLE, ERROR_HOST_UNREACHABLE, ERROR_NOT_FOUND, ERROR_BAD_NET_NAME, ERROR_GEN_FAILURE.
_UNKNOWN = (1231, 1232, 1168, 67, 31)
#: MIB_IPFORWARDROW: fourteen numbers; the fourth is the next hop.
_ROW, _NEXT_HOP = 14, 3


def default() -> str:
    """As `host.gateways` says."""
    call = ctypes.WinDLL("iphlpapi").GetBestRoute
    call.argtypes = (c_uint32, c_uint32, ctypes.c_void_p)
    call.restype = c_uint32
    row = (c_uint32 * _ROW)()
    code = call(_number(_ANYWHERE), 0, byref(row))
    if code in _UNKNOWN:
        return ""
    if code:
        raise ctypes.WinError(code)
    address = ipaddress.IPv4Address(row[_NEXT_HOP].to_bytes(4, sys.byteorder))
    return "" if address.is_unspecified else str(address)


def mac(address: str) -> str:
    """As `host.gateways` says."""
    call = ctypes.WinDLL("iphlpapi").SendARP
    call.argtypes = (c_uint32, c_uint32, ctypes.c_void_p, ctypes.c_void_p)
    call.restype = c_uint32
    told, length = (c_uint8 * 8)(), c_uint32(8)
    code = call(_number(address), 0, byref(told), byref(length))
    if code in _UNKNOWN or (not code and length.value != 6):
        return ""
    if code:
        raise ctypes.WinError(code)
    return ":".join(f"{part:02x}" for part in told[:6])


def _number(address: str) -> int:
    """In network order, as these calls want it."""
    return int.from_bytes(ipaddress.IPv4Address(address).packed, sys.byteorder)
