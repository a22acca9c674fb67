"""deSEC's REST API as far as one domain's RRsets go: TTL and name limits, error bodies.

Written from https://desec.readthedocs.io/en/latest/dns/rrsets.html, its neighbour domains.html for ``owns_qname``, and
https://desec.readthedocs.io/en/latest/rate-limits.html.
"""

from __future__ import annotations

import ipaddress
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.desec import Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers.cast import ZONE, Fault
from providers.doubles.web import Web

TOKEN = "canary-i-T3b1h_OI-H9ab8tRS98stGtURe"
MIN_TTL = 900
_RRSET = re.compile(rf"/api/v1/domains/{re.escape(ZONE)}/rrsets/([^/]+)/([A-Z]+)/")
_SUBNAME = re.compile(r"([a-z0-9_*-]+(\.[a-z0-9_-]+)*)?")


class Api:
    """See `cast.Double`. Its RRsets are kept by subname ("" for the apex) and type."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: request.method != "GET")
        self.rrsets: dict[tuple[str, str], dict[str, Any]] = {}
        self.settings = Settings(url=f"{self.web.root}/api/v1", token=SecretRef("env:TOKEN"))
        self.secrets: Mapping[str, str] = {"env:TOKEN": TOKEN}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        found = self.rrsets.get((_subname(name), rdtype))
        return frozenset(found["records"] if found else ())

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 3600) -> None:
        self.rrsets.pop((_subname(name), rdtype), None)
        if values:
            self._store(_subname(name), rdtype, list(values), ttl)

    def limit(self) -> bool:
        self.web.limit(b'{"detail": "Request was throttled. Expected available in 7 seconds."}')
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Token {TOKEN}":
            return _json(401, {"detail": "Invalid token."})
        if request.body and request.headers.get("content-type") != "application/json":
            return _json(415, {"detail": "Unsupported media type in request."})
        url = urllib.parse.urlsplit(request.target)
        if (request.method, url.path) == ("GET", "/api/v1/domains/"):
            return self._owner(dict(urllib.parse.parse_qsl(url.query, strict_parsing=True)))
        if (request.method, url.path) == ("POST", f"/api/v1/domains/{ZONE}/rrsets/"):
            return self._create(json.loads(request.body))
        found = _RRSET.fullmatch(url.path)
        if found is None:
            return _json(404, {"detail": "Not found."})
        subname = urllib.parse.unquote(found[1])
        return self._one(request, "" if subname == "@" else subname, found[2])

    def _owner(self, query: Mapping[str, str]) -> Reply:
        """The domain that is responsible for the name, if it is in the account."""
        assert query.keys() == {"owns_qname"}
        name = query["owns_qname"]
        mine = name == ZONE or name.endswith(f".{ZONE}")
        domain = {"name": ZONE, "minimum_ttl": MIN_TTL, "created": "2026-01-01T00:00:00Z", "touched": None}
        return _json(200, [domain] if mine else [])

    def _create(self, given: dict[str, Any]) -> Reply:
        missing = {"subname", "type", "ttl", "records"} - given.keys()
        if missing:
            return _json(400, {name: ["This field is required."] for name in sorted(missing)})
        if (given["subname"], given["type"]) in self.rrsets:
            words = "Another RRset with the same subdomain and type exists for this domain."
            return _json(400, {"non_field_errors": [words]})
        problem = _problem(given["subname"], given["type"], given["records"], given["ttl"])
        if problem:
            return _json(400, problem)
        others = {rdtype for subname, rdtype in self.rrsets if subname == given["subname"]}
        if others and "CNAME" in {given["type"], *others}:
            words = f"RRset with conflicting type present: database ({', '.join(sorted(others))})."
            return _json(400, {"type": [f"{words} No other RRsets are allowed alongside CNAME."]})
        return _json(201, self._store(given["subname"], given["type"], given["records"], given["ttl"]))

    def _one(self, request: Request, subname: str, rdtype: str) -> Reply:
        if request.method == "DELETE":  # what is not there is removed, too
            self.rrsets.pop((subname, rdtype), None)
            return Reply(204)
        found = self.rrsets.get((subname, rdtype))
        if found is None:
            return _json(404, {"detail": "Not found."})
        if request.method == "GET":
            return _json(200, found)
        if request.method != "PATCH":
            return _json(405, {"detail": f'Method "{request.method}" not allowed.'})
        new = {**found, **json.loads(request.body)}
        problem = _problem(subname, rdtype, new["records"], new["ttl"])
        if problem:
            return _json(400, problem)
        return _json(200, self._store(subname, rdtype, new["records"], new["ttl"]))

    def _store(self, subname: str, rdtype: str, records: list[str], ttl: int) -> dict[str, Any]:
        name = f"{subname}.{ZONE}." if subname else f"{ZONE}."
        rrset = {"domain": ZONE, "subname": subname, "name": name, "type": rdtype, "records": records, "ttl": ttl}
        self.rrsets[subname, rdtype] = rrset
        return rrset


def _problem(subname: str, rdtype: str, records: list[str], ttl: int) -> dict[str, list[str]]:
    if not _SUBNAME.fullmatch(subname):
        return {"subname": ["Subname can only use (lowercase) a-z, 0-9, ., -, and _."]}
    if ttl < MIN_TTL:
        return {"ttl": [f"Ensure this value is greater than or equal to {MIN_TTL}."]}
    try:
        right = all(ipaddress.ip_address(text).version == {"A": 4, "AAAA": 6}[rdtype] for text in records)
    except (ValueError, KeyError):
        right = rdtype in ("TXT", "CNAME")
    return {} if right and records else {"records": ["Record content malformed."]}


def _subname(name: str) -> str:
    return "" if name == ZONE else name.removesuffix(f".{ZONE}")


def _json(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
