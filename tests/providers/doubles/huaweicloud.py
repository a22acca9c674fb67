"""Huawei Cloud DNS, API v2 and v2.1: signature, public zones and record sets, lines, paging, error bodies.

Written from https://support.huaweicloud.com/intl/en-us/api-dns/dns_api_62003.html (zones),
https://support.huaweicloud.com/intl/en-us/api-dns/ShowRecordSetByZone.html,
https://support.huaweicloud.com/intl/en-us/api-dns/UpdateRecordSet.html and the pages beside them,
https://support.huaweicloud.com/intl/en-us/api-dns/ErrorCode.html, and for the signature
https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-errorcode.html.
"""

from __future__ import annotations

import calendar
import itertools
import json
import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ddns.model import RecordType
from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.huaweicloud import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers import judges
from providers.cast import ZONE, Fault
from providers.doubles.web import Web

JUDGE = "huaweicloudsdkcore"
KEY_ID, SECRET = "QTWAOYTTINDUT2QVKYUC", "canaryMFyfvK41ba2giqM7"
#: Seconds that a request's time may be off.
WINDOW = 900
ZONE_ID = "ff8080825b8fc86c015b94bc6f8712c3"
_PATH = re.compile(r"/(v2|v2\.1)/zones(?:/(\w+)/recordsets(?:/(\w+))?)?")
_WRITABLE = {"name", "type", "records", "ttl", "description", "status", "tags"}
_LONGEST_DESCRIPTION = 255


