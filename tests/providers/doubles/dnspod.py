"""DNSPod's token API as far as records go: the rules for clients, forms, lines, status codes, paging.

Written from https://docs.dnspod.cn/api/api-development-specification/ (User-Agent, POST, abuse, thirty wrong logins),
https://support.dnspod.cn/api-wen-dang-api-shuo-ming/ (common fields and codes), and of the calls
https://docs.dnspod.com/api-legacy/records.html, https://docs.dnspod.com/api/get-record-list/.
"""

from __future__ import annotations

import itertools
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.dnspod import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers.cast import ZONE, Fault
from providers.doubles.values import fits
from providers.doubles.web import Web

TOKEN = "13490,canary6b5976c68aba5b14a0558b77c17c3932"
_AGENT = re.compile(r"[A-Za-z][\w. -]*/[\w.]+ ?\([^@\s()]+@[^@\s()]+\)")
_COMMON = {"login_token", "format", "lang", "error_on_empty"}
_RECORD = {"domain_id", "sub_domain", "record_type", "record_line", "value", "ttl", "mx", "weight", "status"}
_TAKES = {
    "Domain.Info": {"domain", "domain_id"},
    "Record.List": {"domain", "domain_id", "offset", "length", "sub_domain", "record_type", "record_line", "keyword"},
    "Record.Create": _RECORD,
    "Record.Modify": {*_RECORD, "record_id"},
    "Record.Remove": {"domain_id", "record_id"},
}
DOMAIN_ID = "2317346"


class Api:
    """See `cast.Double`. `idle`: writes that changed nothing; the real service counts them as abuse."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: not re.search("Info|List", request.target))
        self.records: dict[str, dict[str, Any]] = {}
        self.idle = 0
        self.wrong_logins = 0
        self.settings = Settings(url=self.web.root, token=SecretRef("env:TOKEN"), contact="dns@example.com")
        self.secrets: Mapping[str, str] = {"env:TOKEN": TOKEN}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self
        self._ids = itertools.count(16894439)

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(
            record["value"]
            for record in self.records.values()
            if (record["name"], record["type"], record["enabled"]) == (_left(name), rdtype, "1")
        )

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 600) -> None:
        for number, record in list(self.records.items()):
            if (record["name"], record["type"]) == (_left(name), rdtype):
                del self.records[number]
        for value in values:
            self.add(name=_left(name), type=rdtype, value=value, ttl=str(ttl))

    def add(self, **fields: Any) -> str:
        """Put a record there as the API stores it: every field is a text."""
        number = str(next(self._ids))
        usual = {"line": "默认", "line_id": "0", "enabled": "1", "status": "enable", "mx": "0", "remark": ""}
        self.records[number] = {"id": number, "ttl": "600", "weight": None, **usual, **fields}
        return number

    def limit(self) -> bool:
        self.web.limit(b"<html>Too Many Requests</html>")
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        if request.method != "POST":
            return _status(2, "Only POST method allowed")
        if not _AGENT.fullmatch(request.headers.get("user-agent", "")):
            return _status(-2, "API usage is limited")
        if request.headers.get("content-type") != "application/x-www-form-urlencoded":
            return _status(-1, "Login fail, please check login info")
        given = dict(urllib.parse.parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
        if given.get("login_token") != TOKEN:
            self.wrong_logins += 1
            return _status(-1, "Login fail, please check login info")
        return self._carry_out(request.target.removeprefix("/"), given)

    def _carry_out(self, action: str, given: Mapping[str, str]) -> Reply:
        if action not in _TAKES or given.get("format") != "json":
            return Reply(404, b"<html>Not Found</html>")
        fields = {name: value for name, value in given.items() if name not in _COMMON}
        if not fields.keys() <= _TAKES[action]:
            return _status(6, f"Unknown parameters {sorted(fields.keys() - _TAKES[action])}")
        if action == "Domain.Info":
            if fields.get("domain") != ZONE:
                return _status(6, "Domain id invalid")
            domain = {"id": DOMAIN_ID, "name": ZONE, "punycode": ZONE, "grade": "D_Free", "status": "enable"}
            return _status(1, "Action completed successful", domain=domain)
        if fields.get("domain_id") != DOMAIN_ID:
            return _status(6, "Domain id invalid")
        if action == "Record.List":
            return self._list(fields, given.get("error_on_empty", "yes"))
        if action == "Record.Create":
            return self._store(None, fields)
        if fields.get("record_id") not in self.records:
            return _status(8, "Record id invalid")
        if action == "Record.Modify":
            return self._store(fields["record_id"], fields)
        del self.records[fields["record_id"]]
        return _status(1, "Action completed successful")

    def _list(self, query: Mapping[str, str], error_on_empty: str) -> Reply:
        wanted = [
            r
            for r in self.records.values()
            if query.get("sub_domain") in (None, r["name"]) and query.get("record_type") in (None, r["type"])
        ]
        offset, length = int(query.get("offset", "0")), int(query.get("length", "3000"))
        shown = wanted[offset : offset + length]
        if not shown and error_on_empty == "yes":
            return _status(10, "No records on the list")
        info = {"record_total": str(len(wanted)), "records_num": str(len(shown))}
        return _status(1, "Action completed successful", info=info, records=shown)

    def _store(self, number: str | None, given: Mapping[str, str]) -> Reply:
        dotted = given["value"].endswith(".") or given["record_type"] != "CNAME"
        if not dotted or not fits(given["record_type"], given["value"]):
            return _status(34, "Record value invalid")
        if given.get("record_line") != "默认":
            return _status(26, "Record line invalid")
        if int(given.get("ttl", "600")) < 600:
            return _status(32, "Record's TTL is beyond the limit")
        fields = {
            "name": given.get("sub_domain", "@"), "type": given["record_type"], "value": given["value"],
            "line": given["record_line"], "ttl": given.get("ttl", "600"), "weight": given.get("weight"),
        }  # fmt: skip
        same = {name: fields[name] for name in ("name", "type", "value", "line")}
        for record in self.records.values():
            if record["name"] == fields["name"] and {"CNAME"} < {record["type"], fields["type"]}:
                return _status(31, "Record impacted")
            if same.items() <= record.items() and record["id"] != number:
                return _status(104, "Record impacted, same record exists or CNAME/URL impacted")
        if number is None:
            number = self.add(**fields)
        else:
            self.idle += fields.items() <= self.records[number].items()
            self.records[number].update(fields)
        record = {"id": number, "name": fields["name"], "value": fields["value"], "status": "enable"}
        return _status(1, "Action completed successful", record=record)


def _left(name: str) -> str:
    return "@" if name == ZONE else name.removesuffix(f".{ZONE}")


def _status(code: int, message: str, **more: object) -> Reply:
    status = {"code": str(code), "message": message, "created_at": "2026-11-22 22:17:47"}
    return Reply(200, json.dumps({"status": status, **more}).encode(), {"Content-Type": "text/html; charset=UTF-8"})


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
