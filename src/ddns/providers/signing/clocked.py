"""The time that requests are signed with: this machine's, until the service refuses it and tells its own.

A service checks a request's time before it does anything, so that what was refused for it was not carried out: it may
be signed again and sent a second time, a write as well.
"""

from __future__ import annotations

from collections.abc import Callable

from ddns import http_time
from ddns.ports import Deadline, HttpRequest, HttpResponse, Tools
from ddns.providers import answers


class Clocked:
    """Sends signed requests of one provider."""

    def __init__(self, who: str, tools: Tools) -> None:
        self._who = who
        self._tools = tools
        #: Seconds that the service's clock is ahead of ours, once it was told; lasts as long as the provider.
        self._offset = 0.0

    def exchange(
        self, sign: Callable[[float], HttpRequest], skewed: Callable[[HttpResponse], bool], deadline: Deadline
    ) -> HttpResponse:
        """One exchange; a second one where the service says, in its own words, that the request's time is off.

        `sign` makes the request for a time (UTC seconds), with a new nonce each time; `skewed` reads the answer. The
        service's time is that of its ``Date`` header; where it does not tell, its refusal is the answer.
        """
        response = self._send(sign, deadline)
        if skewed(response) and self._learnt(response):
            response = self._send(sign, deadline)
        return response

    def _send(self, sign: Callable[[float], HttpRequest], deadline: Deadline) -> HttpResponse:
        request = sign(self._tools.clock.now() + self._offset)
        return self._tools.net.http(request, deadline=deadline.within(answers.CALL_LIMIT))

    def _learnt(self, response: HttpResponse) -> bool:
        """Whether the service's time is another one than the request was signed with."""
        offset = http_time.skew(response.headers, self._tools.clock.now())
        if offset is None or abs(offset - self._offset) < http_time.SKEW_TOLD:
            return False
        self._offset = offset
        side = "behind" if offset > 0 else "ahead of"
        self._tools.warn(
            f"this machine's clock is {abs(offset):.0f} s {side} that of {self._who};"
            " the request was signed with the service's time"
        )
        return True
