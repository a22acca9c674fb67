"""The fault matrix of the sources, as data: what each fault at each kind of source comes to.

tests/unit/test_source_matrix.py plays every cell; ``python -m ground.matrix``, with src, tests and packaging on the
path, writes the table of docs/reference/faults.md anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"
BEGIN, END = "<!-- sources -->", "<!-- end of sources -->"

#: The names of errors in cells, a right answer, and a fault that the source's protocol has no words for.
ERROR, PORTAL, RESTS, ANSWERS, NONE = "SourceError", "CaptivePortal", "SourceError, rests", "answers", "-"

FAULTS = (
    "refused", "reset", "slow", "half a body", "garbage", "401", "403", "404", "429, Retry-After", "503",
    "wrong content type", "huge body", "redirect", "web page", "other certificate", "wrong family", "private address",
    "two addresses",
)  # fmt: skip


def _row(subject: str, *cells: str) -> dict[tuple[str, str], str]:
    return {(subject, fault): cell for fault, cell in zip(FAULTS, cells, strict=True)}


_WHOLE = (ERROR,) * 5
_STATUS = (ERROR, ERROR, ERROR, RESTS, ERROR)
_WRONG = (ERROR, ERROR, ERROR)

#: (subject, fault) -> what comes of it. In DNS, 403, 404 and 503 are REFUSED, NXDOMAIN and SERVFAIL, a wrong content
#: type is an answer to another question; in NAT-PMP they are the codes 2, 5 and 3, and an answer of another kind.
MATRIX: Mapping[tuple[str, str], str] = {
    **_row("echo, https", *_WHOLE, *_STATUS, ANSWERS, ERROR, PORTAL, PORTAL, PORTAL, *_WRONG),
    **_row("Cloudflare trace", *_WHOLE, *_STATUS, ANSWERS, ERROR, PORTAL, PORTAL, PORTAL, *_WRONG),
    **_row("own gateway", *_WHOLE, *_STATUS, ANSWERS, ERROR, PORTAL, PORTAL, PORTAL, *_WRONG),
    **_row("own URL, http", *_WHOLE, *_STATUS, ANSWERS, ERROR, PORTAL, PORTAL, NONE, *_WRONG),
    **_row("own URL, pattern", *_WHOLE, *_STATUS, ANSWERS, ERROR, PORTAL, ERROR, PORTAL, *_WRONG),
    **_row("own URL, JSON", *_WHOLE, *_STATUS, ANSWERS, ERROR, PORTAL, PORTAL, PORTAL, *_WRONG),
    **_row("DNS over HTTPS", *_WHOLE, *_STATUS, ERROR, ERROR, PORTAL, PORTAL, PORTAL, *_WRONG),
    **_row("DNS over TLS", *_WHOLE, NONE, ERROR, ERROR, NONE, ERROR, ERROR, ERROR, NONE, NONE, PORTAL, *_WRONG),
    **_row(
        "DNS", ERROR, NONE, ERROR, ERROR, ERROR, NONE, ERROR, ERROR, NONE, ERROR, ERROR, ERROR, NONE, NONE, NONE,
        *_WRONG,
    ),
    **_row(
        "router, NAT-PMP", ERROR, NONE, ERROR, ERROR, ERROR, NONE, ERROR, ERROR, NONE, ERROR, ERROR, ERROR, NONE, NONE,
        NONE, NONE, ERROR, NONE,
    ),
    **_row(
        "router, UPnP", *_WHOLE, ERROR, ERROR, ERROR, ERROR, ERROR, ANSWERS, ANSWERS, ERROR, ERROR, NONE, *_WRONG
    ),
    **_row(
        "adapter", ERROR, NONE, NONE, NONE, NONE, NONE, NONE, ERROR, NONE, NONE, NONE, NONE, NONE, NONE, NONE, *_WRONG
    ),
    **_row(
        "command", *_WHOLE, NONE, ERROR, ERROR, NONE, NONE, NONE, ERROR, NONE, ERROR, NONE, *_WRONG
    ),
}  # fmt: skip

SUBJECTS = tuple(dict.fromkeys(subject for subject, _ in MATRIX))
_WORDS = {ERROR: "refused", PORTAL: "portal", RESTS: "refused, rests", ANSWERS: "right answer", NONE: "no such answer"}


def line(subject: str) -> str:
    """One subject's line of the page."""
    return _line([subject, *(_WORDS[MATRIX[subject, fault]] for fault in FAULTS)])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


HEAD = (_line(["source", *FAULTS]), _line(["---"] * (len(FAULTS) + 1)))


def rewrite() -> None:
    """Put the table anew between the page's marks."""
    text = PAGE.read_text("utf-8")
    first, _, rest = text.partition(f"{BEGIN}\n")
    _, _, last = rest.partition(END)
    table = "\n".join([*HEAD, *map(line, SUBJECTS)])
    PAGE.write_text(f"{first}{BEGIN}\n{table}\n{END}{last}", "utf-8")


if __name__ == "__main__":
    rewrite()
