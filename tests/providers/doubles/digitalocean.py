"""DigitalOcean's API v2 as far as domains and their records go: paging, field limits, error bodies.

Written from https://docs.digitalocean.com/reference/api/reference/domain-records/ and the rate limits of
https://docs.digitalocean.com/reference/api/intro/#rate-limit.
"""

from __future__ import annotations

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
from ddns.providers.digitalocean import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers.cast import ZONE, Fault
from providers.doubles.web import Web

TOKEN = "dop_v1_canary0123456789abcdef"
_WRITABLE = frozenset({"type", "name", "data", "priority", "port", "ttl", "weight", "flags", "tag"})
_RECORD = re.compile(rf"/v2/domains/{ZONE}/records/(\d+)")


class Api:
    """See `cast.Double`. `page_size`: no page is longer than this."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: request.method != "GET")
        self.records: dict[int, dict[str, Any]] = {}
        self.page_size = 200
        self.settings = Settings(url=f"{self.web.root}/v2", token=SecretRef("env:TOKEN"))
        self.secrets: Mapping[str, str] = {"env:TOKEN": TOKEN}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self
        self._ids = itertools.count(28448429)

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(r["data"] for r in self.records.values() if (r["name"], r["type"]) == (_left(name), rdtype))

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        for number, record in list(self.records.items()):
            if (record["name"], record["type"]) == (_left(name), rdtype):
                del self.records[number]
        for value in values:
            self.add(type=rdtype, name=_left(name), data=value, ttl=ttl)

    def add(self, **fields: Any) -> dict[str, Any]:
        """Put a record there as the API stores it."""
        empty = dict.fromkeys(("priority", "port", "weight", "flags", "tag"))
        record = {"id": next(self._ids), **empty, "ttl": 1800, **fields}
        self.records[record["id"]] = record
        return record

    def limit(self) -> bool:
        self.web.limit(json.dumps({"id": "too_many_requests", "message": "API Rate limit exceeded."}).encode())
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "unauthorized", "Unable to authenticate you")
        if request.body and request.headers.get("content-type") != "application/json":
            return _error(415, "unsupported_media_type", "The content type is not supported.")
        url = urllib.parse.urlsplit(request.target)
        if url.path == f"/v2/domains/{ZONE}" and request.method == "GET":
            return _json(200, {"domain": {"name": ZONE, "ttl": 1800, "zone_file": ""}})
        if url.path == f"/v2/domains/{ZONE}/records":
            if request.method == "GET":
                return self._list(dict(urllib.parse.parse_qsl(url.query)))
            if request.method == "POST":
                return self._store(None, json.loads(request.body))
        found = _RECORD.fullmatch(url.path)
        record = self.records.get(int(found[1])) if found else None
        if record is None:
            return _error(404, "not_found", "The resource you were accessing could not be found.")
        if request.method == "DELETE":
            del self.records[record["id"]]
            return Reply(204)
        if request.method == "PATCH":
            return self._store(record, json.loads(request.body))
        return _error(405, "method_not_allowed", "Method not allowed")

    def _list(self, query: Mapping[str, str]) -> Reply:
        # The documents: "name" is a fully qualified record name.
        wanted = [
            r
            for r in self.records.values()
            if query.get("type") in (None, r["type"])
            and query.get("name") in (None, ZONE if r["name"] == "@" else f"{r['name']}.{ZONE}")
        ]
        page, size = int(query.get("page", "1")), min(self.page_size, int(query.get("per_page", "20")))
        links: dict[str, Any] = {}
        if page * size < len(wanted):
            links["pages"] = {"next": f"https://api.digitalocean.com/v2/domains/{ZONE}/records?page={page + 1}"}
        shown = wanted[(page - 1) * size : page * size]
        return _json(200, {"domain_records": shown, "links": links, "meta": {"total": len(wanted)}})

    def _store(self, old: dict[str, Any] | None, given: dict[str, Any]) -> Reply:
        if not given.keys() <= _WRITABLE or "type" not in given:
            return _error(422, "unprocessable_entity", "Record type is not included in the list")
        new = {"ttl": 1800, **(old or {}), **given}
        if not _fits(new["type"], new["data"]):
            return _error(422, "unprocessable_entity", f"Data is not valid for {new['type']}.")
        others = [r for r in self.records.values() if r["name"] == new.get("name") and r is not old]
        if any("CNAME" in (r["type"], new["type"]) for r in others):
            return _error(422, "unprocessable_entity", "CNAME records cannot share a name with other records")
        if new["ttl"] < 30:
            return _error(422, "unprocessable_entity", "TTL must be greater than or equal to 30")
        if old is not None:
            old.update(given)
        return _json(200 if old else 201, {"domain_record": old or self.add(**new)})


def _fits(rdtype: str, data: str) -> bool:
    """A host name must end with a dot; a text is free."""
    if rdtype in ("TXT", "CNAME"):
        return rdtype == "TXT" or data.endswith(".")
    try:
        return ipaddress.ip_address(data).version == {"A": 4, "AAAA": 6}[rdtype]
    except (ValueError, KeyError):
        return False


def _left(name: str) -> str:
    return "@" if name == ZONE else name.removesuffix(f".{ZONE}")


def _json(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json; charset=utf-8"})


def _error(status: int, word: str, message: str) -> Reply:
    return _json(status, {"id": word, "message": message, "request_id": "4d9d8375-3c56-4925-a3e7-eb137fed17e9"})


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
