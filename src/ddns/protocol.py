"""The gateway's signature, `DDNS1`: the form that client and gateway both build and check.

The base string holds the fields one a line, so that no two requests share one: a digit can't be moved across a border.

    DDNS1 / gateway / method / path with query / ts / nonce / host / seq / idem / sha256(body) in hex

joined by LF, without a final newline. The signature is HMAC-SHA256 with the host's key, base64url without padding.
`ts` is UTC whole seconds; `nonce` is fresh for every request, also for a retry; `seq` grows per record; `idem` is the
change's id and stays the same when the same change is sent again. A reading request has seq 0 and an empty idem.
The path is the one that the gateway sees: a proxy before it must not rewrite paths.

What signs is not the stored key itself but `bound_key`: HMAC-SHA256 of the machine's identity under it. A clone carries
the key of its original, but not its identity, so that its signatures are refused until it is enrolled by itself.

`gateway` is the gateway's `name` setting, not its address, so that it may move. A client learns it as it enrols and
keeps it with its key, as one secret text: ``HOST:KEY:GATEWAY`` (`Identity`; KEY is base64url without padding).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

import msgspec

SCHEME = "DDNS1"
#: Seconds that a request's `ts` may differ from the gateway's clock.
WINDOW = 300
#: Bytes of a body that the gateway reads at most.
MAX_BODY = 16 * 1024
PROBLEM_JSON = "application/problem+json"
TRACE_HEADER = "DDNS-Trace"
#: Bytes of a host's key, at least.
KEY_BYTES = 32
GATEWAY_NAME = re.compile(r"[A-Za-z0-9._:-]{1,128}")

HOST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_FIELD = re.compile(r"([a-z]+)=([A-Za-z0-9._-]{0,128})")
_FIELDS = ("host", "ts", "nonce", "seq", "idem", "sig")


_PROBLEM = "urn:problem-type:ddns:"


def problem_type(slug: str) -> str:
    """The `type` of a problem document."""
    return _PROBLEM + slug


def problem_slug(uri: object) -> str:
    """The slug in the `type` of a problem document, "" when it is not one of ours."""
    return uri.removeprefix(_PROBLEM) if isinstance(uri, str) and uri.startswith(_PROBLEM) else ""


class ProtocolError(ValueError):
    """An `Authorization` header that is not of the scheme; the message says what is wrong with it."""


class Signed(msgspec.Struct, frozen=True):
    """The signed fields of one request, without body, path and key."""

    host: str
    ts: int
    nonce: str
    seq: int
    idem: str

    def base(self, gateway: str, method: str, target: str, body: bytes) -> bytes:
        """The bytes that are signed. `target` is the path with its query, as sent; `gateway` is the gateway's name."""
        fields = (
            SCHEME,
            gateway,
            method.upper(),
            target,
            str(self.ts),
            self.nonce,
            self.host,
            str(self.seq),
            self.idem,
            hashlib.sha256(body).hexdigest(),
        )
        if any("\n" in field for field in fields):
            raise ProtocolError("a signed field holds a line break")
        return "\n".join(fields).encode()

    def header(self, key: bytes, gateway: str, method: str, target: str, body: bytes) -> str:
        """The value of the `Authorization` header."""
        sig = signature(key, self.base(gateway, method, target, body))
        return f"{SCHEME} host={self.host},ts={self.ts},nonce={self.nonce},seq={self.seq},idem={self.idem},sig={sig}"


def signature(key: bytes, base: bytes) -> str:
    """HMAC-SHA256 of the base string, base64url, no padding."""
    return base64.urlsafe_b64encode(hmac.digest(key, base, "sha256")).rstrip(b"=").decode()


def parse(header: str) -> tuple[Signed, str]:
    """Split an `Authorization` header into its fields and the signature. Raises ProtocolError."""
    scheme, _, rest = header.partition(" ")
    if scheme != SCHEME:
        raise ProtocolError(f"the Authorization scheme is not {SCHEME}")
    fields: dict[str, str] = {}
    for part in rest.split(","):
        match = _FIELD.fullmatch(part.strip())
        if match is None or match[1] in fields:
            raise ProtocolError("a field of the Authorization header is malformed or given twice")
        fields[match[1]] = match[2]
    if set(fields) != set(_FIELDS):
        raise ProtocolError(f"the Authorization header needs exactly the fields {', '.join(_FIELDS)}")
    if not (_digits(fields["ts"]) and _digits(fields["seq"])):
        raise ProtocolError("ts and seq must be whole numbers")
    if not all(HOST_ID.fullmatch(fields[name]) for name in ("host", "nonce", "sig")):
        raise ProtocolError("host, nonce and sig must not be empty")
    signed = Signed(fields["host"], int(fields["ts"]), fields["nonce"], int(fields["seq"]), fields["idem"])
    return signed, fields["sig"]


class Identity(msgspec.Struct, frozen=True):
    """What a host keeps: its id, its key, and the name of the gateway that it belongs to."""

    host: str
    key: bytes
    gateway: str

    def __repr__(self) -> str:
        return f"Identity({self.host!r}, ***, {self.gateway!r})"

    def text(self) -> str:
        """The form that is stored as a secret."""
        return f"{self.host}:{encode_key(self.key)}:{self.gateway}"

    @classmethod
    def parse(cls, text: str) -> Identity:
        """Read the stored form. Raises ProtocolError, without repeating the text."""
        host, _, rest = text.strip().partition(":")
        key, _, gateway = rest.partition(":")
        if not HOST_ID.fullmatch(host) or not GATEWAY_NAME.fullmatch(gateway):
            raise ProtocolError("a gateway token has the form HOST:KEY:GATEWAY")
        return cls(host, decode_key(key), gateway)


def encode_key(key: bytes) -> str:
    """A key as text: base64url, no padding."""
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def bound_key(key: bytes, machine: str) -> bytes:
    """The key that signs: the stored key, bound to the machine's identity as it was told at enrolment."""
    return hmac.digest(key, b"DDNS1 machine\n" + machine.encode(), "sha256")


def decode_key(text: str) -> bytes:
    """A key from its text; 32 to 64 bytes. Raises ProtocolError, without repeating the text."""
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:  # also for characters outside ASCII
        key = b""
    if not KEY_BYTES <= len(key) <= 2 * KEY_BYTES or encode_key(key) != text:
        raise ProtocolError(f"a key is {KEY_BYTES} to {2 * KEY_BYTES} bytes in base64url without padding")
    return key


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def verify(signed: Signed, sig: str, key: bytes, gateway: str, method: str, target: str, body: bytes) -> bool:
    """Whether the signature is that of the key, compared in constant time."""
    return hmac.compare_digest(signature(key, signed.base(gateway, method, target, body)), sig)
