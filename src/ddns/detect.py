"""The step that learns the public address: asks several sources at once and believes what two operators agree on.

"Could not tell" is not "none": `Unknown` keeps a record as it is.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec.structs import replace

from ddns.address import Address, Family, Network, publishable
from ddns.errors import SourceError
from ddns.model import Absent, Answer, Available, Detected, Unknown
from ddns.ports import Clock, Deadline, Net, Source

#: Seconds that the probe's own answer is waited for after the quorum is there.
_GRACE = 0.5

Question = Callable[[], Answer]
#: Runs questions and gives their answers as they come, while there are seconds left.
Gather = Callable[[Sequence[Question], Callable[[], float]], Iterable[Answer]]


def in_threads(questions: Sequence[Question], left: Callable[[], float]) -> Iterator[Answer]:
    """Ask all at once; answers come as they arrive, what is not there in time is left behind."""
    arrived: queue.SimpleQueue[Answer | BaseException] = queue.SimpleQueue()

    def work(question: Question) -> None:
        try:
            arrived.put(question())
        except BaseException as error:  # noqa: BLE001 - carried to the asking thread, which raises it
            arrived.put(error)

    for question in questions:
        threading.Thread(target=work, args=(question,), daemon=True).start()
    for _ in questions:
        try:
            answer = arrived.get(timeout=left())
        except queue.Empty:
            return
        if isinstance(answer, BaseException):
            raise answer
        yield answer


def in_turn(questions: Sequence[Question], left: Callable[[], float]) -> Iterator[Answer]:
    """Ask one after the other, in their order."""
    for question in questions:
        if left() <= 0:
            return
        yield question()


def detect(
    family: Family,
    sources: Sequence[Source],
    *,
    net: Net,
    clock: Clock,
    deadline: Deadline,
    allow: tuple[Network, ...] = (),
    route: bool = True,
    probe: str = "",
    gather: Gather = in_threads,
    ask_all: bool = False,
) -> Detected:
    """The public address of a family.

    A source that suffices (the own gateway) is asked first, with nobody beside it but the probe, and leaves half of
    the time to the others. `route`: whether the system has a way to the Internet for the family; without one, only
    silence is `Absent`. `probe` names the source that is given a moment longer, so that the next run may ask it
    alone. `ask_all` waits for everybody (for people who look).
    """
    asked = [source for source in sources if family in source.families]
    answers: list[Answer] = []
    groups = _groups(asked, probe)
    for position, group in enumerate(groups):
        share = deadline.within(deadline.left() / (len(groups) - position))
        questions = [_question(source, family, net, clock, share, allow) for source in group]
        patience = _Patience(share)
        for answer in gather(questions, patience.left):
            answers.append(answer)
            if ask_all or isinstance(verdict(answers), Unknown):
                continue
            if _probe_done(answers, probe, group):
                break
            patience.cut()
        if not ask_all and isinstance(verdict(answers), Available):
            break
    silent = {source.name for source in asked} - {answer.source for answer in answers}
    found = verdict(answers)
    if isinstance(found, Available):
        return Detected(found, tuple(answers))
    if not route and not any(answer.address for answer in answers):
        return Detected(Absent(f"no route to the Internet over IPv{family.value}"), tuple(answers))
    late = tuple(f"{name}: no answer in time" for name in sorted(silent))
    return Detected(Unknown((found.causes + late) or (f"no source for IPv{family.value} is set",)), tuple(answers))


class _Patience:
    """How long answers are waited for: a share of the time, and only a moment more once there is a quorum."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def left(self) -> float:
        """Seconds."""
        return self._deadline.left()

    def cut(self) -> None:
        """There is a quorum; only the probe is still waited for."""
        self._deadline = self._deadline.within(_GRACE)


def _groups(asked: Sequence[Source], probe: str) -> list[list[Source]]:
    """Who is asked together: those that suffice and the probe, then the rest; all at once where nobody suffices."""
    first = sorted((s for s in asked if s.suffices or s.name == probe), key=lambda s: not s.suffices)
    if not any(source.suffices for source in first):
        return [list(asked)]
    rest = [source for source in asked if source not in first]
    return [first, rest] if rest else [first]


def _probe_done(answers: Iterable[Answer], probe: str, group: Iterable[Source]) -> bool:
    return probe not in {source.name for source in group} or any(answer.source == probe for answer in answers)


def _question(
    source: Source, family: Family, net: Net, clock: Clock, deadline: Deadline, allow: tuple[Network, ...]
) -> Question:
    def ask() -> Answer:
        began = clock.monotonic()
        answer = Answer(source.name, source.operator, source.authenticated)
        try:
            address = checked(source.name, source.ask(family, net, deadline), family, allow)
        except SourceError as error:
            answer = replace(answer, problem=error.message)
        else:
            answer = replace(answer, address=address, suffices=source.suffices)
        return replace(answer, seconds=clock.monotonic() - began)

    return ask


def checked(name: str, address: Address, family: Family, allow: tuple[Network, ...]) -> Address:
    """The address that source `name` told, if it is of the family and may be published. Raises SourceError."""
    if Family.of(address) is not family:
        raise SourceError(f"{name}: answered {address}, which is not an IPv{family.value} address")
    if not publishable(address, allow):
        raise SourceError(f"{name}: answered {address}, which is not a public address")
    return address


def verdict(answers: Sequence[Answer]) -> Available | Unknown:
    """What the answers come to: a quorum is two operators that agree, one of them authenticated, or one that suffices.

    Two quorums for different addresses are none.
    """
    said: dict[Address, list[Answer]] = {}
    for answer in answers:
        if answer.address is not None:
            said.setdefault(answer.address, []).append(answer)
    agreed = [(address, who) for address, who in said.items() if _quorum(who)]
    if len(agreed) == 1:
        address, who = agreed[0]
        return Available(address, tuple(dict.fromkeys(answer.operator for answer in who)))
    causes = [answer.problem for answer in answers if answer.problem]
    causes += [f"{answer.source}: says {answer.address}" for answer in answers if answer.address]
    return Unknown(tuple(causes))


def _quorum(answers: Iterable[Answer]) -> bool:
    answers = list(answers)
    if any(answer.suffices for answer in answers):
        return True
    return len({answer.operator for answer in answers}) >= 2 and any(answer.authenticated for answer in answers)
