"""The kernel's route socket (rtnetlink(7)): the messages of a datagram, and the addresses that they tell.

Everything is in the byte order of the machine, and each part is padded to four bytes.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Callable, Iterator

from ddns.host.addresses import LocalAddress

NEW_ADDRESS, GET_ADDRESS = 20, 22
_ERROR, DONE = 2, 3
_REQUEST_DUMP = 0x301
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix length, flags, scope, adapter
_ATTRIBUTE = struct.Struct("=HH")
_IFA_ADDRESS, _IFA_LOCAL, _IFA_CACHEINFO, _IFA_FLAGS = 1, 2, 6, 8
_TEMPORARY, _OPTIMISTIC, _DAD_FAILED, _DEPRECATED, _TENTATIVE = 0x01, 0x04, 0x08, 0x20, 0x40
_FOR_EVER = 0xFFFFFFFF


class Malformed(ValueError):
    """A message that is not as rtnetlink(7) says."""


def dump_request() -> bytes:
    """Ask for all addresses of all adapters."""
    body = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    return _HEADER.pack(_HEADER.size + len(body), GET_ADDRESS, _REQUEST_DUMP, 1, 0) + body


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and body of each message. Raises Malformed, and OSError for one that tells an error."""
    while len(data) >= _HEADER.size:
        length, kind, _, _, _ = _HEADER.unpack_from(data)
        if not _HEADER.size <= length <= len(data):
            raise Malformed(f"a message of {length} bytes in {len(data)}")
        body = data[_HEADER.size : length]
        if kind == _ERROR:
            raise OSError(-_error(body), "the kernel refuses to list addresses")
        yield kind, body
        data = data[_padded(length) :]


def _error(body: bytes) -> int:
    if len(body) < 4:
        raise Malformed("an error without a number")
    return int(struct.unpack_from("=i", body)[0])


def address(body: bytes, name: Callable[[int], tuple[str, bool]]) -> LocalAddress | None:
    """The address that a message of type NEW_ADDRESS tells, None for another family. Raises Malformed.

    `name` gives an adapter's name and whether it is up, by its number.
    """
    if len(body) < _ADDRESS.size:
        raise Malformed("an address message that is too short")
    family, _, flags, _, index = _ADDRESS.unpack_from(body)
    if family not in (socket.AF_INET, socket.AF_INET6):
        return None
    parts = dict(_attributes(body[_ADDRESS.size :]))
    told = parts.get(_IFA_LOCAL) or parts.get(_IFA_ADDRESS)  # of a point-to-point link, ADDRESS is the other end
    if told is None or len(told) != (4 if family == socket.AF_INET else 16):
        raise Malformed("an address message without an address")
    flags = _number(parts.get(_IFA_FLAGS), 0) or flags
    preferred = _number(parts.get(_IFA_CACHEINFO), 0, _FOR_EVER)
    adapter, up = name(index)
    return LocalAddress(
        adapter,
        ipaddress.ip_address(told),
        up=up,
        temporary=family == socket.AF_INET6 and bool(flags & _TEMPORARY),  # of IPv4 the bit means "secondary"
        tentative=bool(flags & (_TENTATIVE | _DAD_FAILED)) and not flags & _OPTIMISTIC,
        deprecated=bool(flags & _DEPRECATED),
        preferred=None if preferred == _FOR_EVER else float(preferred),
    )


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if not _ATTRIBUTE.size <= length <= len(data):
            raise Malformed(f"an attribute of {length} bytes in {len(data)}")
        yield kind, data[_ATTRIBUTE.size : length]
        data = data[_padded(length) :]


def _number(data: bytes | None, at: int, default: int = 0) -> int:
    return int(struct.unpack_from("=I", data, at)[0]) if data is not None and len(data) >= at + 4 else default


def _padded(length: int) -> int:
    return (length + 3) & ~3
