"""Alibaba Cloud DNS, API 2015-01-09, as far as domains and their records go: signature, paging, limits, error bodies.

Written from https://www.alibabacloud.com/help/en/dns/api-alidns-2015-01-09-describesubdomainrecords and the pages of
DescribeDomainInfo, AddDomainRecord, UpdateDomainRecord and DeleteDomainRecord beside it,
https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature for the headers,
https://www.alibabacloud.com/help/en/dns/error-code for what is said to a bad request. The answer to too many calls is
that of a front end; Alibaba's own has code Throttling.User and no wait.
"""

from __future__ import annotations

import calendar
import hashlib
import itertools
import json
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ddns.model import RecordType
from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.alidns import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers import judges
from providers.cast import ZONE, Fault
from providers.doubles.web import Web

JUDGE = "alibabacloud_openapi_util"
KEY_ID, SECRET = "LTAI5tExampleKeyId", "canary7HcLpHn2bXQ"
#: Seconds that a request's time may be off.
WINDOW = 900
_SIGNED = {"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}
_PARAMETERS = {
    "DescribeDomainInfo": {"DomainName"},
    "DescribeSubDomainRecords": {"DomainName", "SubDomain", "Type", "Line", "PageNumber", "PageSize"},
    "AddDomainRecord": {"DomainName", "RR", "Type", "Value", "TTL", "Line", "Priority"},
    "UpdateDomainRecord": {"RecordId", "RR", "Type", "Value", "TTL", "Line", "Priority"},
    "DeleteDomainRecord": {"RecordId"},
}


class Api:
    """See `cast.Double`. `page_size`: no page is longer; `min_ttl` is the plan's; `others`: domains of other users."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: not request.headers.get("x-acs-action", "").startswith("Desc"))
        self.records: dict[str, dict[str, Any]] = {}
        self.page_size = 100
        self.min_ttl = 600
        self.others = {"taken.example"}
        self.settings = Settings(
            url=self.web.root, access_key_id=KEY_ID, access_key_secret=SecretRef("env:SECRET"), min_ttl=600
        )
        self.secrets: Mapping[str, str] = {"env:SECRET": SECRET}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self
        self._ids = itertools.count(9999985)
        self._nonces: set[str] = set()

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(
            record["Value"]
            for record in self.records.values()
            if (record["RR"], record["Type"], record["Line"], record["Status"])
            == (_left(name), rdtype, "default", "ENABLE")
        )

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 600) -> None:
        for number, record in list(self.records.items()):
            if (record["RR"], record["Type"]) == (_left(name), rdtype):
                del self.records[number]
        for value in values:
            self.add(RR=_left(name), Type=rdtype, Value=value, TTL=ttl)

    def add(self, **fields: Any) -> dict[str, Any]:
        """Put a record there as the API stores it."""
        usual = {"TTL": 600, "Line": "default", "Status": "ENABLE", "Locked": False, "Weight": 1}
        record = {"DomainName": ZONE, "RecordId": str(next(self._ids)), **usual, **fields}
        self.records[record["RecordId"]] = record
        return record

    def limit(self) -> bool:
        self.web.limit(_body("Throttling.User", "Request was denied due to user flow control."))
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        path, _, query = request.target.partition("?")
        given = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        refused = self._unsigned(request)
        if refused is not None:
            return refused
        action = request.headers["x-acs-action"]
        if path != "/" or request.headers["x-acs-version"] != "2015-01-09" or action not in _PARAMETERS:
            return _error(
                404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."
            )
        unknown = given.keys() - _PARAMETERS[action]
        if unknown:
            return _error(400, "InvalidParameter", f'The specified value of parameter "{unknown}" is not valid.')
        if given.get("DomainName", ZONE) in self.others:
            return _error(400, "IncorrectDomainUser", "The domain name belongs to other users.")
        if given.get("DomainName", ZONE) != ZONE:
            return _error(400, "InvalidDomainName.NoExist", "The specified domain name does not exist.")
        return {
            "DescribeDomainInfo": self._domain,
            "DescribeSubDomainRecords": self._list,
            "AddDomainRecord": self._add,
            "UpdateDomainRecord": self._update,
            "DeleteDomainRecord": self._delete,
        }[action](given)

    def _unsigned(self, request: Request) -> Reply | None:
        """What the gateway before all of Alibaba's APIs refuses."""
        headers = request.headers
        named = set(judges.signed_headers(request))
        if not named >= _SIGNED or any(name.startswith("x-acs-") and name not in named for name in headers):
            return _error(400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.")
        if f"Credential={KEY_ID}," not in headers["authorization"]:
            return _error(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        moment = calendar.timegm(time.strptime(headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ"))
        if abs(time.time() - moment) > WINDOW:
            return _error(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        whole = headers["x-acs-content-sha256"] == hashlib.sha256(request.body).hexdigest()
        if not whole or headers["authorization"] != judges.acs3(request, KEY_ID, SECRET):
            return _error(
                400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string"
            )
        if headers["x-acs-signature-nonce"] in self._nonces:
            return _error(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
        self._nonces.add(headers["x-acs-signature-nonce"])
        return None

    def _domain(self, given: Mapping[str, str]) -> Reply:
        del given
        servers = {"DnsServer": ["dns1.alidns.com", "dns2.alidns.com"]}
        return _json({"DomainName": ZONE, "PunyCode": ZONE, "MinTtl": self.min_ttl, "DnsServers": servers})

    def _list(self, given: Mapping[str, str]) -> Reply:
        page, size = int(given.get("PageNumber", "1")), int(given.get("PageSize", "20"))
        if not 1 <= size <= 100:
            return _error(400, "InvalidParameter", 'The specified value of parameter "PageSize" is not valid.')
        wanted = [
            record
            for record in self.records.values()
            if record["RR"] == _left(given["SubDomain"]) and given.get("Type") in (None, record["Type"])
        ]
        size = min(size, self.page_size)
        shown = wanted[(page - 1) * size : page * size]
        records = {"Record": shown}
        return _json({"TotalCount": len(wanted), "PageNumber": page, "PageSize": size, "DomainRecords": records})

    def _add(self, given: Mapping[str, str]) -> Reply:
        return self._store({"TTL": "600", "Line": "default", **given}, None)

    def _update(self, given: Mapping[str, str]) -> Reply:
        old = self.records.get(given["RecordId"])
        if old is None:
            return _error(400, "DomainRecordNotBelongToUser", "The domain record does not belong to this user.")
        if old["Locked"]:
            return _error(400, "DomainRecordLocked", "The domain record has been locked.")
        return self._store({"TTL": "600", "Line": "default", **given}, old)

    def _store(self, given: Mapping[str, str], old: dict[str, Any] | None) -> Reply:
        new = {name: given[name] for name in ("RR", "Type", "Value", "Line")}
        try:
            RecordType(new["Type"]).parse(new["Value"])
        except ValueError:
            return _error(400, "InvalidParameter", 'The specified value of parameter "Value" is not valid.')
        if not self.min_ttl <= int(given["TTL"]) <= 86400:
            return _error(400, "QuotaExceeded.TTL", "The TTL is not within the range of the instance.")
        for other in self.records.values():
            # Also one that would come to be what it already is.
            same = all(other[name] == text for name, text in new.items())
            if same and (old is None or other is not old or other["TTL"] == int(given["TTL"])):
                return _error(400, "DomainRecordDuplicate", "The DNS record already exists.")
            if other["RR"] == new["RR"] and {"CNAME"} < {other["Type"], new["Type"]}:
                return _error(400, "DomainRecordConflict", "The DNS record conflicts with other records.")
        fields = {**new, "TTL": int(given["TTL"])}
        if old is None:
            old = self.add(**fields)
        old.update(fields)
        return _json({"RecordId": old["RecordId"]})

    def _delete(self, given: Mapping[str, str]) -> Reply:
        if self.records.pop(given["RecordId"], None) is None:
            return _error(400, "DomainRecordNotBelongToUser", "The domain record does not belong to this user.")
        return _json({"RecordId": given["RecordId"]})


def _left(name: str) -> str:
    return "@" if name == ZONE else name.removesuffix(f".{ZONE}")


def _json(body: Mapping[str, object]) -> Reply:
    whole = {"RequestId": "536E9CAD-DB30-4647-AC87-AA5CC38C5382", **body}
    return Reply(200, json.dumps(whole).encode(), {"Content-Type": "application/json;charset=utf-8"})


def _body(code: str, message: str) -> bytes:
    where = {"RequestId": "CF99B5BD-30F8-4C8E-8AAB-0C7B24C4F0C1", "HostId": "alidns.aliyuncs.com"}
    return json.dumps({**where, "Code": code, "Message": message}).encode()


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status, _body(code, message), {"Content-Type": "application/json;charset=utf-8"})


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
