"""A "what is my address" service on loopback: tells what it is set to, or misbehaves as real ones do."""

from __future__ import annotations

import enum
import ssl

from ground.http import Ending, Reply, Request, Server


class Fault(enum.Enum):
    """What real echo services, portals and proxies have been seen to answer."""

    HTML = enum.auto()
    TWO_ADDRESSES = enum.auto()
    PRIVATE = enum.auto()
    WRONG_FAMILY = enum.auto()
    UNAVAILABLE = enum.auto()
    REDIRECT = enum.auto()
    HUGE = enum.auto()
    NOTHING = enum.auto()
    HALF_A_BODY = enum.auto()
    RESET = enum.auto()
    SILENCE = enum.auto()


class Echo(Server):
    """`address` is what it tells; `fault`, when set, is how it misbehaves instead. Both may change at any time."""

    def __init__(self, address: str, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(self._reply, tls)
        self.address = address
        self.fault: Fault | None = None

    def _reply(self, request: Request) -> Reply:
        text = self.address.encode()
        if self.fault is None:
            return Reply(body=text + b"\n", headers={"Content-Type": "text/plain"})
        page = b"<html><body>Please log in to the network. " + text + b"</body></html>"
        return {
            Fault.HTML: Reply(body=page, headers={"Content-Type": "text/html"}),
            Fault.TWO_ADDRESSES: Reply(body=text + b", 198.51.100.77\n"),
            Fault.PRIVATE: Reply(body=b"192.168.1.20\n"),
            Fault.WRONG_FAMILY: Reply(body=b"8.8.8.8\n" if b":" in text else b"2606:4700::1111\n"),
            Fault.UNAVAILABLE: Reply(503, b"down for maintenance\n"),
            Fault.REDIRECT: Reply(302, text, {"Location": f"{self.url}elsewhere"}),
            Fault.HUGE: Reply(body=text.ljust(1 << 20)),
            Fault.NOTHING: Reply(),
            Fault.HALF_A_BODY: Reply(body=text, ending=Ending.HALF_A_BODY),
            Fault.RESET: Reply(ending=Ending.RESET),
            Fault.SILENCE: Reply(ending=Ending.NEVER),
        }[self.fault]
