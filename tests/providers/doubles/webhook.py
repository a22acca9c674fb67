"""A service of somebody's own that a webhook writes to: POST, GET and DELETE of /records/NAME/TYPE with JSON bodies.

It takes what https://www.rfc-editor.org/rfc/rfc9110 and https://www.rfc-editor.org/rfc/rfc8259 say a request is, and
nothing beside the fields that it knows; names and types stand percent-encoded in the path.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ddns.net.client import Client
from ddns.ports import Net
from ddns.providers.webhook import Call, Read, Settings
from ddns.secret import SecretRef
from ground.http import Reply, Request
from providers.cast import ZONE, Fault
from providers.doubles.values import fits
from providers.doubles.web import Web

SECRET = 'canary "quoted" \\ secret'


class Api:
    """See `cast.Double`."""

    def __init__(self) -> None:
        self.web = Web(self._answer, lambda request: request.method != "GET")
        self.records: dict[tuple[str, str], list[str]] = {}
        where = f"{self.web.root}/records/{{name}}/{{type}}"
        key = {"X-Key": "{secret}"}
        self.settings = Settings(
            url=where,
            method="POST",
            headers=key,
            body='{"addresses": "{values}", "ttl": "{ttl}", "note": "for {name} by {type}"}',
            secret=SecretRef("env:SECRET"),
            read=Read(url=where, headers=key, json="/data/addresses"),
            remove=Call(url=where, method="DELETE", headers=key),
        )
        self.secrets: Mapping[str, str] = {"env:SECRET": SECRET}
        self.net: Net = Client()
        self.proof_servers: tuple[str, ...] = ()
        self.zone = self

    def get(self, name: str, rdtype: str) -> frozenset[str]:
        return frozenset(self.records.get((name, rdtype), ()))

    def put(self, name: str, rdtype: str, *values: str, ttl: int = 300) -> None:
        del ttl
        self.records[name, rdtype] = list(values)

    def limit(self) -> bool:
        self.web.limit(b"{}")
        return True

    def fail(self, fault: Fault | None) -> None:
        self.web.fail(fault)

    def _answer(self, request: Request) -> Reply:
        if request.headers.get("x-key") != SECRET:
            return _json(401, {"error": "who are you?"})
        parts = [urllib.parse.unquote(part, errors="strict") for part in request.target.split("/")]
        if len(parts) != 4 or parts[:2] != ["", "records"] or parts[3] not in ("A", "AAAA", "CNAME", "TXT"):
            return _json(400, {"error": "no such call"})
        name, rdtype = parts[2:]
        if name != ZONE and not name.endswith(f".{ZONE}"):
            return _json(404, {"error": f"no zone holds {name}"})
        if request.method == "POST":
            given = json.loads(request.body)
            if request.headers.get("content-type") != "application/json" or not _is_right(given, name, rdtype):
                return _json(422, {"error": "not a record", "given": given, "key": request.headers["x-key"]})
            if any(n == name and {"CNAME"} < {kind, rdtype} and held for (n, kind), held in self.records.items()):
                return _json(409, {"error": "an alias excludes others"})
            self.records[name, rdtype] = given["addresses"]
        elif request.method == "DELETE":
            if request.body:
                return _json(400, {"error": "a body"})
            self.records.pop((name, rdtype), None)
        elif request.method != "GET":
            return _json(405, {"error": "method"})
        return _json(200, {"data": {"addresses": self.records.get((name, rdtype), [])}})


def _is_right(given: dict[str, Any], name: str, rdtype: str) -> bool:
    texts = given.get("addresses")
    return (
        given.keys() == {"addresses", "ttl", "note"}
        and isinstance(texts, list)
        and bool(texts)
        and all(isinstance(text, str) and fits(rdtype, text) for text in texts)
        and type(given["ttl"]) is int
        and given["note"] == f"for {name} by {rdtype}"
    )


def _json(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})


@contextmanager
def serve() -> Iterator[Api]:
    """A double of this kind, running."""
    double = Api()
    with double.web:
        yield double
