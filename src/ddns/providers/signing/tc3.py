"""Tencent Cloud's request signature (TC3-HMAC-SHA256).

Source: https://www.tencentcloud.com/document/api/1157/49029
"""

from __future__ import annotations

from ddns.ports import HttpRequest
from ddns.providers.signing import canonical
from ddns.providers.signing.canonical import Key, lines

ALGORITHM = "TC3-HMAC-SHA256"


def headers(request: HttpRequest, key: Key, *, service: str, action: str, version: str, now: float) -> dict[str, str]:
    """The request's headers, of which it must have a Content-Type, with those that name the call and sign it.

    `now` is UTC seconds: the service accepts five minutes of difference.
    """
    parts = canonical.parts(request)
    signed = {"Content-Type": request.headers["Content-Type"], "Host": parts.host}
    header_lines, names = canonical.header_lines(signed.items())
    digest = canonical.digest(request.content)
    whole = lines(request.method, parts.path, parts.query, header_lines, names, digest)
    moment, date = str(int(now)), canonical.stamp(now, "%Y-%m-%d")
    scope = f"{date}/{service}/tc3_request"
    derived: bytes | str = f"TC3{key.secret}"
    for step in (date, service, "tc3_request"):
        derived = canonical.mac(derived, step)
    signature = canonical.mac(derived, lines(ALGORITHM, moment, scope, canonical.digest(whole))).hex()
    return {
        **request.headers,
        **signed,
        "X-TC-Action": action,
        "X-TC-Version": version,
        "X-TC-Timestamp": moment,
        "Authorization": f"{ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}",
    }
