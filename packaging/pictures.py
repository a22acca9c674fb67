"""Draws docs/pictures: the commands' screens with made-up data.

Run: ``PYTHONPATH=src python packaging/pictures.py``.
"""

from __future__ import annotations

import io
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ddns.cli import detect, doctor, history, plan, screen
from ddns.cli.verdict import troubles
from ddns.cli.view import view
from ddns.render import Screen
from ddns.times import utc

#: The same pictures whenever and wherever they are drawn.
NOW = 1_795_370_400.0
HOUR = 3600.0
BLOCK = "provider.bad_credentials"


def status() -> dict[str, Any]:
    """One name that is well, one whose provider refuses."""
    codes = (0, 0, 0, 13, 0, 0, 0, 12, 12, 12)
    runs = [
        {"started": utc(NOW - 600 * (9 - n) - 62), "ended": utc(NOW - 600 * (9 - n) - 60), "exit": code, "changed": 0}
        for n, code in enumerate(codes)
    ]
    home = {
        "name": "home.example.com",
        "provider": "cloudflare",
        "since": utc(NOW - 8.2 * 24 * HOUR),
        "outcome": "unchanged",
        "proven_at": utc(NOW - 2 * HOUR),
        "proven_by": "api",
        "next_at": utc(NOW + 4 * HOUR),
        "error": None,
    }
    nas = home | {
        "name": "nas.example.org",
        "provider": "dyn",
        "outcome": "failed",
        "next_at": utc(NOW + 23.7 * HOUR),
        "proven_by": "ns1.example.org",
        "error": {"code": BLOCK, "advice": "Store a valid secret with `ddns secret set`, then: ddns run --now"},
    }
    block = {"provider": "dyn", "code": BLOCK, "since": utc(NOW - 0.4 * HOUR), "retry_at": utc(NOW + 23.7 * HOUR)}
    return {
        "schema": 1,
        "version": "0.1.0",
        "host": "web01",
        "written_at": utc(NOW - 60),
        "run": {"id": "8fa02d7c11f3be46", "started": utc(NOW - 62), "ended": utc(NOW - 60), "exit": 12, "full": True},
        "records": [
            home | {"type": "A", "address": "203.0.113.7"},
            home | {"type": "AAAA", "address": "2001:db8:4711:1::7"},
            nas | {"type": "A", "address": "203.0.113.7"},
        ],
        "blocks": [block],
        "last_runs": runs,
        "paused_until": None,
        "notes": [],
    }


def _answer(
    source: str, operator: str, address: str | None, ms: int, problem: str | None = None, rests: float | None = None
) -> dict[str, Any]:
    tls = source not in ("opendns", "google")
    return {
        "source": source,
        "operator": operator,
        "authenticated": tls,
        "address": address,
        "problem": problem,
        "ms": ms,
        "resting_until": utc(rests) if rests is not None else None,
    }


def families() -> list[dict[str, Any]]:
    """IPv4 agreed on, with one liar and one that fails and rests; no IPv6."""
    answers = [
        _answer("opendns", "OpenDNS", "203.0.113.8", 9),
        _answer("google", "Google", "203.0.113.8", 11),
        _answer("ipify", "ipify", "203.0.113.8", 84),
        _answer("aws", "Amazon", "203.0.113.8", 96),
        _answer("ifconfig", "ifconfig.me", None, 102, "ifconfig: answered with status 503", NOW + 20 * 60.0),
        _answer("icanhazip", "Cloudflare", "198.51.100.66", 61),
    ]
    four = {"family": 4, "verdict": "available", "address": "203.0.113.8", "agreed_by": ["OpenDNS", "Google", "ipify"]}
    six = {"family": 6, "verdict": "absent", "because": "no route to the Internet over IPv6", "answers": []}
    return [four | {"answers": answers}, six]


def planned() -> dict[str, Any]:
    """One of each: new, changed, right, held."""
    key = {"type": "A", "provider": "cloudflare"}
    new = "203.0.113.8"
    return {
        "families": families(),
        "changes": [
            key | {"name": "home.example.com", "from": ["203.0.113.7"], "to": [new], "reason": "address"},
            key | {"name": "new.example.com", "from": None, "to": [new], "reason": "create"},
        ],
        "unchanged": [key | {"name": "nas.example.org", "values": [new], "observed_by": "api", "note": None}],
        "held": [
            key
            | {
                "name": "www.example.com",
                "outcome": "held",
                "code": "provider.rejected",
                "message": "www.example.com A already has 2 values (192.0.2.1, 192.0.2.2) that this machine did"
                " not write",
                "advice": 'Remove the others, or set adopt = "all" for this record to replace them.',
                "until": None,
            }
        ],
    }


