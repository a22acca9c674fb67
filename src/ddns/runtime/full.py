"""A full run, from the settings to the exit code, and what it leaves behind for the next one."""

from __future__ import annotations

from msgspec.structs import replace

from ddns import host, skew
from ddns.address import Family
from ddns.config.load import Loaded
from ddns.cycle import World, carry_out, look
from ddns.detection import Available, Detected, Unknown
from ddns.errors import Exit, SettingsError, StateError, worst
from ddns.expect import Expectation
from ddns.host.secrets import Vault
from ddns.memory import Memory
from ddns.model import Outcome, Run
from ddns.moves import moved
from ddns.report.events import outcome_line, skewed, tell_detection, tell_outcome
from ddns.report.log import JsonLog
from ddns.runtime import RunRequest, Start, compose, connections, events, loading, say
from ddns.runtime.closing import close, complain, unusable
from ddns.runtime.promise import promise
from ddns.runtime.quick import fingerprint
from ddns.state.opening import open_store
from ddns.state.store import Store
from ddns.wording import pasteable


def full_run(start: Start, request: RunRequest, seams: compose.Seams | None = None) -> int:
    """The whole chain. Returns the exit code; an error of our tree becomes one, with a message on standard error."""
    try:
        prepare(start.places)
        store = open_store(start.places.state_file, start.started)
        try:
            return _Session(start, request, store, seams or compose.Seams()).run()
        finally:
            store.close_file()
    except StateError as error:
        return unusable(start, error)


def prepare(places: host.Places) -> None:
    """Make the folders that a run writes to. Raises StateUnwritable."""
    for folder in (places.state, places.logs, places.secrets):
        host.private_folder(folder)
    host.private_folder(places.public, public=True)


class _Session:
    """One full run on an open state."""

    def __init__(self, start: Start, request: RunRequest, store: Store, seams: compose.Seams) -> None:
        self._start = start
        self._request = request
        self._store = store
        self._seams = seams
        self._vault = Vault(start.places.secrets, start.places.option)
        store.mask = self._vault.mask
        self._log = JsonLog(
            start.places.log_file, start.trace_id, clock=seams.clock, append=host.append, mask=self._vault.mask
        )
        self._events = events.Events(start.places, start.trace_id, self._vault.mask, self._seams.report)
        self._run = Run(start.trace_id, request.trigger, start.started)
        self._proven_under = ""

    def run(self) -> int:
        """Settings, steps, end."""
        memory = self._store.recall()
        self._events.rebuilt(self._store.notes(self._start.started))
        self._proven_under = memory.fingerprint
        self._seams.state(self._store).begin(self._run)
        if self._store.retired_at() is not None:  # also for who asks with --now: a deployment's task may, by mistake
            self._say("the records were removed by `ddns remove --all`; `ddns resume` publishes them again", "INFO")
            self._close(int(Exit.FINE), None, 0, None)
            return int(Exit.FINE)
        try:
            loaded, data = loading.load(self._start.places)
            self._log.configure(loaded.settings.log.level, loaded.settings.log.max_bytes, loaded.settings.log.keep)
            if not loaded.settings.record:
                self._say(loading.no_records(self._start.places), "WARN")
            watched = loading.watched(loaded, self._vault)
            mark = fingerprint(data, watched or ())
            world = compose.world(
                loaded,
                self._request,
                memory,
                self._store,
                self._vault,
                self._log,
                self._start.trace_id,
                self._seams,
                self._store.note_rest,
            )
            # Other settings, another version, another network, or a resume: what was proven before is proven again.
            # What was refused may pass now, and also when a person asks.
            if mark != memory.fingerprint:
                world = replace(world, prove=True)
            if mark != memory.fingerprint or self._request.now:
                world = replace(world, memory=replace(memory, refused={}))
            found = look(world, self._run, lambda family, seen: self._tell_detected(memory, family, seen))
        except SettingsError as error:  # also of a ca_file, which is opened when it is used
            return self._settings_wrong(error)
        if not any(isinstance(seen.detection, Unknown) for seen in found.detected.values()):
            self._proven_under = mark  # a record of an unknown address was not read
        outcomes = carry_out(world, self._run, found.plan, self._tell)
        self._watch(loaded, world, outcomes)
        code = int(worst([outcome.exit for outcome in outcomes]))
        expectation = None
        if watched is not None and connections.cheap(loaded.settings, data):
            made = promise(world, found, outcomes, self._store.recall(), data)
            if made is not None:
                expectation = Expectation(mark, made.made, made.until, made.expected, code, watched)
        self._close(code, expectation, sum(outcome.kind.wrote for outcome in outcomes), loaded)
        self._events.ended(outcomes, found.detected, code)
        return code

    def _watch(self, loaded: Loaded, world: World, outcomes: list[Outcome]) -> None:
        """Measure how long what was written takes to be seen, where the settings ask for that."""
        seconds = loaded.settings.proof.watch.seconds
        if not seconds or not any(outcome.kind.wrote for outcome in outcomes):
            return
        from ddns.runtime import watching

        tools = compose.build_tools(
            loaded.settings, self._vault, self._log, self._start.trace_id, world.clock, world.net
        )
        ask = watching.asking(world, outcomes, tools)
        for seen in watching.watch(outcomes, ask, seconds=seconds, clock=world.clock, deadline=world.deadline):
            self._store.note_visibility(seen)
            upper = round(seen.upper, 1) if seen.upper is not None else None
            self._log.write("INFO", f"{seen.key}: visible", lower=round(seen.lower, 1), upper=upper)

    def _tell_detected(self, memory: Memory, family: Family, seen: Detected) -> None:
        tell_detection(self._log, family, seen.detection, seen.answers)
        if isinstance(seen.detection, Available):
            now = self._seams.clock.now()
            move = moved(seen.detection.address, memory.published.values(), self._store.moves(), now)
            if move is not None:
                self._store.note_move(move)
                self._say(str(move), "WARN")
                self._events.moved(move)
        seconds = skew.told(seen.answers)
        if seconds is not None:
            self._say(skewed(seconds), "WARN")

    def _tell(self, outcome: Outcome) -> None:
        tell_outcome(self._log, outcome)
        self._say(self._vault.mask(outcome_line(outcome)))

    def _say(self, text: str, level: str = "") -> None:
        """A line on standard output, and in the log with a `level`."""
        if level:
            self._log.write(level, text)
        say(pasteable(text, self._start.places.option))

    def _settings_wrong(self, error: SettingsError) -> int:
        complain(error, self._start.places.option)
        for problem in error.problems or (error.message,):
            self._log.write("ERROR", problem, code=error.code)
        self._close(int(error.exit), None, 0, None)
        self._events.settings_wrong(error)
        return int(error.exit)

    def _close(self, code: int, expectation: Expectation | None, changed: int, loaded: Loaded | None) -> None:
        unshown = close(
            self._start,
            self._store,
            self._run,
            code,
            ended=self._seams.clock.now(),
            changed=changed,
            loaded=loaded,
            logged=self._log.tells_info,
            fingerprint=self._proven_under,
            expectation=expectation,
        )
        if unshown:
            self._log.write("WARN", unshown)
        level = "INFO" if code == 0 else "WARN"
        self._log.write(level, "run ended", exit=code, changed=changed, trigger=self._run.trigger)