class Api:
    """See `cast.Double`. `page_size`: no page is longer; `busy`: how often a record set is said to be PENDING."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: request.method != "GET")
        self.zones = {ZONE_ID: (f"{ZONE}.", "public")}
        self.records: dict[str, dict[str, Any]] = {}
        self.page_size = 500
        self.busy = 0
        self.settings = Settings(url=self.web.root, access_key_id=KEY_ID, secret_access_key=SecretRef("env:SECRET"))
        self.secrets: Mapping[str, str] = {"env:SECRET": SECRET}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self
        self._ids = itertools.count(1)

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(
            value
            for record in self.records.values()
            if (record["name"], record["type"], record["line"]) == (f"{name}.", rdtype, "default_view")
            and record["status"] != "DISABLE"
            for value in record["records"]
        )

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        for number, record in list(self.records.items()):
            if (record["name"], record["type"]) == (f"{name}.", rdtype):
                del self.records[number]
        if values:
            self.add(name=f"{name}.", type=rdtype, records=list(values), ttl=ttl)

    def add(self, **fields: Any) -> dict[str, Any]:
        """Put a record set there as the API stores it."""
        usual = {"description": "", "ttl": 300, "status": "ACTIVE", "line": "default_view", "weight": None}
        more = {"zone_id": ZONE_ID, "zone_name": f"{ZONE}.", "default": False, "alias_target": None}
        record = {"id": f"2c9eb155587194ec01587224c9f9{next(self._ids):04}", **usual, **more, **fields}
        self.records[record["id"]] = record
        return record

    def limit(self) -> bool:
        self.web.limit(_gateway(429, "APIGW.0308", "The throttling threshold has been reached.").body)
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        refused = self._unsigned(request)
        if refused is not None:
            return refused
        path, _, text = request.target.partition("?")
        query, found = dict(urllib.parse.parse_qsl(text)), _PATH.fullmatch(path)
        if found is None:
            return _gateway(404, "APIGW.0101", "The API does not exist or has not been published.")
        version, zone, identifier = found.groups()
        if zone is None:
            return self._zones(query)
        if zone not in self.zones:
            return _error(404, "DNS.0302", "This zone does not exist.")
        body = json.loads(request.body) if request.body else {}
        if identifier is None:
            return self._create(body) if request.method == "POST" else self._list(version, query)
        record = self.records.get(identifier)
        if record is None:
            return _error(404, "DNS.0313", "This record set does not exist.")
        if request.method == "PUT":
            return self._store(body, record)
        if request.method == "DELETE":
            del self.records[identifier]
            return _json(202, {**record, "status": "PENDING_DELETE"})
        return _json(200, {**record, "status": self._status(record)})

    def _status(self, record: Mapping[str, Any]) -> str:
        self.busy -= 1
        return "PENDING_UPDATE" if self.busy >= 0 else str(record["status"])

    def _unsigned(self, request: Request) -> Reply | None:
        headers, start = request.headers, "Incorrect IAM authentication information: "
        if not {"host", "x-sdk-date"} <= set(judges.signed_headers(request)):
            return _gateway(401, "APIGW.0301", f"{start}x-auth-token not found")
        if f"Access={KEY_ID}," not in headers["authorization"]:
            return _gateway(401, "APIGW.0301", f"{start}Get secretKey failed")
        moment = calendar.timegm(time.strptime(headers["x-sdk-date"], "%Y%m%dT%H%M%SZ"))
        if abs(time.time() - moment) > WINDOW:
            server = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            said = f"signature expired, signature time:{headers['x-sdk-date']},server time:{server}"
            return _gateway(401, "APIGW.0301", start + said)
        if headers["authorization"] != judges.sdk(request, KEY_ID, SECRET):
            return _gateway(401, "APIGW.0301", f"{start}verify aksk signature fail")
        return None

    def _zones(self, query: Mapping[str, str]) -> Reply:
        wanted = [
            {"id": identifier, "name": name, "zone_type": kind, "status": "ACTIVE", "ttl": 300, "record_num": 2}
            for identifier, (name, kind) in self.zones.items()
            if kind == query.get("type", "public") and _matches(query, name)
        ]
        return self._page("zones", wanted, query)

    def _list(self, version: str, query: Mapping[str, str]) -> Reply:
        wanted = [
            record
            for record in self.records.values()
            if _matches(query, record["name"])
            and query.get("type") in (None, record["type"])
            and (version == "v2" or query.get("line_id") in (None, record["line"]))
        ]
        return self._page("recordsets", wanted, query)

    def _page(self, name: str, wanted: list[dict[str, Any]], query: Mapping[str, str]) -> Reply:
        limit, offset = int(query.get("limit", "500")), int(query.get("offset", "0"))
        if not 0 <= limit <= 500:
            return _error(400, "DNS.0006", "The limit parameter is invalid.")
        shown = wanted[offset : offset + min(limit, self.page_size)]
        return _json(200, {"links": {"self": ""}, name: shown, "metadata": {"total_count": len(wanted)}})

    def _create(self, given: Mapping[str, Any]) -> Reply:
        if not given.keys() >= {"name", "type", "records"}:
            return _error(400, "DNS.0002", "Invalid request.")
        for other in self.records.values():
            same = other["name"] == given["name"] and other["line"] == "default_view"
            if same and (other["type"] == given["type"] or "CNAME" in (other["type"], given["type"])):
                said = f"Record Set '{other['name']}' type '{other['type']}' in line 'default_view'."
                return _error(400, "DNS.0312", f"Attribute 'name' conflicts with {said}")
        return self._store(given, None)

    def _store(self, given: Mapping[str, Any], old: dict[str, Any] | None) -> Reply:
        new = {**(old or {"ttl": 300}), **given}
        if not given or not given.keys() <= _WRITABLE:
            return _error(400, "DNS.0043", "Input an unsupported parameter.")
        if not str(new["name"]).endswith(f".{ZONE}.") and new["name"] != f"{ZONE}.":
            return _error(400, "DNS.0304", "The name of the record set is invalid.")
        if not 1 <= new["ttl"] <= 2147483647:
            return _error(400, "DNS.0319", "The TTL of the record set is out of range.")
        if len(new.get("description", "")) > _LONGEST_DESCRIPTION:
            return _error(400, "DNS.0305", "The description is too long.")
        try:
            for value in new["records"]:
                RecordType(new["type"]).parse(value)
                if new["type"] == "TXT" and not (value.startswith('"') and value.endswith('"')):
                    raise ValueError(value)
        except ValueError:
            return _error(400, "DNS.0308", "The value of the record set is invalid.")
        record = old or self.add(**given)
        record.update(given)
        return _json(202, {**record, "status": "PENDING_UPDATE" if old else "PENDING_CREATE"})


def _matches(query: Mapping[str, str], name: str) -> bool:
    wanted = query.get("name", "")
    return wanted.rstrip(".") == name.rstrip(".") if query.get("search_mode") == "equal" else wanted in name


def _json(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def _error(status: int, code: str, message: str) -> Reply:
    return _json(status, {"code": code, "message": message})


def _gateway(status: int, code: str, message: str) -> Reply:
    return _json(status, {"error_code": code, "error_msg": message, "request_id": "fd6530a01c09807640189e65e837b8ad"})


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
