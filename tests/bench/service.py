"""What all clients talk to, in a process of its own: echo service, dyndns2 endpoint, DNS server, all on loopback.

Started with the CA's folder as its argument, it prints its addresses as one line of JSON and then obeys lines on
standard input: ``address A`` sets the public address, ``take`` prints what came in since the last ``take``. It ends
with its standard input.
"""

from __future__ import annotations

import json
import sys
import urllib.parse
from contextlib import ExitStack
from pathlib import Path

from ground.echo import Echo
from ground.http import Reply, Request
from ground.tls import Authority
from ground.whoami import Whoami


class Front(Echo):
    """Echo service and dyndns2 endpoint in one; `log` holds the updates as (name, address)."""

    def __init__(self, dns: Whoami) -> None:
        super().__init__("")
        self.log: list[tuple[str, str]] = []
        self._dns = dns

    def serve(self, request: Request) -> Reply:
        """Updates by their path, the address for anything else."""
        return self._update(request) if request.target.startswith("/nic/update") else super().serve(request)

    def _update(self, request: Request) -> Reply:
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.target).query))
        name, address = query.get("hostname", ""), query.get("myip", "")
        self.log.append((name, address))
        known = self._dns.records.get((name, "A"))
        self._dns.records[name, "A"] = (address,)
        return Reply(body=f"{'nochg' if known == (address,) else 'good'} {address}\n".encode())


class Service:
    """The front, two more echo services over TLS for a quorum, and the DNS server that shows what was published."""

    def __init__(self, authority: Authority) -> None:
        self.dns = Whoami()
        self.front = Front(self.dns)
        self.first, self.second = (Echo("", authority.server()) for _ in range(2))

    @property
    def echoes(self) -> tuple[Echo, ...]:
        """The services that tell the address."""
        return (self.front, self.first, self.second)

    def set_address(self, address: str) -> None:
        """The public address from now on."""
        for echo in self.echoes:
            echo.address = address

    def take(self) -> dict[str, object]:
        """What came in since the last time: updates as (name, address), and how many questions each service had."""
        updates, self.front.log = self.front.log, []
        asked = {"plain": self.front.hits, "tls": self.first.hits + self.second.hits, "dns": self.dns.hits}
        for echo in self.echoes:
            echo.requests.clear()
        self.dns.questions.clear()
        return {"updates": updates, "asked": asked}


def main(folder: Path) -> None:
    """Serve until standard input ends."""
    service = Service(Authority(folder))
    with ExitStack() as stack:
        for echo in service.echoes:
            stack.enter_context(echo)
        stack.enter_context(service.dns)
        print(
            json.dumps(
                {
                    "http": service.front.port,
                    "tls": [service.first.url, service.second.url],
                    "ca": str(folder / "ca.pem"),
                    "dns": service.dns.server,
                }
            ),
            flush=True,
        )
        for line in sys.stdin:
            command, _, value = line.strip().partition(" ")
            if command == "address":
                service.set_address(value)
            print(json.dumps(service.take()), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
