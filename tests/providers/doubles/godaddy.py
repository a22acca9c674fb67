"""GoDaddy's Domains API v1 as far as DNS records go: sso-key, RRsets by type and name, field limits, error bodies.

Written from https://developer.godaddy.com/doc/endpoint/domains (schemas DNSRecordCreateTypeName, Error, ErrorLimit) and
https://developer.godaddy.com/getstarted (keys and limits).
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.godaddy import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers.cast import WAIT, ZONE, Fault
from providers.doubles.values import fits
from providers.doubles.web import Web

KEY, SECRET = "3mM44UdBKEYcanary", "canary5tWJSecret"
_PATH = re.compile(r"/v1/domains/([^/]+)/records/([A-Z]+)/([^/]+)")
_FIELDS = frozenset({"data", "ttl", "port", "priority", "protocol", "service", "weight"})


class Api:
    """See `cast.Double`. `small`: the account has too few domains for the calls about domains."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: request.method != "GET")
        self.sets: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.small = True
        self.settings = Settings(url=f"{self.web.root}/v1", key=KEY, secret=SecretRef("env:SECRET"))
        self.secrets: Mapping[str, str] = {"env:SECRET": SECRET}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self
        self.sets["@", "NS"] = [
            {"data": "ns01.domaincontrol.com", "name": "@", "ttl": 3600, "type": "NS"},
        ]

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(item["data"] for item in self.sets.get((_left(name), rdtype), ()))

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 3600) -> None:
        left = _left(name)
        self.sets[left, rdtype] = [{"data": value, "name": left, "ttl": ttl, "type": rdtype} for value in values]

    def limit(self) -> bool:
        body = {"code": "TOO_MANY_REQUESTS", "message": "Too many requests received within interval"}
        self.web.limited = Reply(429, json.dumps({**body, "retryAfterSec": WAIT}).encode())
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"sso-key {KEY}:{SECRET}":
            return _error(401, "UNABLE_TO_AUTHENTICATE", "Unauthorized : Could not authenticate API key/secret")
        url = urllib.parse.urlsplit(request.target)
        if self.small and re.fullmatch(r"/v1/domains(/[^/]+)?", url.path):
            return _error(403, "ACCESS_DENIED", "Authenticated user is not allowed access")
        found = _PATH.fullmatch(url.path)
        if found is None:
            return _error(404, "NOT_FOUND", "Resource not found")
        domain, rdtype, left = (urllib.parse.unquote(part) for part in found.groups())
        if domain != ZONE:
            return _error(404, "UNKNOWN_DOMAIN", "The given domain is not registered, or does not have a zone file")
        if request.method == "GET":
            limit = int(dict(urllib.parse.parse_qsl(url.query)).get("limit", "100"))
            return _json(200, self.sets.get((left, rdtype), [])[:limit])
        if request.method == "DELETE":
            if not self.sets.pop((left, rdtype), None):
                return _error(404, "UNKNOWN_RECORD", "Record not found")
            return Reply(204)
        if request.method == "PUT":
            return self._replace(left, rdtype, request)
        return _error(405, "METHOD_NOT_ALLOWED", "Method not allowed")

    def _replace(self, left: str, rdtype: str, request: Request) -> Reply:
        if request.headers.get("content-type") != "application/json":
            return _error(415, "UNSUPPORTED_MEDIA_TYPE", "Content type is not supported")
        given = json.loads(request.body)
        if not isinstance(given, list) or not given:
            return _invalid("records", "is not a array")
        for number, item in enumerate(given):
            if not item.keys() <= _FIELDS:
                return _invalid(f"records[{number}]", "has fields that are not of the schema")
            if not isinstance(item.get("ttl", 3600), int) or item.get("ttl", 3600) < 600:
                return _invalid(f"records[{number}].ttl", "must be greater than or equal to 600")
            if not fits(rdtype, item["data"]):
                return _invalid(f"records[{number}].data", f"is not of type {rdtype}")
        if any(name == left and {"CNAME"} < {kind, rdtype} and sets for (name, kind), sets in self.sets.items()):
            return _invalid("records[0]", "conflicts with another record of the name")
        self.put(left, rdtype)
        self.sets[left, rdtype] = [{"name": left, "type": rdtype, "ttl": 3600, **item} for item in given]
        return Reply(200)


def _left(name: str) -> str:
    return "@" if name == ZONE else name.removesuffix(f".{ZONE}")


def _json(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


def _error(status: int, code: str, message: str) -> Reply:
    return _json(status, {"code": code, "message": message})


def _invalid(path: str, message: str) -> Reply:
    field = {"code": "UNEXPECTED_VALUE", "path": path, "message": message}
    words = "Request body doesn't fulfill schema, see details in `fields`"
    return _json(422, {"code": "INVALID_BODY", "message": words, "fields": [field]})


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
