"""Alibaba Cloud's request signature, version 3 (ACS3-HMAC-SHA256).

Source: https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
"""

from __future__ import annotations

from ddns.ports import HttpRequest
from ddns.providers.signing import canonical
from ddns.providers.signing.canonical import Key, lines

ALGORITHM = "ACS3-HMAC-SHA256"


def headers(request: HttpRequest, key: Key, *, action: str, version: str, nonce: str, now: float) -> dict[str, str]:
    """The request's headers with those that name the call and sign it.

    `nonce` must be new for each request, `now` is UTC seconds: the service accepts 15 minutes of difference.
    """
    parts, body = canonical.parts(request), canonical.digest(request.content)
    signed = {
        "host": parts.host,
        "x-acs-action": action,
        "x-acs-content-sha256": body,
        "x-acs-date": canonical.stamp(now, "%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": version,
    }
    header_lines, names = canonical.header_lines(signed.items())
    whole = lines(request.method, parts.path, parts.query, header_lines, names, body)
    signature = canonical.mac(key.secret, lines(ALGORITHM, canonical.digest(whole))).hex()
    authorization = f"{ALGORITHM} Credential={key.id},SignedHeaders={names},Signature={signature}"
    return {**request.headers, **signed, "Authorization": authorization}
