"""Every fault against every kind: typed, true about what was written, and as docs/reference/faults.md says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ddns.errors import (
    BadCredentials,
    Conflict,
    Malformed,
    NoSuchZone,
    NotPermitted,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    Transport,
)
from ddns.model import Applied, Observed
from ddns.providers import table
from providers import matrix
from providers.cast import SECOND, WAIT, Fault
from providers.matrix import Cell, More, Trouble

PAGE = matrix.PAGE
#: What a write may end with; where a status comes without the service's words, no more than that it is an error.
ENDS: dict[Trouble, tuple[type[ProviderError | Applied], ...]] = {
    Fault.REFUSED: (Transport,),
    Fault.RESET: (Transport,),
    Fault.SLOW: (Transport,),
    Fault.HALF_A_BODY: (Malformed, Transport),
    Fault.GARBAGE: (Malformed, Transport),
    Fault.UNAUTHORIZED: (BadCredentials, Malformed),
    Fault.FORBIDDEN: (NotPermitted, NoSuchZone, BadCredentials, Malformed),
    Fault.NOT_FOUND: (ProviderError,),
    Fault.CONFLICT: (ProviderError,),
    Fault.SERVER_ERROR: (ServerSide,),
    Fault.SILENT: (Transport,),
    Fault.WRONG_TYPE: (Applied, Malformed, Transport),
    Fault.HUGE: (Malformed,),
    More.LIMITED: (RateLimited,),
    More.DUPLICATE: (Conflict, Rejected, Applied),
}


@pytest.mark.parametrize("kind", matrix.kinds())
def test_row(kind: str) -> None:
    cells = matrix.row(kind)
    wrong = [f"{trouble}: {problem}" for trouble, cell in cells.items() for problem in _problems(trouble, cell)]
    assert not wrong
    assert matrix.line(kind, cells) in PAGE.read_text("utf-8").splitlines(), (
        "write the page anew: PYTHONPATH=src:tests:packaging python -m providers.matrix"
    )


def _problems(trouble: Trouble, cell: Cell) -> Iterator[str]:
    """What is wrong with a cell."""
    if cell.written is None:
        if trouble is not More.LIMITED:
            yield "nothing was played"
        return
    if not isinstance(cell.written, ENDS[trouble]):
        yield f"ended with {cell.written!r}"
    if isinstance(cell.written, RateLimited) and cell.written.retry_after != WAIT:
        yield f"asks to wait {cell.written.retry_after} s instead of {WAIT}"
    if isinstance(cell.written, ProviderError) and not (cell.written.message and cell.written.advice):
        yield "no message or no advice"
    yield from _untruths(cell)


def _untruths(cell: Cell) -> Iterator[str]:
    """Where what was said and what stands there differ."""
    standing = sorted(cell.standing)
    if matrix.applied(cell) and cell.standing != {SECOND}:
        yield f"said to be written, and {standing} stands there"
    if isinstance(cell.written, ProviderError) and not cell.written.in_doubt and cell.standing != cell.before:
        yield f"said not to be written, and {standing} stands there"
    if isinstance(cell.seen, Observed) and (cell.seen.rrset.texts() if cell.seen.rrset else []) != standing:
        yield f"read as {cell.seen.rrset}, and {standing} stands there"
    if len(standing) > 1:
        yield f"two values stand there: {standing}"
    if cell.near:
        yield "the neighbour's record was touched"


def test_no_kind_and_no_trouble_is_left_out() -> None:
    assert matrix.kinds() == sorted(table.MODULES), "each kind needs doubles/<kind>.py"
    assert ENDS.keys() == set(matrix.TROUBLES)


def test_the_page_has_the_head_and_no_kind_of_old() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    start = lines.index(matrix.HEAD[0])
    assert lines[start + 1] == matrix.HEAD[1]
    body = lines[start + 2 : start + 2 + len(matrix.kinds())]
    assert [text.split("|")[1].strip().strip("`") for text in body] == matrix.kinds()
