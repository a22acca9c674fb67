"""Every bad answer of a provider in a whole run: what is said, how the run ends, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ddns.errors import Conflict, Malformed, NoSuchZone
from ddns.model import Change
from ddns.runtime import RunRequest
from ddns.times import utc
from ddns.wording import pasteable
from faults.stage import FIRST, LIE, SECOND, Stage
from unit.fakes import (
    BAD_CREDENTIALS,
    LIMITED,
    LIMITED_LONG,
    MALFORMED,
    MALFORMED_AFTER,
    NOT_PERMITTED,
    REJECTED,
    SERVER_SIDE,
    SERVER_SIDE_AFTER,
    TIMEOUT_AFTER,
    TIMEOUT_BEFORE,
    TIMEOUT_LATE,
    UNREACHABLE,
    Fault,
)

NAME = "one.example.test"
TEN_MINUTES = 600.0
DAY = 24 * 3600.0
#: More than a run tries.
ALWAYS = 9

NO_SUCH_ZONE = Fault("no such zone", lambda: NoSuchZone("no zone of this account holds one.example.test"))
CONFLICT = Fault("conflict", lambda: Conflict("one.example.test A is not as it was read"))
HALF = Fault("half a body after the write", lambda: Malformed("the answer broke off"), lands=True)


@dataclass(frozen=True)
class Row:
    """A run that should move the record to SECOND, and meets `fault` at its first `times` writes.

    `mute`: what was written can't be read back either. `alien`: what somebody else writes between read and write.
    `rests`: it is not asked for again until a person says so. `says` follows the record's name; `next_at` is in seconds
    from the end of the run on, None: as soon as a run comes.
    """

    fault: Fault | None
    says: str
    exit: int = 0
    code: str | None = None
    next_at: float | None = None
    dns: str = FIRST
    times: int = ALWAYS
    mute: bool = False
    rests: bool = False
    alien: str = ""


def _gives_up(fault: Fault, message: str, advice: str, code: str) -> Row:
    """Tried as often as the policy says, then left to the next run."""
    return Row(fault, f"deferred {FIRST} -> {SECOND}: {message}. {advice}", 13, code)


MOVED = f"updated {FIRST} -> {SECOND}"
TRIES_AGAIN = "Check the network and the provider's status; the next run tries again."
STATUS_PAGE = "Nothing to do unless it lasts: see the provider's status page."
PORTAL = "A portal or proxy may answer instead of the provider; check the URL from this machine."
FIND_THE_OTHER = "Find the other writer of this record; two owners of one name undo each other."
#: After a write, the next proof.
PROOF = 6 * 3600.0

ROWS = {
    "401": Row(
        BAD_CREDENTIALS,
        f"failed {FIRST} -> {SECOND}: the token is not accepted."
        " Store a valid secret with `ddns secret set`, then: ddns run --now",
        12,
        "provider.bad_credentials",
        DAY,
    ),
    "403": Row(
        NOT_PERMITTED,
        f"failed {FIRST} -> {SECOND}: the token may not write."
        " Give the credential the right to read and edit this zone's records, then: ddns run --now",
        12,
        "provider.not_permitted",
        DAY,
    ),
    "404": Row(
        NO_SUCH_ZONE,
        f"failed {FIRST} -> {SECOND}: no zone of this account holds one.example.test."
        " Check the record's name and the provider it is assigned to.",
        12,
        "provider.no_such_zone",
        DAY,
    ),
    "409, and nothing has changed": Row(
        CONFLICT,
        f"contended {FIRST} -> {SECOND}: one.example.test A is not as it was read. {FIND_THE_OTHER}",
        12,
        "provider.conflict",
    ),
    "409, once": Row(CONFLICT, MOVED, times=1, dns=SECOND, next_at=PROOF),
    "409, somebody else wrote": Row(
        None,
        f"contended {FIRST} -> {SECOND}: one.example.test A is not as it was read: found {LIE}. {FIND_THE_OTHER}",
        12,
        "provider.conflict",
        alien=LIE,
        dns=LIE,
    ),
    "429 with an hour's Retry-After": Row(
        LIMITED_LONG,
        f"deferred {FIRST} -> {SECOND}: too many calls. Nothing to do: the next call waits as long as the provider"
        " asks.",
        13,
        "provider.rate_limited",
        3600.0,
    ),
    "429 with a Retry-After that the run can wait for": Row(LIMITED, MOVED, times=1, dns=SECOND, next_at=PROOF),
    "5xx": _gives_up(SERVER_SIDE, "status 503", STATUS_PAGE, "provider.server_side"),
    "5xx, once": Row(SERVER_SIDE, MOVED, times=1, dns=SECOND, next_at=PROOF),
    "5xx, applied": Row(SERVER_SIDE_AFTER, MOVED, dns=SECOND, next_at=PROOF),
    "garbage": _gives_up(MALFORMED, "not of the protocol", PORTAL, "provider.malformed"),
    "garbage, applied": Row(MALFORMED_AFTER, MOVED, dns=SECOND, next_at=PROOF),
    "half a body, applied": Row(HALF, MOVED, dns=SECOND, next_at=PROOF),
    "half a body, applied and not to be read": Row(
        HALF,
        f"deferred {FIRST} -> {SECOND}: the answer broke off. {PORTAL}",
        13,
        "provider.malformed",
        dns=SECOND,
        mute=True,
    ),
    "rejected": Row(
        REJECTED,
        f"failed {FIRST} -> {SECOND}: a CNAME stands there."
        " Change the record's settings, or what stands at the name, then: ddns run --now",
        12,
        "provider.rejected",
        rests=True,
    ),
    "timeout, applied": Row(TIMEOUT_AFTER, MOVED, dns=SECOND, next_at=PROOF),
    "timeout, not applied": _gives_up(TIMEOUT_BEFORE, "no answer in time", TRIES_AGAIN, "provider.unreachable"),
    "timeout, not applied, once": Row(TIMEOUT_BEFORE, MOVED, times=1, dns=SECOND, next_at=PROOF),
    "timeout, applied late": _gives_up(TIMEOUT_LATE, "no answer in time", TRIES_AGAIN, "provider.unreachable"),
    "timeout, applied and not to be read": Row(
        TIMEOUT_AFTER,
        f"deferred {FIRST} -> {SECOND}: no answer in time. {TRIES_AGAIN}",
        13,
        "provider.unreachable",
        dns=SECOND,
        mute=True,
    ),
    "timeout, not applied and not to be read": Row(
        TIMEOUT_BEFORE,
        f"deferred {FIRST} -> {SECOND}: no answer in time. {TRIES_AGAIN}",
        13,
        "provider.unreachable",
        mute=True,
    ),
}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A machine that has published FIRST ten minutes ago, and is at SECOND now."""
    with Stage(tmp_path / "machine") as made:
        assert made.run() == 0
        made.clock.tick(TEN_MINUTES)
        made.move(SECOND)
        yield made