def _check(area: str, what: str, says: str, verdict: str = "ok", advice: str | None = None) -> dict[str, Any]:
    return {"area": area, "what": what, "verdict": verdict, "says": says, "advice": advice}


def examined() -> dict[str, Any]:
    """All is well but for the clock and a secret that is not right."""
    vouched = "answers, and an authority that this system trusts vouches for it"
    behind = "this machine's clock is 184 s behind, by 5 servers"
    clock = "Set this machine's clock (w32tm /resync, or timedatectl), then: ddns run --now"
    return {
        "verdict": "problem",
        "checks": [
            _check("settings", "file", "/etc/ddns/ddns.toml is valid"),
            _check("network", "IPv4 route", "there is a route to the Internet over IPv4"),
            _check("network", "names", "the system's resolver knows api.cloudflare.com and 6 more"),
            _check("network", "TLS", f"api.cloudflare.com {vouched}"),
            _check("addresses", "IPv4", "203.0.113.8, agreed by ipify, Amazon"),
            _check("time", "clock", behind, "warning", clock),
            _check("credentials", "cloudflare", "cloudflare lets us read home.example.com A; nothing was written"),
            _check("credentials", "desec: secret", "desec.io: the token is not accepted", "problem", _STORE),
            _check("permissions", "secrets", "/var/lib/ddns/secrets is closed to others"),
            _check("state", "file", "/var/lib/ddns/state/state.db is whole"),
            _check("schedule", "systemd", "ddns.timer is active"),
            _check("schedule", "last run", "the last run ended 4 min ago, and all was well"),
        ],
    }


def remembered() -> dict[str, Any]:
    """A move, and a name that somebody else keeps changing."""
    key = {"kind": "change", "type": "A", "provider": "cloudflare", "detail": None, "id": "x"}
    old, new, day = ["203.0.113.7"], ["203.0.113.8"], 24 * HOUR
    home, nas = {"name": "home.example.com"}, {"name": "nas.example.org"}
    days = dict.fromkeys(range(30), 0) | {3: 2, 20: 1, 29: 1}
    strips = [
        (home, ["unknown"] * 3 + ["changed"] + ["same"] * 25 + ["changed"], new, NOW - HOUR),
        (nas, ["unknown"] * 3 + ["changed"] + ["same"] * 16 + ["failed"] + ["same"] * 9, old, NOW - 26 * day),
    ]
    return {
        "entries": [
            key | home | {"at": utc(NOW - HOUR), "from": old, "to": new, "reason": "address", "state": "applied"},
            key | nas | {"at": utc(NOW - 9 * day), "from": new, "to": old, "reason": "drift", "state": "external"},
            key | nas | {"at": utc(NOW - 26 * day), "from": None, "to": old, "reason": "create", "state": "applied"},
            key | home | {"at": utc(NOW - 26 * day), "from": None, "to": old, "reason": "create", "state": "adopted"},
        ],
        "per_day": [{"day": str(day), "changes": number} for day, number in days.items()],
        "timelines": [
            name
            | {"type": "A", "provider": "cloudflare", "days": strip}
            | {"periods": [{"values": values, "since": utc(since), "until": None}]}
            for name, strip, values, since in strips
        ],
    }


_STORE = "Store a valid secret with `ddns secret set`, then: ddns run --now"


def draw_status(on: Screen) -> None:
    """`ddns status`."""
    seen = view(status())
    screen.draw(on, seen, troubles(seen, NOW), "machine", "/var/lib/ddns/logs/ddns.jsonl", NOW)


PICTURES: dict[str, Callable[[Screen], None]] = {
    "status": draw_status,
    "plan": lambda on: plan.draw(on, planned()),
    "detect": lambda on: detect.draw(on, families(), NOW),
    "doctor": lambda on: doctor.draw(on, examined()),
    "history": lambda on: history.draw(on, remembered(), NOW),
}


def picture(name: str) -> str:
    """One picture as SVG. Fonts are the reader's own: a picture fetches nothing."""
    on = Screen(io.StringIO(), width=84, record=True)
    PICTURES[name](on)
    return re.sub(r"@font-face \{.*?\}\n?", "", on.svg(f"ddns {name}"), flags=re.DOTALL)


def main(folder: str) -> None:
    """Write them all."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    for name in PICTURES:
        Path(folder, f"{name}.svg").write_text(picture(name), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
