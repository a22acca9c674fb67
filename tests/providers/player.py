"""Plays a recorded dialogue: exactly these requests, in this order, get these answers; any other fails the test.

A dialogue is `dialogues/<kind>.json`: ``settings`` (``{dns}`` stands for the scripted DNS server's address),
``secrets``, ``headers`` of every HTTP request, ``tsig`` keys, named ``exchanges``, and ``scenes``: acts, each a list
of exchanges or their names. An exchange marked ``write`` changes something. ``lacks`` says which scenes the protocol
has no words for, and why. ``gateway_url`` is for the kind that talks to the fleet's gateway; its signatures are
checked, and stand in a dialogue without what differs each time: ``DDNS1 host=…,seq=…,idem=…``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import dns.update

import ddns
from ddns import protocol
from ddns.address import Family
from ddns.errors import Transport
from ddns.ports import Deadline, HttpRequest, HttpResponse
from ddns.protocol import Identity
from providers.cast import Fault
from providers.doubles.dns import DnsServer, unsigned
from providers.doubles.web import PORTAL

FOLDER = Path(__file__).parent / "dialogues"
Exchange = Mapping[str, Any]


class Dialogue:
    """One kind's dialogue, read from its file."""

    def __init__(self, kind: str) -> None:
        text = (FOLDER / f"{kind}.json").read_text("utf-8").replace("{version}", ddns.__version__)
        self._whole: dict[str, Any] = json.loads(text)
        self.settings: dict[str, Any] = self._whole["settings"]
        self.secrets: dict[str, str] = self._whole["secrets"]
        self.headers: dict[str, str] = self._whole.get("headers", {})
        self.gateway_url: str = self._whole.get("gateway_url", "")
        self.lacks: dict[str, str] = self._whole.get("lacks", {})
        self.tsig: dict[str, tuple[str, str]] = {
            name: (algorithm, self.secrets[ref]) for name, (algorithm, ref) in self._whole.get("tsig", {}).items()
        }

    def acts(self, scene: str) -> dict[str, list[Exchange]]:
        """The acts of a scene, names of exchanges looked up."""
        named = self._whole["exchanges"]
        return {
            act: [named[item] if isinstance(item, str) else item for item in items]
            for act, items in self._whole["scenes"][scene].items()
        }


