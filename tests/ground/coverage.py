"""What the tests of each source cover: ``python -m ground.coverage`` writes it into docs/reference/coverage.md.

How sure we are that the real service answers as we read it is a judgement, and stands here in `JUDGEMENT`.
"""

from __future__ import annotations

from pathlib import Path

from ddns.sources.table import Listed, listed
from ground.matrix import FAULTS, MATRIX, NONE

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "coverage.md"
BEGIN, END = "<!-- sources -->", "<!-- end of sources -->"

_ECHO = "one plain address over HTTPS; many clients ask it in the same way"
_INSIDE = "one plain address over HTTPS, as other clients in China ask it; a small operator"
_WHOAMI = "a published name; the same question as other clients send"
#: Source -> (how sure we are, of five; why).
JUDGEMENT: dict[str, tuple[int, str]] = {
    "gateway": (5, "both sides are ours"),
    "ipify": (5, _ECHO),
    "aws": (5, _ECHO),
    "ifconfig": (4, _ECHO + "; its host has both families, and ours is forced"),
    "icanhazip": (5, _ECHO),
    "trace": (4, "key=value lines as other clients read them; not a documented interface"),
    "ident": (4, _ECHO + "; a small operator"),
    "ipsb": (4, _ECHO + "; refuses libraries' own User-Agents, and limits calls"),
    "ipw": (3, _INSIDE),
    "3322": (3, _INSIDE),
    "opendns": (5, _WHOAMI),
    "google": (5, _WHOAMI),
    "cloudflare": (5, _WHOAMI),
    "opendns-tls": (4, _WHOAMI),
    "opendns-https": (3, "a published name; that the service answers it over HTTPS is not documented"),
    "cloudflare-tls": (4, _WHOAMI),
    "cloudflare-https": (4, _WHOAMI),
    "interface": (4, "the kernel's own messages; on Windows lists in memory, as Wine knows no flags"),
    "router": (4, "RFC 6886 by its text; UPnP by miniupnpc, against a device of ours, without discovery"),
}
_BY_HOW = {"https": ("echo, https",), "dns": ("DNS",), "dot": ("DNS over TLS",), "doh": ("DNS over HTTPS",)}
_BY_NAME = {
    "gateway": ("own gateway",),
    "trace": ("Cloudflare trace",),
    "interface": ("adapter",),
    "router": ("router, NAT-PMP", "router, UPnP"),
}


def subjects(row: Listed) -> tuple[str, ...]:
    """The rows of the fault matrix that play a source."""
    return _BY_NAME.get(row.name) or _BY_HOW[row.how]


def line(row: Listed) -> str:
    """One source's line of the page."""
    played = subjects(row)
    faults = sum(MATRIX[subject, fault] != NONE for subject in played for fault in FAULTS)
    sure, why = JUDGEMENT[row.name]
    return f"| `{row.name}` | {' and '.join(played)} | {faults} faults | {sure}/5: {why} |"


HEAD = ("| source | played as | matrix | how sure, and why |", "| --- | --- | --- | --- |")


def table() -> list[str]:
    """All built-in sources, the surest first."""
    rows = sorted(listed(), key=lambda row: -JUDGEMENT[row.name][0])
    return [*HEAD, *map(line, rows)]


def rewrite() -> None:
    """Put the table anew between the page's marks."""
    text = PAGE.read_text("utf-8")
    first, _, rest = text.partition(f"{BEGIN}\n")
    _, _, last = rest.partition(END)
    PAGE.write_text(f"{first}{BEGIN}\n" + "\n".join(table()) + f"\n{END}{last}", "utf-8")


if __name__ == "__main__":
    rewrite()
