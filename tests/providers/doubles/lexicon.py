"""dns-lexicon's own PowerDNS provider, at PowerDNS itself behind the relay that has the faults.

Lexicon's side: https://dns-lexicon.readthedocs.io/en/latest/configuration_reference.html. Its provider updates by
removing and making, in two requests; that nobody answers is played with the second. `test_lexicon.py` has the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from ddns.providers.lexicon import Settings
from ddns.secret import SecretRef
from ground.http import Request
from providers.cast import WAIT, ZONE, Double
from providers.doubles import powerdns
from providers.doubles.powerdns import Relay


class Lexicon(Relay):
    """See `cast.Double`."""

    def limit(self) -> bool:
        self.web.limit()
        assert self.web.limited is not None
        assert self.web.limited.headers["Retry-After"] == str(WAIT)
        return True


def _ends_an_update(request: Request) -> bool:
    """Whether a request leaves the record with a value; what comes before is a removal."""
    return request.method == "PATCH" and any(rrset["records"] for rrset in json.loads(request.body)["rrsets"])


@contextmanager
def serve() -> Iterator[Double]:
    """A server of this kind, running."""
    with powerdns.serve() as relay:
        relay.__class__ = Lexicon
        double = cast("Lexicon", relay)
        double.settings = Settings(  # type: ignore[assignment]  # the kind's own settings in place of PowerDNS's
            provider="powerdns",
            zone=ZONE,
            options={"pdns_server": relay.web.root},
            secrets={"auth_token": SecretRef("env:KEY")},
        )
        relay.web.writes = _ends_an_update
        yield double
