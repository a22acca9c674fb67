"""Amazon's request signature, version 4 (AWS4-HMAC-SHA256), for every service but S3.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import urllib.parse

from ddns.ports import HttpRequest
from ddns.providers.signing import canonical
from ddns.providers.signing.canonical import Key, lines

ALGORITHM = "AWS4-HMAC-SHA256"


def headers(request: HttpRequest, key: Key, *, service: str, region: str, now: float) -> dict[str, str]:
    """The request's headers with those that sign it. The path must have no empty and no dot segments.

    `now` is UTC seconds: the service accepts five minutes of difference.
    """
    parts = canonical.parts(request)
    moment = canonical.stamp(now, "%Y%m%dT%H%M%SZ")
    signed = {"Host": parts.host, "X-Amz-Date": moment}
    if key.token:
        signed["X-Amz-Security-Token"] = key.token
    header_lines, names = canonical.header_lines(signed.items())
    path = urllib.parse.quote(parts.path, safe="/~")  # a second time, as the service does
    # Sorted by the encoded names, unlike other schemes.
    query = "&".join(map("=".join, sorted(pair.split("=") for pair in parts.query.split("&"))))
    whole = lines(request.method, path, query, header_lines, names, canonical.digest(request.content))
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    derived: bytes | str = f"AWS4{key.secret}"
    for step in scope.split("/"):
        derived = canonical.mac(derived, step)
    signature = canonical.mac(derived, lines(ALGORITHM, moment, scope, canonical.digest(whole))).hex()
    authorization = f"{ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**request.headers, **signed, "Authorization": authorization}
