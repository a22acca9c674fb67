"""The step that learns the public address: asks several sources at once and believes what two operators agree on.

"Could not tell" is not "none": `Unknown` keeps a record as it is.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from msgspec.structs import replace

from ddns.address import Address, Family, Network, publishable
from ddns.detection import Absent, Answer, Available, Detected, Unknown
from ddns.errors import CaptivePortal, SourceError
from ddns.ports import Clock, Deadline, Net, Source
from ddns.skew import Hearing

#: Seconds that the probe's own answer is waited for after the quorum is there.
_GRACE = 0.5
_PORTAL = "a captive portal, or a proxy that inspects TLS, answers in place of the sources"

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
    resting: Collection[str] = (),
) -> Detected:
    """The public address of a family.

    A source that suffices (the own gateway) is asked first, with nobody beside it but the probe, and leaves half of
    the time to the others. `route`: whether the system has a way to the Internet for the family; without one, only
    silence is `Absent`. `probe` names the source that is given a moment longer, so that the next run may ask it
    alone. `ask_all` waits for everybody (for people who look). `resting` names sources that are asked last, and only
    if the others come to nothing.
    """
    asked = [source for source in sources if family in source.families]
    answers: list[Answer] = []
    groups = _groups(asked, probe, resting)
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
        else:
            if not patience.is_cut:
                answers += _late(group, answers, patience.whole)
        if not ask_all and isinstance(verdict(answers), Available):
            break
    found = verdict(answers)
    if isinstance(found, Available):
        return Detected(found, tuple(answers))
    if not route and not any(answer.address for answer in answers):
        return Detected(Absent(f"no route to the Internet over IPv{family.value}"), tuple(answers))
    causes = _portal(answers) + found.causes
    return Detected(Unknown(causes or (f"no source for IPv{family.value} is set",)), tuple(answers))


def _late(group: Sequence[Source], answers: Iterable[Answer], seconds: float) -> list[Answer]:
    """For each of the group that was waited for to the end and said nothing."""
    told = {answer.source for answer in answers}
    return [
        Answer(s.name, s.operator, s.authenticated, problem=f"{s.name}: no answer in time", seconds=seconds)
        for s in group
        if s.name not in told
    ]


class _Patience:
    """How long answers are waited for: a share of the time, and only a moment more once there is a quorum."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self.whole = deadline.left()
        self.is_cut = False

    def left(self) -> float:
        """Seconds."""
        return self._deadline.left()

    def cut(self) -> None:
        """There is a quorum; only the probe is still waited for."""
        self._deadline = self._deadline.within(_GRACE)
        self.is_cut = True


def _groups(asked: Sequence[Source], probe: str, resting: Collection[str]) -> list[list[Source]]:
    """Who is asked together: those that suffice and the probe, then the rest; all at once where nobody suffices.

    Those that rest come last, unless the others could not agree among themselves.
    """
    awake = [source for source in asked if source.name not in resting]
    asleep = [source for source in asked if source.name in resting]
    if not _may_agree(awake):
        awake, asleep = list(asked), []
    first = sorted((s for s in awake if s.suffices or s.name == probe), key=lambda s: not s.suffices)
    if not any(source.suffices for source in first):
        first = []
    rest = [source for source in awake if source not in first]
    return [group for group in (first, rest, asleep) if group]


def _may_agree(sources: Sequence[Source]) -> bool:
    """Whether there are enough of them for a quorum."""
    operators = {source.operator for source in sources}
    sure = any(source.authenticated for source in sources)
    return any(source.suffices for source in sources) or (len(operators) >= 2 and sure)


def _portal(answers: Iterable[Answer]) -> tuple[str, ...]:
    """The cause that stands before those of the sources: nobody could be heard, for something answered for them."""
    heard = any(answer.authenticated and answer.address for answer in answers)
    return (_PORTAL,) if not heard and any(answer.portal for answer in answers) else ()


def _probe_done(answers: Iterable[Answer], probe: str, group: Iterable[Source]) -> bool:
    return probe not in {source.name for source in group} or any(answer.source == probe for answer in answers)


def _question(
    source: Source, family: Family, net: Net, clock: Clock, deadline: Deadline, allow: tuple[Network, ...]
) -> Question:
    def ask() -> Answer:
        began = clock.monotonic()
        hearing = Hearing(net, clock)
        answer = Answer(source.name, source.operator, source.authenticated)
        try:
            address = checked(source.name, source.ask(family, hearing, deadline), family, allow)
        except SourceError as error:
            portal = isinstance(error, CaptivePortal)
            answer = replace(answer, problem=error.message, portal=portal, retry_after=error.retry_after)
        else:
            answer = replace(answer, address=address, suffices=source.suffices)
        skew = hearing.skew if source.authenticated else None
        return replace(answer, seconds=clock.monotonic() - began, skew=skew)

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