class Player:
    """One scene being played: it is the `Net` of the provider, and the script of `dns`, the scripted server."""

    def __init__(self, dialogue: Dialogue, scene: str) -> None:
        self._dialogue = dialogue
        self._acts = dialogue.acts(scene)
        self._left: list[Exchange] = []
        self._complaints: list[str] = []
        self._nonces: set[str] = set()
        self.fault: Fault | None = None
        self.dns = DnsServer(self._answer_dns, dialogue.tsig)
        self.dns.silence = lambda message: message.opcode() == dns.opcode.UPDATE

    def act(self, name: str) -> None:
        """Begin an act; the one before must have been played to its end."""
        self.end()
        self._left = list(self._acts[name])

    def end(self) -> None:
        """Check that everything of this act was asked for, and nothing else."""
        assert not self._complaints, self._complaints
        assert self.fault is not None or not self._left, f"never asked for: {self._left}"

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        """See `ports.Net`."""
        assert deadline.left() > 0
        assert self._left, f"one request too many: {request.method} {request.url}"
        exchange = self._left.pop(0)
        assert self._seen(request) == self._expected(exchange)
        answer = exchange["answer"]
        body = json.dumps(answer["json"]).encode() if "json" in answer else answer.get("text", "").encode()
        headers = {name.lower(): value for name, value in answer.get("headers", {}).items()}
        if self.fault is Fault.REFUSED:
            raise Transport("connection refused")
        if self.fault is Fault.SILENT and exchange.get("write"):
            raise Transport("no answer within the time limit", ambiguous=True)
        if self.fault is Fault.SERVER_ERROR:
            return HttpResponse(503, {"content-type": "text/plain"}, b"upstream connect error")
        if self.fault is Fault.GARBAGE:
            return HttpResponse(200, {"content-type": "text/html"}, PORTAL)
        if self.fault is Fault.HALF_A_BODY:
            body = body[: len(body) // 2]
        return HttpResponse(answer["status"], headers, body)

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        """Nothing of a provider goes this way."""
        raise AssertionError((data, to, deadline))

    def _seen(self, request: HttpRequest) -> dict[str, object]:
        return {
            "method": request.method,
            "url": request.url,
            "headers": {name.lower(): self._unsigned(value, request) for name, value in request.headers.items()},
            "body": json.loads(request.content) if request.content else None,
        }

    def _unsigned(self, value: str, request: HttpRequest) -> str:
        """A header's value; of a gateway's signature, once it is found right, only what can be foretold."""
        if not value.startswith(protocol.SCHEME):
            return value
        (text,) = self._dialogue.secrets.values()
        identity = Identity.parse(text)
        signed, sig = protocol.parse(value)
        target = request.url.removeprefix(self._dialogue.gateway_url)
        body = request.content or b""
        key = protocol.bound_key(identity.key, "")
        assert protocol.verify(signed, sig, key, identity.gateway, request.method, target, body)
        assert signed.nonce not in self._nonces, "a nonce was used twice"
        self._nonces.add(signed.nonce)
        return f"{protocol.SCHEME} host={signed.host},seq={signed.seq},idem={signed.idem}"

    def _expected(self, exchange: Exchange) -> dict[str, object]:
        request = exchange["request"]
        headers = {**self._dialogue.headers, **request.get("headers", {})}
        return {
            "method": request["method"],
            "url": request["url"],
            "headers": {name.lower(): value for name, value in headers.items()},
            "body": request.get("json"),
        }

    def _answer_dns(self, message: dns.message.Message) -> dns.message.Message:
        reply = dns.message.make_response(_bare(message))
        reply.set_rcode(dns.rcode.FORMERR)
        if not self._left:
            self._complaints.append(f"one message too many: {message}")
            return reply
        exchange = self._left.pop(0)
        expected = {"tsig": None, **exchange["request"]}
        if _described(message) != expected:
            self._complaints.append(f"expected {expected}, came {_described(message)}")
            return reply
        answer = exchange["answer"]
        if "tsig_error" in answer:
            return unsigned(message, dns.rcode.from_text(answer["tsig_error"]))
        reply.set_rcode(dns.rcode.from_text(answer["rcode"]))
        reply.flags |= dns.flags.from_text(answer.get("flags", ""))
        for section, target in (("answer", reply.answer), ("authority", reply.authority)):
            for line in answer.get(section, ()):
                name, ttl, rest = line.split(" ", 2)
                rdclass, rdtype, data = rest.split(" ", 2)
                target.append(dns.rrset.from_text(name, int(ttl), rdclass, rdtype, data))
        return reply


def _bare(message: dns.message.Message) -> dns.message.Message:
    bare = dns.message.from_wire(message.to_wire(), keyring=False)
    bare.tsig = None
    return bare


def _described(message: dns.message.Message) -> dict[str, object]:
    """A message as a dialogue words it."""
    key = message.keyname.to_text() if message.keyname is not None else None
    if isinstance(message, dns.update.UpdateMessage):
        return {
            "dns": "UPDATE",
            "zone": message.zone[0].name.to_text(),
            "prerequisites": sorted(line for rrset in message.prerequisite for line in rrset.to_text().split("\n")),
            "updates": [line for rrset in message.update for line in rrset.to_text().split("\n")],
            "tsig": key,
        }
    flags = dns.flags.to_text(message.flags)
    question = message.question[0]
    kind = dns.rdatatype.to_text(question.rdtype)
    return {"dns": f"QUERY {flags}".strip(), "question": f"{question.name} {kind}", "tsig": key}