def meet(stage: Stage, row: Row) -> None:
    """The provider answers as the row says, from its next write on."""
    provider = stage.providers["one"]

    def meanwhile(_change: Change) -> None:
        if stage.published() != ((row.alien,),):
            stage.dns.alter(NAME, row.alien)

    if row.alien:
        provider.meanwhile = meanwhile
    if row.fault is not None:
        provider.write_faults.extend([row.fault] * row.times)
    if row.mute:
        provider.read_faults.extend([None, *[UNREACHABLE] * ALWAYS])


def recover(stage: Stage) -> None:
    """The provider is well again, and what was late has arrived."""
    provider = stage.providers["one"]
    provider.meanwhile = None
    provider.write_faults.clear()
    provider.read_faults.clear()
    provider.release()


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_bad_answer(stage: Stage, capsys: pytest.CaptureFixture[str], row: Row) -> None:
    meet(stage, row)
    capsys.readouterr()

    assert stage.run() == row.exit
    said = pasteable(row.says, f" --data {stage.folder}")
    assert capsys.readouterr() == (f"{NAME} A: {said}\n", "")
    shown = stage.status()["records"][0]
    assert (shown["error"] or {}).get("code") == row.code
    assert shown["next_at"] == (None if row.next_at is None else utc(stage.clock.now() + row.next_at))
    assert stage.status()["run"]["exit"] == row.exit
    assert stage.published() == ((row.dns,),)

    recover(stage)
    if row.code is not None and row.next_at is not None:
        sent = len(stage.providers["one"].sent)
        stage.clock.tick(row.next_at - 1)
        assert stage.run() == row.exit
        assert (len(stage.providers["one"].sent), stage.published()) == (sent, ((row.dns,),)), "left alone till then"
    stage.clock.tick(TEN_MINUTES)
    if row.rests:
        sent = len(stage.providers["one"].sent)
        assert stage.run() == row.exit
        assert len(stage.providers["one"].sent) == sent
    assert stage.run(RunRequest(now=True) if row.rests else None) == 0
    assert stage.published() == ((SECOND,),)
    assert stage.believed() == {NAME: SECOND}
    assert stage.open_intents() == 0
    ours = [str(write.after) for write in stage.dns.writes if write.by == "one"]
    assert ours == [FIRST, SECOND], "written once"
    assert stage.status()["records"][0]["error"] is None
