"""Whether a request is signed right, by the code of each cloud's own SDK: none of ours takes part.

Each judge is given a request as a server receives it, and the access key that it knows; it returns the Authorization
that the SDK computes for the very headers that the request names. The SDKs are imported when they are first asked.
"""

from __future__ import annotations

import datetime as dt
import re
import urllib.parse
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

from ground.http import Request

_NAMES = re.compile(r"SignedHeaders=([a-z0-9;-]+)")


def signed_headers(request: Request) -> list[str]:
    """The names of the headers that the request says are signed; none when it is not signed."""
    found = _NAMES.search(request.headers.get("authorization", ""))
    return found[1].split(";") if found else []


def acs3(request: Request, key_id: str, secret: str) -> str:
    """Alibaba Cloud: alibabacloud_openapi_util."""
    from alibabacloud_openapi_util.client import Client

    path, query = _target(request)
    seen = SimpleNamespace(method=request.method, pathname=path, query=dict(query), headers=_signed(request))
    payload = Client.hex_encode(Client.hash(request.body, "ACS3-HMAC-SHA256"))
    return str(Client.get_authorization(seen, "ACS3-HMAC-SHA256", payload, key_id, secret))


def tc3(request: Request, key_id: str, secret: str, service: str) -> str:
    """Tencent Cloud: tencentcloud.common."""
    from tencentcloud.common.abstract_client import AbstractClient

    moment = int(request.headers["x-tc-timestamp"])
    date = dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%d")
    headers = {name: request.headers[name.lower()] for name in ("Content-Type", "Host", "X-TC-Timestamp")}
    seen = SimpleNamespace(method=request.method, uri=request.target, header=headers, data=request.body)
    signature = AbstractClient._get_tc3_signature(None, {}, seen, date, service, secret)
    scope = f"{date}/{service}/tc3_request"
    return f"TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders=content-type;host, Signature={signature}"


def sigv4(request: Request, key_id: str, secret: str, service: str, region: str, token: str = "") -> str:
    """Amazon: botocore, which adds the token of a temporary key to what it signs."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url = f"http://{request.headers['host']}{request.target}"
    seen = AWSRequest(method=request.method, url=url, data=request.body, headers=_signed(request))
    seen.context["timestamp"] = request.headers["x-amz-date"]
    auth = SigV4Auth(Credentials(key_id, secret, token or None), service, region)
    if token:
        auth._modify_request_before_signing(seen)
    signature = auth.signature(auth.string_to_sign(seen, auth.canonical_request(seen)), seen)
    names = auth.signed_headers(auth.headers_to_sign(seen)) if token else ";".join(signed_headers(request))
    return f"AWS4-HMAC-SHA256 Credential={auth.scope(seen)}, SignedHeaders={names}, Signature={signature}"


def change_batch(body: bytes) -> dict[str, Any]:
    """Amazon: a ChangeResourceRecordSets as botocore's parameters have it.

    ValueError unless botocore finds them valid and would send the very same document for them.
    """
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.serialize import create_serializer
    from botocore.validate import ParamValidator

    model = ServiceModel(Loader().load_service_model("route53", "service-2"))
    order = list(model.shape_for("ResourceRecordSet").members)
    changes = [_change(item, order) for item in ET.fromstring(body).findall(".//{*}Change")]
    params = {"HostedZoneId": "Z0", "ChangeBatch": {"Changes": changes}}
    operation = model.operation_model("ChangeResourceRecordSets")
    report = ParamValidator().validate(params, operation.input_shape)
    if report.has_errors():
        raise ValueError(report.generate_report())
    theirs = create_serializer("rest-xml").serialize_to_request(params, operation)["body"]
    if ET.canonicalize(theirs) != ET.canonicalize(body):
        raise ValueError(f"Amazon's SDK would have sent {theirs!r}")
    return params


def _change(item: ET.Element, order: list[str]) -> dict[str, Any]:
    record = item.find("{*}ResourceRecordSet")
    assert record is not None
    fields: dict[str, Any] = {tag.tag.rpartition("}")[2]: tag.text for tag in record}
    fields["TTL"] = int(fields["TTL"])
    fields["ResourceRecords"] = [{"Value": value.text} for value in record.findall(".//{*}Value")]
    return {
        "Action": item.findtext("{*}Action"),
        "ResourceRecordSet": {name: fields[name] for name in order if name in fields},
    }


def sdk(request: Request, key_id: str, secret: str) -> str:
    """Huawei Cloud: huaweicloudsdkcore."""
    from huaweicloudsdkcore.sdk_request import SdkRequest
    from huaweicloudsdkcore.signer.signer import Signer

    path, query = _target(request)
    headers = {"X-Sdk-Date" if name == "x-sdk-date" else name: text for name, text in _signed(request).items()}
    seen = SdkRequest(
        method=request.method,
        schema="http",
        host=request.headers["host"],
        resource_path=path,
        query_params=query,
        header_params=headers,
        body=request.body,
    )
    return str(Signer(SimpleNamespace(ak=key_id, sk=secret)).sign(seen).header_params["Authorization"])


def _signed(request: Request) -> dict[str, str]:
    return {name: request.headers[name] for name in signed_headers(request)}


def _target(request: Request) -> tuple[str, list[tuple[str, str]]]:
    path, _, query = request.target.partition("?")
    return path, urllib.parse.parse_qsl(query, keep_blank_values=True)
