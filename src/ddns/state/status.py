"""status.json as every run writes it: a head that is new each time, and a tail that only a full run makes anew.

Composed without `json`, for the no-change run: every value of the head is a number, a time, or hexadecimal.
"""

from __future__ import annotations

from ddns import __version__
from ddns.times import utc

#: How a tail begins that has something to add to `health`; ``"host"`` comes next.
HEALTH = '{"health":{'
#: What a state without a full run tells.
EMPTY_TAIL = (
    '{"host":"","records":[],"blocks":[],"paused_until":null,"changes_last_hour":0,"contentions_last_hour":0,'
    '"contended_at":null,"notes":[]}'
)


def document(
    *,
    trace_id: str,
    started: float,
    ended: float,
    exit_code: int,
    full: bool,
    last_runs: list[tuple[float, float, int, int, int]],
    tail: str,
) -> bytes:
    """The whole document. `last_runs` as `ending.last_runs` gives them; `tail` is a JSON object's text."""
    runs = ",".join(
        f'{{"started":"{utc(began)}","ended":"{utc(done)}","exit":{code},"full":{_bool(whole)},"changed":{changed}}}'
        for began, done, code, whole, changed in last_runs
    )
    fine = sum(1 for row in last_runs if row[2] == 0)
    health, tail = _parted(tail or EMPTY_TAIL)
    head = (
        f'{{"schema":1,"version":"{__version__}","written_at":"{utc(ended)}",'
        f'"run":{{"id":"{trace_id}","started":"{utc(started)}","ended":"{utc(ended)}","exit":{exit_code},'
        f'"full":{_bool(full)}}},"last_runs":[{runs}],'
        f'"health":{{"runs":{len(last_runs)},"fine":{fine},"changed":{sum(row[4] for row in last_runs)},'
        f'"interval":{_interval([row[0] for row in last_runs])}{health}}},'
    )
    return (head + tail[1:] + "\n").encode()


def _parted(tail: str) -> tuple[str, str]:
    """What a tail adds to the head's `health`, and the rest of it."""
    if not tail.startswith(HEALTH):
        return "", tail
    health, _, rest = tail[len(HEALTH) :].partition('},"host"')
    return f",{health}", f'{{"host"{rest}'


def _interval(starts: list[float]) -> str:
    """The usual time between two starts, in seconds; a machine that was off in between changes little in a median."""
    gaps = sorted(starts[place] - starts[place - 1] for place in range(1, len(starts)))
    return f"{gaps[len(gaps) // 2]:.0f}" if gaps else "null"


def _bool(value: object) -> str:
    return "true" if value else "false"
