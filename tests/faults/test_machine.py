"""A state machine over whole runs: lying sources, faulty providers, a second writer, a clock that jumps, kills.

Safety: whatever happens, nothing but the true address is ever sent to a provider. Convergence: once the faults end
and time has gone by, a few runs put DNS right.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ddns.errors import EXIT_ORDER
from ddns.model import RecordType, RRset
from ddns.runtime import RunRequest
from faults.effects import SIDES, Cut, Side
from faults.stage import EVERY, OPERATORS, PROBE, Stage
from faults.test_effects import history_has_no_gap
from unit.fakes import FAULTS, Fault

DAY = 24 * 3600.0
NAMES = ("one.example.test", "two.example.test")
NEIGHBOUR = ("other.example.test", RecordType.A)

addresses = st.integers(1, 9).map("203.0.113.{}".format)
others = st.lists(st.integers(1, 9).map("198.51.100.{}".format), max_size=2, unique=True)
requests = st.sampled_from(
    [RunRequest(), RunRequest(), RunRequest(full=True), RunRequest(prove=True), RunRequest(now=True)]
)


class Machine(RuleBasedStateMachine):
    """``one`` writes by compare-and-set, ``two`` does not."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.forks = 0
        self.stage = Stage(Path(self.folder.name) / "data", NAMES)
        self.stage.providers["two"].compare_and_set = False
        self.stage.__enter__()
        self.stage.dns.records[NEIGHBOUR] = RRset(frozenset({RecordType.A.parse("198.51.100.77")}), 60)
        self.truth = "203.0.113.1"
        self.liar = ""  # the one operator that does not tell the truth, and what it says instead
        self.lie = ""
        self.silent: frozenset[str] = frozenset()
        self.foreign = False  # whether somebody else wrote, or a late write of ours landed, since the last proof
        self.undone: set[str] = set()  # names for which a write that landed can't be told from one that did not
        self._speak()

    def teardown(self) -> None:
        try:
            self._converges()
        finally:
            self.stage.__exit__(None, None, None)
            self.folder.cleanup()

    def _speak(self) -> None:
        self.stage.move(self.truth)
        self.stage.net.says.update(dict.fromkeys(self.silent, ""))
        if self.liar:
            self.stage.net.says[self.liar] = self.lie

    # -- the world

    @rule(address=addresses)
    def moves(self, address: str) -> None:
        self.truth = address
        self._speak()

    @rule(operator=st.sampled_from(OPERATORS), lie=addresses | st.just(""), alone=st.booleans())
    def one_operator_lies(self, operator: str, lie: str, alone: bool) -> None:
        self.liar, self.lie = operator, lie
        self.silent = frozenset(OPERATORS) if alone else frozenset()
        self._speak()

    @rule(operator=st.sampled_from(OPERATORS))
    def one_falls_silent(self, operator: str) -> None:
        self.silent |= {operator}
        self._speak()

    @rule()
    def all_are_honest(self) -> None:
        self.liar, self.silent = "", frozenset()
        self._speak()

    @rule(ident=st.sampled_from(["one", "two"]), faults=st.lists(st.none() | st.sampled_from(FAULTS), max_size=3))
    def writes_will_fail(self, ident: str, faults: list[Fault | None]) -> None:
        self.stage.providers[ident].write_faults.extend(faults)

    @rule(ident=st.sampled_from(["one", "two"]), faults=st.lists(st.none() | st.sampled_from(FAULTS), max_size=3))
    def reads_will_fail(self, ident: str, faults: list[Fault | None]) -> None:
        self.stage.providers[ident].read_faults.extend(faults)

    @rule(ident=st.sampled_from(["one", "two"]), fault=st.none() | st.sampled_from(FAULTS))
    def goes_down(self, ident: str, fault: Fault | None) -> None:
        self.stage.providers[ident].down = fault

    @rule(name=st.sampled_from(NAMES), values=others)
    def somebody_else_writes(self, name: str, values: list[str]) -> None:
        self.stage.dns.alter(name, *values)
        self.foreign = True
        self.undone.add(name)

    @precondition(lambda self: any(provider.waiting for provider in self.stage.providers.values()))
    @rule()
    def late_writes_land(self) -> None:
        self._release()

    def _release(self) -> None:
        for provider in self.stage.providers.values():
            self.foreign |= bool(provider.waiting)
            self.undone |= {change.key.name for change in provider.waiting}
            provider.release()

    # Odd times: at the very moment at which a proof falls due, the cheap path still believes and the full one reads.
    @rule(seconds=st.sampled_from([1.01, 60.03, 130.07, 700.11, 4000.13, EVERY + 1.17, DAY + 1.19]))
    def time_goes_by(self, seconds: float) -> None:
        self.stage.clock.tick(seconds)

    @rule(seconds=st.sampled_from([-10 * DAY, -DAY, -3600.0, -1.5, 3600.0, DAY, 10 * DAY]))
    def the_clock_is_set(self, seconds: float) -> None:
        self.stage.clock.jump(seconds)

    # -- runs

    @rule(request=requests)
    def runs(self, request: RunRequest) -> None:
        proofs = self._proofs()
        code = self.stage.run(request)
        self._ended(code, request)
        if self._proofs() != proofs and request.prove and code == 0:
            self.foreign = False

    @rule(request=requests, number=st.integers(1, 30), side=st.sampled_from(SIDES))
    def runs_and_is_killed(self, request: RunRequest, number: int, side: Side) -> None:
        before = self.stage.folder
        self.stage.kill(Cut(number, side), request)
        if self.stage.folder != before:
            self.stage.folder.rename(before.with_name("gone"))
            shutil.rmtree(before)
            before.with_name("gone").rename(before)
            self.stage.folder = before

    @precondition(lambda self: not self.foreign and self.liar != PROBE and not self.silent)
    @rule()
    def quick_and_full_agree(self) -> None:
        """Wherever nobody else wrote since the last proof, the one probe is honest and a quorum can be had."""
        ends = []
        for request in (RunRequest(), RunRequest(full=True)):
            self.forks += 1
            with self.stage.fork(Path(self.folder.name) / f"fork{self.forks}") as fork:
                ends.append((fork.run(request), fork.published()))
                shutil.rmtree(fork.folder)
        assert ends[0] == ends[1]

    def _ended(self, code: int, request: RunRequest) -> None:
        """The run's results agree with each other, and with DNS."""
        status = self.stage.status()
        assert status["run"]["exit"] == code
        assert code in EXIT_ORDER
        assert self.stage.open_runs() == 0
        outcomes = [record["outcome"] for record in status["records"]]
        if code == 0:
            assert not {"failed", "deferred", "contended"} & set(outcomes)
        else:
            assert {"failed", "deferred", "contended", "held"} & set(outcomes)
        for record in status["records"]:
            if status["run"]["full"] and record["outcome"] in {"proven", "updated", "repaired"}:
                assert record["address"] == self.truth
                assert self.stage.dns.texts(record["name"]) == (self.truth,)

    def _proofs(self) -> list[tuple[object, ...]]:
        if not self._has_state():
            return []
        return self.stage.sql("SELECT name, proven_at, written_at FROM records ORDER BY name")

    def _has_state(self) -> bool:
        return (self.stage.folder / "state" / "state.db").exists()

    # -- what must hold

    @invariant()
    def only_the_truth_is_sent(self) -> None:
        """The address does not change within a run, so the truth is that of now."""
        sent = [change for provider in self.stage.providers.values() for change in provider.sent]
        for change in sent:
            assert change.after is not None
            assert change.after.texts() == [self.truth]
        for provider in self.stage.providers.values():
            provider.sent.clear()

    @invariant()
    def the_neighbour_is_untouched(self) -> None:
        assert self.stage.dns.texts(*NEIGHBOUR) == ("198.51.100.77",)

    @invariant()
    def one_intent_a_record(self) -> None:
        if self._has_state():
            many = self.stage.sql(
                "SELECT name FROM changes WHERE state IN ('open', 'accepted') GROUP BY name HAVING count(*) > 1"
            )
            assert many == []

    def _converges(self) -> None:
        self.liar, self.silent = "", frozenset()
        self._speak()
        for provider in self.stage.providers.values():
            provider.write_faults.clear()
            provider.read_faults.clear()
            provider.down = None
        self._release()
        for name in NAMES:
            if len(self.stage.dns.texts(name)) > 1 and not (self._has_state() and self.stage.believed().get(name)):
                self.stage.dns.alter(name)  # a person settles whose record it is
        codes = []
        for _ in range(3):
            self.stage.clock.tick(DAY + 1)
            codes.append(self.stage.run())
            self.only_the_truth_is_sent()
            self.one_intent_a_record()
        assert codes[-1] == 0, codes
        assert self.stage.published() == ((self.truth,),) * 2
        assert self.stage.believed() == dict.fromkeys(NAMES, self.truth)
        assert self.stage.open_intents() == 0
        assert self.stage.expectation() is not None
        history_has_no_gap(self.stage, fenced=False, undone=self.undone)


TestMachine = Machine.TestCase
TestMachine.settings = settings(settings.get_profile("faults"), max_examples=120, stateful_step_count=25)
