"""Porkbun's API v3 as far as DNS records go: keys in the body, status in the body, ids, notes, the floor of the TTL.

Written from https://porkbun.com/api/json/v3/documentation and https://porkbun.com/api/json/v3/spec (error codes).
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
from ddns.providers.porkbun import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers.cast import ZONE, Fault
from providers.doubles.values import fits
from providers.doubles.web import Web

KEY, SECRET = "pk1_0123456789abcdef", "sk1_canary0123456789abcdef"
_CALL = re.compile(r"/api/json/v3/dns/(retrieveByNameType|create|edit|delete)/([^/]+)(?:/([^/]+))?(?:/([^/]+))?")
_FIELDS = frozenset({"name", "type", "content", "ttl", "prio", "notes"})


class Api:
    """See `cast.Double`. `coded`: errors have a code beside the message, as since 2026."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: "/retrieve" not in request.target)
        self.records: dict[str, dict[str, Any]] = {}
        self.coded = True
        self.opted_in = True
        url = f"{self.web.root}/api/json/v3"
        self.settings = Settings(url=url, api_key=KEY, secret_api_key=SecretRef("env:SECRET"))
        self.secrets: Mapping[str, str] = {"env:SECRET": SECRET}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self
        self._ids = itertools.count(106926652)

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(r["content"] for r in self.records.values() if (r["name"], r["type"]) == (name, rdtype))

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 600) -> None:
        for number, record in list(self.records.items()):
            if (record["name"], record["type"]) == (name, rdtype):
                del self.records[number]
        for value in values:
            self.add(name=name, type=rdtype, content=value, ttl=str(ttl))

    def add(self, **fields: Any) -> str:
        """Put a record there as the API stores it: ids and TTLs are texts."""
        number = str(next(self._ids))
        self.records[number] = {"id": number, "ttl": "600", "prio": "0", "notes": "", **fields}
        return number

    def limit(self) -> bool:
        self.web.limit(json.dumps(_body("Rate limit exceeded.", "RATE_LIMIT_EXCEEDED")).encode())
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        found = _CALL.fullmatch(urllib.parse.urlsplit(request.target).path)
        if found is None or request.method != "POST":
            return Reply(404, b"<html>404 Not Found</html>", {"Content-Type": "text/html"})
        given = json.loads(request.body)
        if given.pop("apikey", None) != KEY:
            return self._error("Invalid API key. (001)", "INVALID_API_KEYS_001")
        if given.pop("secretapikey", None) != SECRET:
            return self._error("Invalid API key. (002)", "INVALID_API_KEYS_002")
        what, domain, third, fourth = (urllib.parse.unquote(part or "") for part in found.groups())
        if domain != ZONE:
            return self._error("Invalid domain.", "INVALID_DOMAIN")
        if not self.opted_in:
            return self._error("Domain is not opted in to API access.", "API_ACCESS_DISABLED")
        if what == "retrieveByNameType":
            name = f"{fourth}.{ZONE}" if fourth else ZONE
            listed = [r for r in self.records.values() if (r["name"], r["type"]) == (name, third)]
            return _json(200, {"status": "SUCCESS", "cloudflare": "enabled", "records": listed})
        if what == "create":
            return self._store(None, given)
        if third not in self.records:
            return self._error("Invalid record ID.", "INVALID_RECORD_ID")
        if what == "edit":
            return self._store(third, given)
        del self.records[third]
        return _json(200, {"status": "SUCCESS"})

    def _store(self, number: str | None, given: dict[str, Any]) -> Reply:
        verb = "Edit" if number else "Create"
        failed = f"{verb} error: We were unable to {verb.lower()} the DNS record."
        if not given.keys() <= _FIELDS or not {"type", "content"} <= given.keys():
            return self._error(failed, "INVALID_REQUEST")
        if not fits(given["type"], given["content"]) or int(given.get("ttl", "600")) < 600:
            return self._error(failed, "INVALID_RECORD")
        name = f"{given['name']}.{ZONE}" if given.get("name") else ZONE
        kept = {"name": name, "type": given["type"], "content": given["content"], "ttl": str(given.get("ttl", "600"))}
        others = [record for record in self.records.values() if record["name"] == name and record["id"] != number]
        if any({"CNAME"} < {record["type"], given["type"]} for record in others):
            return self._error(failed, "INVALID_RECORD")
        if any(kept.items() <= record.items() for record in self.records.values()):
            return self._error("A record with this name, type and content already exists.", "DUPLICATE_RECORD")
        if number is None:
            return _json(200, {"status": "SUCCESS", "id": int(self.add(**kept, notes=given.get("notes") or ""))})
        if given.get("notes") is not None:
            kept["notes"] = given["notes"]
        self.records[number].update(kept)
        return _json(200, {"status": "SUCCESS"})

    def _error(self, message: str, code: str) -> Reply:
        body = _body(message, code)
        if not self.coded:
            del body["code"]
        return _json(400, body)


def _body(message: str, code: str) -> dict[str, str]:
    return {"status": "ERROR", "message": message, "code": code}


def _json(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
