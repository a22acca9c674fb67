"""Cloudflare's API v4 as far as zones and DNS records go: envelope, paging, field limits, error codes."""

from __future__ import annotations

import copy
import ipaddress
import itertools
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.cloudflare import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers.cast import ZONE, Fault
from providers.doubles.web import Web

TOKEN = "canary-token-0123456789abcdefghijklmnopq"
ZONE_ID = "023e105f4ecef8ad9ca31a8372d0c353"
BASE = "/client/v4"
_WRITABLE = frozenset({"type", "name", "content", "ttl", "proxied", "comment", "tags"})
#: Text content must be of quoted strings of at most 255 bytes; a name has no final dot as it is listed.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.){0,255}"( "(?:[^"\\]|\\.){0,255}")*')
_RECORD = re.compile(rf"{BASE}/zones/{ZONE_ID}/dns_records/([0-9a-f]{{32}})")


class Api:
    """See `cast.Double`. `can_edit`: the token has Zone.DNS edit. `page_size`: no page is longer than this."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: request.method != "GET")
        self.records: dict[str, dict[str, Any]] = {}
        self.can_edit = True
        self.page_size = 100
        self.settings = Settings(url=self.web.root + BASE, token=SecretRef("env:TOKEN"))
        self.secrets: Mapping[str, str] = {"env:TOKEN": TOKEN}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self
        self.batches = 0
        self._ids = (f"{number:032x}" for number in itertools.count(0x372E6795))

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(r["content"] for r in self.records.values() if (r["name"], r["type"]) == (name, rdtype))

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        for record in [r for r in self.records.values() if (r["name"], r["type"]) == (name, rdtype)]:
            del self.records[record["id"]]
        for value in values:
            self.add(type=rdtype, name=name, content=value, ttl=ttl)

    def add(self, **fields: Any) -> dict[str, Any]:
        """Put a record there as the API stores it."""
        record = {"id": next(self._ids), "proxied": False, "comment": None, "tags": [], "ttl": 1, **fields}
        if record["proxied"]:
            record["ttl"] = 1
        self.records[record["id"]] = record
        return record

    def limit(self) -> bool:
        self.web.limit(_error(429, 10013, "More than 1200 requests per 300 seconds reached").body)
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        authorization = request.headers.get("authorization", "")
        if not authorization.startswith("Bearer "):
            return _error(400, 6003, "Invalid request headers", chain=(6111, "Invalid format for Authorization header"))
        if authorization != f"Bearer {TOKEN}":
            return _error(403, 9109, "Invalid access token")
        url = urllib.parse.urlsplit(request.target)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        if (request.method, url.path) == ("GET", f"{BASE}/zones"):
            zones = [{"id": ZONE_ID, "name": ZONE, "status": "active"}] if query.get("name") == ZONE else []
            return self._page(zones, query)
        if not url.path.startswith(f"{BASE}/zones/{ZONE_ID}/"):
            return _error(404, 7003, f"Could not route to {url.path}, perhaps your object identifier is invalid?")
        if request.method != "GET" and not self.can_edit:
            return _error(403, 10000, "Authentication error")
        return self._record_call(request, url.path, query)

    def _record_call(self, request: Request, path: str, query: Mapping[str, str]) -> Reply:
        if (request.method, path) == ("POST", f"{BASE}/zones/{ZONE_ID}/dns_records/batch"):
            return self._batch(json.loads(request.body))
        if path.endswith("/dns_records"):
            if request.method == "GET":
                wanted = (query.get("name"), query.get("type"))
                return self._page([r for r in self.records.values() if (r["name"], r["type"]) == wanted], query)
            if request.method == "POST":
                return self._store({}, json.loads(request.body))
        found = _RECORD.fullmatch(path)
        if found is None:
            return _error(405, 10405, "Method not allowed")
        record = self.records.get(found[1])
        if record is None:
            return _error(404, 81044, "Record does not exist.")
        if request.method == "DELETE":
            del self.records[record["id"]]
            return _success({"id": record["id"]})
        if request.method == "PATCH":
            return self._store(record, json.loads(request.body))
        return _error(405, 10405, "Method not allowed")

    def _batch(self, given: dict[str, list[dict[str, Any]]]) -> Reply:
        """Deletes, patches, posts, in this order and in one transaction; at most 200 in the free plan."""
        self.batches += 1
        if not given.keys() <= {"deletes", "patches", "puts", "posts"} or sum(map(len, given.values())) > 200:
            return _error(400, 9207, "Request body is invalid.")
        before = copy.deepcopy(self.records)
        for item in given.get("deletes", ()):
            if self.records.pop(item["id"], None) is None:
                self.records = before
                return _error(404, 81044, "Record does not exist.")
        whole = [(self.records.get(item.pop("id")), item) for item in given.get("patches", ())]
        for old, new in [*whole, *(({}, item) for item in given.get("posts", ()))]:
            answer = _error(404, 81044, "Record does not exist.") if old is None else self._store(old, new)
            if answer.status != 200:
                self.records = before
                return answer
        return _success({"deletes": [], "patches": [], "puts": [], "posts": []})

    def _page(self, items: list[dict[str, Any]], query: Mapping[str, str]) -> Reply:
        page, size = int(query.get("page", "1")), min(self.page_size, int(query.get("per_page", "20")))
        shown = items[(page - 1) * size : page * size]
        info = {"page": page, "per_page": size, "count": len(shown), "total_count": len(items)}
        return _success(shown, {**info, "total_pages": -(-len(items) // size)})

    def _store(self, old: dict[str, Any], given: dict[str, Any]) -> Reply:
        if not given.keys() <= _WRITABLE:
            return _error(400, 9000, "DNS Validation Error: unknown field")
        new = {"proxied": False, "ttl": 1, **old, **given}
        refused = self._refuse(old, new)
        if refused is not None:
            return refused
        if not old:
            return _success(self.add(**new))
        old.update(given)
        if old["proxied"]:
            old["ttl"] = 1
        return _success(old)

    def _refuse(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> Reply | None:
        if not _fits(new["type"], new["content"]):
            return _error(400, 9005, f"Content for {new['type']} record is invalid.")
        if new["ttl"] != 1 and not 60 <= new["ttl"] <= 86400:
            return _error(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
        others = [r for r in self.records.values() if r["name"] == new["name"] and r["id"] != old.get("id")]
        if any("CNAME" in (r["type"], new["type"]) for r in others):
            return _error(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
        if any((r["type"], r["content"]) == (new["type"], new["content"]) for r in others):
            return _error(400, 81058, "An identical record already exists.")
        return None


def _fits(rdtype: str, content: str) -> bool:
    if rdtype in ("TXT", "CNAME"):
        return bool(_QUOTED.fullmatch(content)) if rdtype == "TXT" else not content.endswith(".")
    try:
        return ipaddress.ip_address(content).version == {"A": 4, "AAAA": 6}[rdtype]
    except (ValueError, KeyError):
        return False


def _success(result: object, info: Mapping[str, int] | None = None) -> Reply:
    body = {"result": result, "success": True, "errors": [], "messages": []}
    return Reply(200, json.dumps({**body, "result_info": info} if info else body).encode(), _JSON)


def _error(status: int, code: int, message: str, chain: tuple[int, str] | None = None) -> Reply:
    error: dict[str, Any] = {"code": code, "message": message}
    if chain:
        error["error_chain"] = [{"code": chain[0], "message": chain[1]}]
    body = {"result": None, "success": False, "errors": [error], "messages": []}
    return Reply(status, json.dumps(body).encode(), _JSON)


_JSON = {"Content-Type": "application/json"}


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
