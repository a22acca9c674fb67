"""Huawei Cloud's request signature (SDK-HMAC-SHA256).

Source: https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-algorithm.html
"""

from __future__ import annotations

from ddns.ports import HttpRequest
from ddns.providers.signing import canonical
from ddns.providers.signing.canonical import Key, lines

ALGORITHM = "SDK-HMAC-SHA256"


def headers(request: HttpRequest, key: Key, *, now: float) -> dict[str, str]:
    """The request's headers with those that sign it.

    `now` is UTC seconds: the service accepts 15 minutes of difference.
    """
    parts = canonical.parts(request)
    moment = canonical.stamp(now, "%Y%m%dT%H%M%SZ")
    signed = {"Host": parts.host, "X-Sdk-Date": moment}
    header_lines, names = canonical.header_lines(signed.items())
    path = parts.path if parts.path.endswith("/") else f"{parts.path}/"  # signed so, and sent as it was
    whole = lines(request.method, path, parts.query, header_lines, names, canonical.digest(request.content))
    signature = canonical.mac(key.secret, lines(ALGORITHM, moment, canonical.digest(whole))).hex()
    authorization = f"{ALGORITHM} Access={key.id}, SignedHeaders={names}, Signature={signature}"
    return {**request.headers, **signed, "Authorization": authorization}
