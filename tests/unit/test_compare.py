"""The step that decides, as one table: a row for each way that a record can stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.address import Family
from ddns.compare import Rules, compare
from ddns.detection import Absent, Available, Detection, Unknown
from ddns.errors import (
    AddressError,
    BadCredentials,
    Conflict,
    DdnsError,
    Deferred,
    Held,
    Malformed,
    ProviderError,
    RateLimited,
    Rejected,
    ServerSide,
    Transport,
)
from ddns.memory import Intent, Memory, Published
from ddns.model import (
    Adopt,
    Change,
    Fate,
    Hold,
    Keep,
    Kind,
    Observed,
    Plan,
    Reason,
    RecordKey,
    RecordType,
    RRset,
    Run,
    Target,
)

NOW = 1_000_000.0
HOUR = 3600.0
DAY = 24 * HOUR
KEY = RecordKey("dns", "home.example.com", RecordType.A)
RUN = Run("trace", "schedule", NOW)


def rrset(*texts: str, ttl: int | None = 60, **extra: str | bool) -> RRset:
    return RRset(frozenset(map(IPv4Address, texts)), ttl, extra)


OLD, NEW, ALIEN = rrset("1.0.0.1"), rrset("1.0.0.2"), rrset("9.9.9.9")
BOTH = rrset("9.9.9.9", "9.9.9.10")
GONE = "gone"  # read, and there is no such record


def ours(value: RRset = NEW, *, written: float = NOW - DAY, **fields: object) -> Published:
    return Published(value, NOW - DAY, written, **fields)  # type: ignore[arg-type]  # a table's short hand


def intent(before: RRset | None, after: RRset | None, *, age: float = 10.0, accepted: bool = False) -> Intent:
    return Intent(Change("earlier-0", KEY, before, after, Reason.ADDRESS, 7), NOW - age, accepted)


@dataclass(frozen=True)
class World:
    """How the record stands. `seen` None: not read."""

    seen: RRset | str | ProviderError | None = None
    published: Published | None = None
    intent: Intent | None = None
    says: Detection = Available(IPv4Address("1.0.0.2"), ("A", "B"))  # noqa: RUF009 - frozen
    ttl: int | None = 60
    extra: Mapping[str, str | bool] = field(default_factory=dict)
    adopt: Adopt = Adopt.SINGLE
    insist: bool = False
    held: bool = False

    def plan(self) -> Plan:
        seen: dict[RecordKey, Observed | ProviderError] = {}
        if isinstance(self.seen, ProviderError):
            seen[KEY] = self.seen
        elif self.seen is not None:
            seen[KEY] = Observed(KEY, None if isinstance(self.seen, str) else self.seen, "api", NOW, self.held)
        memory = Memory({KEY: self.published} if self.published else {}, {KEY: self.intent} if self.intent else {})
        target = Target(KEY, Family.V4, self.ttl, self.extra, self.adopt)
        return compare(RUN, [target], {Family.V4: self.says}, seen, memory, NOW, Rules(120.0, self.insist))


@dataclass(frozen=True)
class Writes:
    """A write from `before` to `after`."""

    reason: Reason
    before: RRset | None
    after: RRset = NEW


@dataclass(frozen=True)
class Keeps:
    """Nothing to do; `proven`: it was read."""

    rrset: RRset | None = NEW
    proven: bool = False
    note: str = ""


@dataclass(frozen=True)
class Holds:
    """Not touched; the message of the cause in full."""

    kind: Kind
    cause: type[DdnsError]
    message: str
    until: float | None = None
    read: bool = True


NOT_YET = "home.example.com A was written {} s ago and is not yet visible"
SENT = "home.example.com A was sent {} s ago and is not yet visible"
TWICE = "home.example.com A was changed by somebody else twice within 24 hours; {}"


def waiting(message: str, age: float, *, read: bool = True) -> Holds:
    return Holds(Kind.ACCEPTED, Deferred, message.format(int(age)), NOW - age + 120.0, read)


def held_by_gateway() -> Holds:
    return Holds(Kind.HELD, Held, "home.example.com A is held by the gateway until an operator releases it")


def contended(found: str, until: float, *, read: bool = True) -> Holds:
    return Holds(
        Kind.CONTENDED, Conflict, TWICE.format(f"now it is {found}" if read else "it was left alone"), until, read
    )


DECISIONS = [
    # A record that we have not written
    ("create", World(GONE), Writes(Reason.CREATE, None)),
    ("adopt: already right", World(NEW), Keeps(proven=True)),
    (
        "adopt: right but for the ttl",
        World(rrset("1.0.0.2", ttl=300)),
        Writes(Reason.ADDRESS, rrset("1.0.0.2", ttl=300)),
    ),
    ("adopt: one value", World(ALIEN), Writes(Reason.ADDRESS, ALIEN)),
    (
        "adopt: refused",
        World(BOTH),
        Holds(
            Kind.HELD,
            Rejected,
            "home.example.com A already has 2 values (9.9.9.10, 9.9.9.9) that this machine did not write",
        ),
    ),
    (
        "adopt: several, ours among them",
        World(rrset("1.0.0.2", "9.9.9.9")),
        Holds(
            Kind.HELD,
            Rejected,
            "home.example.com A already has 2 values (1.0.0.2, 9.9.9.9) that this machine did not write",
        ),
    ),
    ("adopt: all", World(BOTH, adopt=Adopt.ALL), Writes(Reason.ADDRESS, BOTH)),
    # A record that is ours
    ("believed", World(None, ours()), Keeps()),
    ("proven", World(NEW, ours()), Keeps(proven=True)),
    ("address", World(OLD, ours(OLD)), Writes(Reason.ADDRESS, OLD)),
    ("address, somebody's value there", World(ALIEN, ours(OLD)), Writes(Reason.ADDRESS, ALIEN)),
    ("address, record gone", World(GONE, ours(OLD)), Writes(Reason.ADDRESS, None)),
    ("address within the settling window", World(OLD, ours(OLD, written=NOW - 1)), Writes(Reason.ADDRESS, OLD)),
    ("settings: ttl", World(NEW, ours(), ttl=300), Writes(Reason.SETTINGS, NEW, rrset("1.0.0.2", ttl=300))),
    (
        "settings: ttl left alone",
        World(rrset("1.0.0.2", ttl=5), ours(), ttl=None),
        Keeps(rrset("1.0.0.2", ttl=None), proven=True),
    ),
    (
        "settings: proxied",
        World(rrset("1.0.0.2", proxied=False), ours(), extra={"proxied": True}),
        Writes(Reason.SETTINGS, rrset("1.0.0.2", proxied=False), rrset("1.0.0.2", proxied=True)),
    ),
    # Drift
    ("drift", World(ALIEN, ours()), Writes(Reason.DRIFT, ALIEN)),
    ("drift: record gone", World(GONE, ours()), Writes(Reason.DRIFT, None)),
    (
        "drift: a value beside ours",
        World(rrset("1.0.0.2", "9.9.9.9"), ours()),
        Writes(Reason.DRIFT, rrset("1.0.0.2", "9.9.9.9")),
    ),
    ("settling", World(OLD, ours(written=NOW - 30)), waiting(NOT_YET, 30)),
    ("settling: last moment", World(OLD, ours(written=NOW - 119)), waiting(NOT_YET, 119)),
    ("settled", World(OLD, ours(written=NOW - 120)), Writes(Reason.DRIFT, OLD)),
    ("written in the future: the clock was set back", World(OLD, ours(written=NOW + DAY)), Writes(Reason.DRIFT, OLD)),
    # Somebody else insists
    ("second reversal", World(ALIEN, ours(reversals=(NOW - HOUR,))), contended("9.9.9.9", NOW + HOUR)),
    ("second reversal, by deletion", World(GONE, ours(reversals=(NOW - HOUR,))), contended("gone", NOW + HOUR)),
    ("a reversal of yesterday", World(ALIEN, ours(reversals=(NOW - DAY,))), Writes(Reason.DRIFT, ALIEN)),
    ("a reversal in the future", World(ALIEN, ours(reversals=(NOW + 1,))), Writes(Reason.DRIFT, ALIEN)),
    (
        "third reversal: held twice as long",
        World(ALIEN, ours(reversals=(NOW - 3 * HOUR, NOW - HOUR))),
        contended("9.9.9.9", NOW + 2 * HOUR),
    ),
    (
        "many reversals: held a day at most",
        World(ALIEN, ours(reversals=tuple(NOW - n for n in range(200, 210)))),
        contended("9.9.9.9", NOW + DAY),
    ),
    (
        "held: the hold is not prolonged",
        World(ALIEN, ours(reversals=(NOW - HOUR,), held_until=NOW + 5)),
        contended("9.9.9.9", NOW + 5),
    ),
    (
        "held: not read",
        World(None, ours(reversals=(NOW - HOUR,), held_until=NOW + 5)),
        contended("1.0.0.2", NOW + 5, read=False),
    ),
    ("held, and it came right", World(NEW, ours(reversals=(NOW - HOUR,), held_until=NOW + 5)), Keeps(proven=True)),
    (
        "hold served",
        World(ALIEN, ours(reversals=(NOW - 2 * HOUR,), held_until=NOW - 1)),
        Writes(Reason.DRIFT, ALIEN),
    ),
    (
        "a hold from before our last write counts no more",
        World(ALIEN, ours(written=NOW - 600, reversals=(NOW - 2 * HOUR,), held_until=NOW - HOUR)),
        contended("9.9.9.9", NOW + HOUR),
    ),
    (
        "insist",
        World(ALIEN, ours(reversals=(NOW - HOUR,), held_until=NOW + 5), insist=True),
        Writes(Reason.DRIFT, ALIEN),
    ),
    ("insist, not read", World(None, ours(held_until=NOW + 5), insist=True), Keeps()),
    # The address is not there
    ("absent", World(None, ours(OLD), says=Absent("no route")), Keeps(OLD, note="no route")),
    ("absent, never published", World(None, says=Absent("no route")), Keeps(None, note="no route")),
    ("absent, read", World(OLD, ours(OLD), says=Absent("no route")), Keeps(OLD, proven=True, note="no route")),
    (
        "absent, read with another TTL",
        World(RRset(OLD.values, 300), ours(OLD), says=Absent("no route")),
        Keeps(OLD, proven=True, note="no route"),
    ),
    ("absent, another is read", World(ALIEN, ours(OLD), says=Absent("no route")), Keeps(None, True, "no route")),
    (
        "absent, another is read too early",
        World(ALIEN, ours(OLD, written=NOW - 100), says=Absent("no route")),
        Keeps(OLD, True, "no route"),
    ),
    ("absent, none is read", World(GONE, ours(OLD), says=Absent("no route")), Keeps(None, True, "no route")),
    (
        "unknown",
        World(None, ours(OLD), says=Unknown(("a: status 503", "b: says 1.0.0.9"))),
        Holds(
            Kind.FAILED,
            AddressError,
            "the public IPv4 address is not known: a: status 503; b: says 1.0.0.9",
            read=False,
        ),
    ),
    (
        "unknown, read",
        World(GONE, ours(OLD), says=Unknown(("a: silent",))),
        Holds(Kind.FAILED, AddressError, "the public IPv4 address is not known: a: silent"),
    ),
    # The provider answers with an error
    ("unreachable", World(Transport("down"), ours(OLD)), Holds(Kind.DEFERRED, Transport, "down", read=False)),
    ("rate limited", World(RateLimited("slow", retry_after=9)), Holds(Kind.DEFERRED, RateLimited, "slow", read=False)),
    ("server side", World(ServerSide("5xx")), Holds(Kind.DEFERRED, ServerSide, "5xx", read=False)),
    ("malformed", World(Malformed("html"), ours()), Holds(Kind.DEFERRED, Malformed, "html", read=False)),
    ("deferred", World(Deferred("open", until=NOW + 9)), Holds(Kind.DEFERRED, Deferred, "open", NOW + 9, read=False)),
    ("blocked", World(BadCredentials("no"), ours()), Holds(Kind.FAILED, BadCredentials, "no", read=False)),
    ("rejected", World(Rejected("a CNAME"), ours()), Holds(Kind.FAILED, Rejected, "a CNAME", read=False)),
    # An intent of an earlier run is open
    ("intent adopted", World(NEW, ours(OLD), intent(OLD, NEW)), (Fate.ADOPTED, Keeps(proven=True))),
    ("intent adopted, first of all", World(NEW, None, intent(None, NEW)), (Fate.ADOPTED, Keeps(proven=True))),
    (
        "intent adopted, and the address is another by now",
        World(ALIEN, ours(OLD), intent(OLD, ALIEN)),
        (Fate.ADOPTED, Writes(Reason.ADDRESS, ALIEN)),
    ),
    (
        "intent adopted of several values",
        World(BOTH, None, intent(None, BOTH)),
        (Fate.ADOPTED, Writes(Reason.ADDRESS, BOTH)),
    ),
    ("intent void", World(OLD, ours(OLD), intent(OLD, NEW)), (Fate.VOID, Writes(Reason.ADDRESS, OLD))),
    ("intent void: created nothing", World(GONE, None, intent(None, NEW)), (Fate.VOID, Writes(Reason.CREATE, None))),
    ("intent external", World(ALIEN, ours(OLD), intent(OLD, NEW)), (Fate.EXTERNAL, Writes(Reason.ADDRESS, ALIEN))),
    ("intent external: gone", World(GONE, ours(OLD), intent(OLD, NEW)), (Fate.EXTERNAL, Writes(Reason.ADDRESS, None))),
    (
        "intent external: several values",
        World(BOTH, None, intent(None, NEW)),
        (
            Fate.EXTERNAL,
            Holds(
                Kind.HELD,
                Rejected,
                "home.example.com A already has 2 values (9.9.9.10, 9.9.9.9) that this machine did not write",
            ),
        ),
    ),
    (
        "accepted, still on its way",
        World(OLD, ours(OLD), intent(OLD, NEW, accepted=True)),
        waiting(SENT, 10, read=False),
    ),
    (
        "accepted, too long ago",
        World(OLD, ours(OLD), intent(OLD, NEW, age=120, accepted=True)),
        (Fate.VOID, Writes(Reason.ADDRESS, OLD)),
    ),
    (
        "accepted, and the address is another by now",
        World(OLD, ours(OLD), intent(OLD, ALIEN, accepted=True)),
        (Fate.VOID, Writes(Reason.ADDRESS, OLD)),
    ),
    (
        "held by the gateway, for how long ever",
        World(OLD, ours(OLD), intent(OLD, NEW, age=DAY, accepted=True), held=True),
        held_by_gateway(),
    ),
    (
        "held, and the address is another by now",
        World(OLD, ours(OLD), intent(OLD, ALIEN, age=DAY, accepted=True), held=True),
        (Fate.VOID, Writes(Reason.ADDRESS, OLD)),
    ),
    (
        "held, and the address is that of DNS again: what is held must not be released",
        World(NEW, ours(), intent(NEW, ALIEN, accepted=True), held=True),
        (Fate.VOID, Writes(Reason.ADDRESS, NEW)),
    ),
    (
        "held is what DNS has",
        World(NEW, ours(), intent(NEW, NEW, accepted=True), held=True),
        (Fate.ADOPTED, Keeps(proven=True)),
    ),
    (
        "held, and the address is not known",
        World(OLD, ours(OLD), intent(OLD, NEW, accepted=True), Unknown(("a: silent",)), held=True),
        Holds(Kind.FAILED, AddressError, "the public IPv4 address is not known: a: silent"),
    ),
    ("released", World(NEW, ours(OLD), intent(OLD, NEW, age=DAY, accepted=True)), (Fate.ADOPTED, Keeps(proven=True))),
    (
        "accepted, the clock was set back",
        World(OLD, ours(OLD), intent(OLD, NEW, age=-HOUR, accepted=True)),
        (Fate.VOID, Writes(Reason.ADDRESS, OLD)),
    ),
    (
        "young intent, the address is not known",
        World(OLD, ours(OLD), intent(OLD, NEW), Unknown(("a: silent",))),
        waiting(SENT, 10, read=False),
    ),
    (
        "intent adopted, the address is not known",
        World(NEW, ours(OLD), intent(OLD, NEW), Unknown(("a: silent",))),
        (Fate.ADOPTED, Holds(Kind.FAILED, AddressError, "the public IPv4 address is not known: a: silent")),
    ),
    (
        "removal adopted",
        World(GONE, ours(OLD), intent(OLD, None), Absent("no route")),
        (Fate.ADOPTED, Keeps(None, proven=True, note="no route")),
    ),
    (
        "intent open and the record can't be read",
        World(Transport("down"), ours(OLD), intent(OLD, NEW)),
        Holds(Kind.DEFERRED, Transport, "down", read=False),
    ),
]

Expected = Writes | Keeps | Holds


@pytest.mark.parametrize(("world", "expected"), [pytest.param(w, e, id=name) for name, w, e in DECISIONS])
def test_decision(world: World, expected: Expected | tuple[Fate, Expected]) -> None:
    plan = world.plan()
    fate, rest = expected if isinstance(expected, tuple) else (None, expected)
    assert [resolution.fate for resolution in plan.resolved] == ([fate] if fate else [])
    items: list[Change | Keep | Hold] = [*plan.changes, *plan.unchanged, *plan.held]
    assert [shown(item) for item in items] == [rest]


def shown(item: Change | Keep | Hold) -> Expected:
    assert item.key == KEY
    if isinstance(item, Change):
        assert (item.id, item.seq) == ("trace-0", 0)
        assert item.after is not None
        return Writes(item.reason, item.before, item.after)
    if isinstance(item, Keep):
        return Keeps(item.rrset, item.observed is not None, item.note)
    return Holds(item.kind, type(item.cause), item.cause.message, item.until, item.observed is not None)


def test_advice_of_what_a_person_must_settle() -> None:
    held = World(BOTH).plan().held[0].cause.advice
    assert held == 'Remove the others, or set adopt = "all" for this record to replace them.'
    contended = World(ALIEN, ours(reversals=(NOW - HOUR,))).plan().held[0].cause.advice
    assert contended == "Find the other writer and give the name to one of the two, then: ddns run --now"


RRSETS = st.sampled_from([OLD, NEW, ALIEN, BOTH])
SEEN = st.none() | st.just(GONE) | RRSETS | st.builds(Transport, st.just("down"))
TIMES = st.integers(-4 * 86400, 4 * 86400).map(lambda seconds: NOW + seconds)
PUBLISHED = st.none() | st.builds(
    Published, RRSETS, TIMES, TIMES, reversals=st.lists(TIMES, max_size=4).map(tuple), held_until=st.none() | TIMES
)
INTENTS = st.none() | st.builds(
    Intent, st.builds(Change, st.just("x"), st.just(KEY), st.none() | RRSETS, st.none() | RRSETS,
                      st.sampled_from(Reason)), TIMES, st.booleans()
)  # fmt: skip
DETECTIONS = st.sampled_from([World().says, Absent("no route"), Unknown(("a: silent",))])


@given(SEEN, PUBLISHED, INTENTS, DETECTIONS, st.sampled_from(Adopt), st.booleans())
def test_only_the_detected_address_is_ever_written(
    seen: RRset | str | ProviderError | None,
    published: Published | None,
    opened: Intent | None,
    says: Detection,
    adopt: Adopt,
    insist: bool,
) -> None:
    plan = World(seen, published, opened, says, adopt=adopt, insist=insist).plan()
    assert len(plan.changes) + len(plan.unchanged) + len(plan.held) == 1
    for change in plan.changes:
        assert isinstance(says, Available)
        assert change.after == NEW
        assert isinstance(seen, RRset | str)
        assert change.before == (None if isinstance(seen, str) else seen)


def test_every_target_has_its_own_part_of_the_plan_and_its_own_change() -> None:
    v6 = RecordKey("dns", "home.example.com", RecordType.AAAA)
    other = RecordKey("dns", "other.example.com", RecordType.A)
    targets = [Target(KEY, Family.V4, 60), Target(v6, Family.V6), Target(other, Family.V4)]
    seen: dict[RecordKey, Observed | ProviderError] = {key: Observed(key, None, "api", NOW) for key in (KEY, other)}
    detections = {Family.V4: World().says, Family.V6: Unknown(("a: silent",))}
    plan = compare(RUN, targets, detections, seen, Memory(), NOW, Rules())
    assert [(change.id, change.key) for change in plan.changes] == [("trace-0", KEY), ("trace-2", other)]
    assert [hold.key for hold in plan.held] == [v6]
