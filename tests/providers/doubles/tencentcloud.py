"""Tencent Cloud DNSPod, API 3.0 of 2021-03-23: signature, paging, limits, error bodies.

Written from https://cloud.tencent.com/document/api/1427/56166 (DescribeRecordList) and the pages of DescribeDomain,
CreateRecord, ModifyRecordFields, DeleteRecord and of the error codes beside it, and for the signature
https://www.tencentcloud.com/document/api/1157/49029. The answer to too many calls is that of a front end; DNSPod's own
has status 200, code RequestLimitExceeded and no wait.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ddns.model import RecordType
from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.tencentcloud import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers import judges
from providers.cast import ZONE, Fault
from providers.doubles.web import Web

JUDGE = "tencentcloud.common"
KEY_ID, SECRET = "AKIDexample0123456789", "canaryGu5t9xGARNpq86cd98"
#: Seconds that a request's time may be off.
WINDOW = 300
_PARAMETERS = {
    "DescribeDomain": ({"Domain"}, {"DomainId"}),
    "DescribeRecordList": (
        {"Domain"},
        {"Subdomain", "RecordType", "RecordLine", "RecordLineId", "Offset", "Limit", "SortField", "SortType"},
    ),
    "CreateRecord": (
        {"Domain", "RecordType", "RecordLine", "Value"},
        {"SubDomain", "RecordLineId", "MX", "TTL", "Weight", "Status", "Remark"},
    ),
    "ModifyRecordFields": ({"Domain", "RecordId", "FieldList"}, set()),
    "DeleteRecord": ({"Domain", "RecordId"}, set()),
}
_FIELDS = {"value": "Value", "ttl": "TTL", "weight": "Weight", "status": "Status", "sub_domain": "Name"}
_LONGEST_REMARK = 200


class Api:
    """See `cast.Double`. `page_size`: no page is longer; `min_ttl` is the plan's; `hidden`: not in lists yet."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: not request.headers.get("x-tc-action", "").startswith("Describe"))
        self.records: dict[int, dict[str, Any]] = {}
        self.page_size = 3000
        self.min_ttl = 600
        self.hidden: set[int] = set()
        self.locked = False
        self.settings = Settings(url=self.web.root, secret_id=KEY_ID, secret_key=SecretRef("env:SECRET"), min_ttl=600)
        self.secrets: Mapping[str, str] = {"env:SECRET": SECRET}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self
        self._ids = itertools.count(15690732)

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(
            record["Value"]
            for record in self.records.values()
            if (record["Name"], record["Type"], record["LineId"], record["Status"])
            == (_left(name), rdtype, "0", "ENABLE")
        )

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 600) -> None:
        for number, record in list(self.records.items()):
            if (record["Name"], record["Type"]) == (_left(name), rdtype):
                del self.records[number]
        for value in values:
            self.add(Name=_left(name), Type=rdtype, Value=value, TTL=ttl)

    def add(self, **fields: Any) -> dict[str, Any]:
        """Put a record there as the API stores it."""
        line = {"Line": "默认", "LineId": "0"}
        usual = {"TTL": 600, "Status": "ENABLE", "Weight": None, "MX": 0, "Remark": "", "MonitorStatus": ""}
        record = {"RecordId": next(self._ids), **line, **usual, **fields}
        self.records[record["RecordId"]] = record
        return record

    def limit(self) -> bool:
        self.web.limit(_error("RequestLimitExceeded", "You have sent too many requests.").body)
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        refused = self._unsigned(request)
        if refused is not None:
            return refused
        action, given = request.headers.get("x-tc-action", ""), json.loads(request.body)
        if request.headers.get("x-tc-version") != "2021-03-23":
            return _error("NoSuchVersion", "The API version does not exist.")
        if action not in _PARAMETERS or request.target != "/" or request.method != "POST":
            return _error("InvalidAction", f"The API {action} does not exist.")
        needed, possible = _PARAMETERS[action]
        if not given.keys() >= needed:
            return _error("MissingParameter", "A parameter is missing.")
        if given.keys() - needed - possible:
            return _error("UnknownParameter", f"The parameter `{given.keys() - needed - possible}` is not recognized.")
        if given["Domain"] != ZONE:
            return _error("InvalidParameterValue.DomainNotExists", "The domain is incorrect.")
        return {
            "DescribeDomain": self._domain,
            "DescribeRecordList": self._list,
            "CreateRecord": self._create,
            "ModifyRecordFields": self._modify,
            "DeleteRecord": self._delete,
        }[action](given)

    def _unsigned(self, request: Request) -> Reply | None:
        """What the gateway before all of Tencent's APIs refuses."""
        headers = request.headers
        if judges.signed_headers(request) != ["content-type", "host"] or "x-tc-timestamp" not in headers:
            return _error("AuthFailure.InvalidAuthorization", "Authorization in the request header is invalid.")
        if f"Credential={KEY_ID}/" not in headers["authorization"]:
            return _error("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
        if abs(time.time() - int(headers["x-tc-timestamp"])) > WINDOW:
            return _error("AuthFailure.SignatureExpire", "The provided signature has expired.")
        if headers["authorization"] != judges.tc3(request, KEY_ID, SECRET, "dnspod"):
            return _error("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")
        return None

    def _domain(self, given: Mapping[str, Any]) -> Reply:
        del given
        info = {"DomainId": 62, "Domain": ZONE, "Punycode": ZONE, "Grade": "DP_FREE", "TTL": 600, "Status": "ENABLE"}
        return _json({"DomainInfo": {**info, "IsSubDomain": False}})

    def _list(self, given: Mapping[str, Any]) -> Reply:
        offset, limit = given.get("Offset", 0), given.get("Limit", 100)
        if not 1 <= limit <= 3000:
            return _error("InvalidParameterValue.LimitInvalid", "The length of the page is incorrect.")
        wanted = [
            record
            for record in self.records.values()
            if given.get("Subdomain") in (None, record["Name"])
            and given.get("RecordType") in (None, record["Type"])
            and record["RecordId"] not in self.hidden
        ]
        if not wanted:
            return _error("ResourceNotFound.NoDataOfRecord", "The list of records is empty.")
        shown = wanted[offset : offset + min(limit, self.page_size)]
        count = {"SubdomainCount": len(wanted), "ListCount": len(shown), "TotalCount": len(wanted)}
        return _json({"RecordCountInfo": count, "RecordList": shown})

    def _create(self, given: Mapping[str, Any]) -> Reply:
        line = given.get("RecordLineId") or {"默认": "0"}.get(given["RecordLine"])
        if line != "0":
            return _error("InvalidParameter.RecordLineInvalid", "The line of the record is incorrect.")
        if len(given.get("Remark", "")) > _LONGEST_REMARK:
            return _error("InvalidParameter.RemarkTooLong", "The remark is too long.")
        new = {"Name": given.get("SubDomain", "@"), "Type": given["RecordType"], "Value": given["Value"], "LineId": "0"}
        if any(all(other[name] == text for name, text in new.items()) for other in self.records.values()):
            return _error("InvalidParameter.DomainRecordExist", "The record already exists.")
        if any(o["Name"] == new["Name"] and {"CNAME"} < {o["Type"], new["Type"]} for o in self.records.values()):
            return _error("InvalidParameter.CustomMessage", "The record conflicts with another at this name.")
        return self._store({**new, "TTL": given.get("TTL", 600)}, None)

    def _modify(self, given: Mapping[str, Any]) -> Reply:
        old = self.records.get(given["RecordId"])
        if old is None:
            return _error("InvalidParameter.RecordIdInvalid", "The number of the record is incorrect.")
        pairs = {item["Key"]: item["Value"] for item in given["FieldList"]}
        if not pairs or not pairs.keys() <= _FIELDS.keys() or not all(isinstance(v, str) for v in pairs.values()):
            return _error("InvalidParameter.ParamInvalid", "The format of a parameter is incorrect.")
        fields: dict[str, Any] = {_FIELDS[name]: text for name, text in pairs.items()}
        if "TTL" in fields:
            fields["TTL"] = int(fields["TTL"])
        return self._store(fields, old)

    def _store(self, fields: dict[str, Any], old: dict[str, Any] | None) -> Reply:
        new = {**(old or {}), **fields}
        if self.locked:
            return _error("FailedOperation.DomainIsLocked", "A locked domain can't be changed.")
        if new["Type"] == "CNAME" and not new["Value"].endswith("."):
            new["Value"] += "."
            fields |= {"Value": new["Value"]}
        try:
            RecordType(new["Type"]).parse(new["Value"])
        except ValueError:
            return _error("InvalidParameter.RecordValueInvalid", "The value of the record is incorrect.")
        if "TTL" in fields and not self.min_ttl <= new["TTL"] <= 604800:
            return _error("LimitExceeded.RecordTtlLimit", "The TTL of the record exceeds the limit.")
        record = old or self.add(**fields)
        record.update(fields)
        return _json({"RecordId": record["RecordId"]})

    def _delete(self, given: Mapping[str, Any]) -> Reply:
        if self.records.pop(given["RecordId"], None) is None:
            return _error("InvalidParameter.RecordIdInvalid", "The number of the record is incorrect.")
        return _json({})


def _left(name: str) -> str:
    return "@" if name == ZONE else name.removesuffix(f".{ZONE}")


def _json(body: Mapping[str, object]) -> Reply:
    whole = {"Response": {**body, "RequestId": "b3e412d3-0eeb-4b05-815c-86763b9d72aa"}}
    return Reply(200, json.dumps(whole).encode(), {"Content-Type": "application/json"})


def _error(code: str, message: str) -> Reply:
    return _json({"Error": {"Code": code, "Message": message}})


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
