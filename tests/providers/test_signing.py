"""Request signatures: the vectors that the clouds publish, and any request at all against the clouds' own SDKs."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ddns.ports import HttpRequest
from ddns.providers.signing import acs3, canonical, sdk, sigv4, tc3
from ddns.providers.signing.canonical import Key
from ground.http import Request
from providers import judges

Sign = Callable[[HttpRequest, Key, float], dict[str, str]]
Judge = Callable[[Request, Key], str]

SCHEMES: dict[str, tuple[Sign, Judge]] = {
    "acs3": (
        lambda request, key, now: acs3.headers(
            request, key, action="DescribeDomainInfo", version="2015-01-09", nonce="1b2c", now=now
        ),
        lambda request, key: judges.acs3(request, key.id, key.secret),
    ),
    "tc3": (
        lambda request, key, now: tc3.headers(
            request, key, service="dnspod", action="DescribeDomain", version="2021-03-23", now=now
        ),
        lambda request, key: judges.tc3(request, key.id, key.secret, "dnspod"),
    ),
    "sigv4": (
        lambda request, key, now: sigv4.headers(request, key, service="route53", region="us-east-1", now=now),
        lambda request, key: judges.sigv4(request, key.id, key.secret, "route53", "us-east-1"),
    ),
    "sigv4 with a session": (
        lambda request, key, now: sigv4.headers(
            request, replace(key, token="canary/token=="), service="route53", region="us-east-1", now=now
        ),
        lambda request, key: judges.sigv4(request, key.id, key.secret, "route53", "us-east-1", "canary/token=="),
    ),
    "sdk": (
        lambda request, key, now: sdk.headers(request, key, now=now),
        lambda request, key: judges.sdk(request, key.id, key.secret),
    ),
}

_keys = st.builds(
    Key,
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=24),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=48),
)
_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
_segments = st.text(st.characters(codec="utf-8", exclude_characters="/.", exclude_categories=["Cs"]), min_size=1)
_moments = st.floats(0, 4e9)


@st.composite
def requests(draw: st.DrawFn, scheme: str) -> HttpRequest:
    """A request of a scheme's kind: Alibaba and Tencent have the root path only, Tencent no query."""
    path, query = "/", ""
    if scheme not in ("acs3", "tc3"):
        path = "/" + "/".join(map(canonical.escape, draw(st.lists(_segments, max_size=4))))
    if scheme != "tc3":
        # Alibaba's SDK does not encode names, as its documentation asks; the API has only plain ones.
        names = st.from_regex(r"[A-Za-z][A-Za-z0-9.]{0,9}", fullmatch=True) if scheme == "acs3" else _words.filter(bool)
        pairs = draw(st.dictionaries(names, _words, max_size=5))
        query = canonical.query(pairs.items())
    host = draw(st.sampled_from(["dns.example.com", "127.0.0.1:8080"]))
    body = draw(st.one_of(st.none(), st.binary(max_size=200)))
    method = draw(st.sampled_from(["POST"] if scheme == "tc3" else ["GET", "POST", "PUT", "DELETE"]))
    headers = {"Content-Type": draw(st.sampled_from(["application/json", "application/json; charset=utf-8"]))}
    return HttpRequest(method, f"https://{host}{path}{'?' * bool(query)}{query}", headers, body)


def received(request: HttpRequest, headers: dict[str, str]) -> Request:
    """As the server sees it."""
    split = urllib.parse.urlsplit(request.url)
    target = split.path + ("?" + split.query if split.query else "")
    return Request(request.method, target, {n.lower(): v for n, v in headers.items()}, request.content or b"")


@pytest.mark.parametrize("scheme", SCHEMES)
@given(data=st.data(), key=_keys, now=_moments)
def test_the_sdk_signs_any_request_alike(scheme: str, data: st.DataObject, key: Key, now: float) -> None:
    sign, judge = SCHEMES[scheme]
    request = data.draw(requests(scheme))
    headers = sign(request, key, now)
    assert headers["Authorization"] == judge(received(request, headers), key)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_secret_is_nowhere_in_the_headers(scheme: str) -> None:
    sign, _ = SCHEMES[scheme]
    key = Key("AKID", "canary-secret")
    headers = sign(HttpRequest("GET", "https://dns.example.com/", {"Content-Type": "application/json"}), key, 0.0)
    assert not [text for text in headers.values() if "canary-secret" in text]
    assert "canary" not in repr(key)


def test_the_vector_that_alibaba_publishes() -> None:
    """https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature, fixed parameters"""
    query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"
    headers = acs3.headers(
        HttpRequest("POST", f"https://ecs.cn-shanghai.aliyuncs.com/?{query}"),
        Key("YourAccessKeyId", "YourAccessKeySecret"),
        action="RunInstances",
        version="2014-05-26",
        nonce="3156853299f313e23d1673dc12e1703d",
        now=1698315752,  # 2023-10-26T10:22:32Z
    )
    signature = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    assert headers["Authorization"].endswith(f",Signature={signature}")


def test_the_vector_that_tencent_publishes() -> None:
    """https://www.tencentcloud.com/document/product/213/33224, its key before it was masked"""
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    headers = tc3.headers(
        HttpRequest(
            "POST", "https://cvm.tencentcloudapi.com/", {"Content-Type": "application/json; charset=utf-8"}, body
        ),
        Key("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"),
        service="cvm",
        action="DescribeInstances",
        version="2017-03-12",
        now=1551113065,
    )
    assert headers["Authorization"] == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request,"
        " SignedHeaders=content-type;host,"
        " Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


@pytest.mark.parametrize(
    ("method", "target", "signature"),
    [
        ("GET", "/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("GET", "/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    ],
    ids=["get-vanilla", "post-vanilla", "get-vanilla-query-order-key-case"],
)
def test_the_vectors_that_amazon_publishes(method: str, target: str, signature: str) -> None:
    """The SigV4 test suite, by the names of its cases"""
    headers = sigv4.headers(
        HttpRequest(method, f"https://example.amazonaws.com{target}"),
        Key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        service="service",
        region="us-east-1",
        now=1440938160,  # 2015-08-30T12:36:00Z
    )
    assert headers["Authorization"].endswith(f"SignedHeaders=host;x-amz-date, Signature={signature}")
