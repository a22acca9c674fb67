"""How far this machine's clock is off, by the Date header of answers that come over TLS anyway (RFC 9110, 6.6.1)."""

from __future__ import annotations

from collections.abc import Iterable

from ddns import http_time
from ddns.address import Family
from ddns.detection import Answer
from ddns.ports import Clock, Deadline, HttpRequest, HttpResponse, Net

#: Two operators who are this close (seconds) tell the same time.
_CLOSE = 30.0


class Hearing:
    """A `Net` that notes what the last answer over HTTP said of the time. Made anew for each question."""

    def __init__(self, net: Net, clock: Clock) -> None:
        self._net = net
        self._clock = clock
        #: Seconds by which the server's clock is ahead of ours; None: it did not say.
        self.skew: float | None = None

    def http(
        self, request: HttpRequest, *, deadline: Deadline, family: Family | None = None, limit: int = 1 << 20
    ) -> HttpResponse:
        """See `ports.Net`."""
        response = self._net.http(request, deadline=deadline, family=family, limit=limit)
        self.skew = http_time.skew(response.headers, self._clock.now())
        return response

    def udp(self, data: bytes, to: tuple[str, int], *, deadline: Deadline) -> bytes:
        """See `ports.Net`."""
        return self._net.udp(data, to, deadline=deadline)


def told(answers: Iterable[Answer]) -> float | None:
    """Seconds by which this clock is behind (negative: ahead).

    None where that is too little to matter, or fewer than two operators, and none that suffices, say so.
    """
    heard = [(answer.skew, answer) for answer in answers if answer.authenticated and answer.skew is not None]
    if not heard:
        return None
    middle = sorted(skew for skew, _ in heard)[len(heard) // 2]
    close = [answer for skew, answer in heard if abs(skew - middle) <= _CLOSE]
    enough = len({answer.operator for answer in close}) >= 2 or any(answer.suffices for answer in close)
    return middle if enough and abs(middle) > http_time.SKEW_TOLD else None
