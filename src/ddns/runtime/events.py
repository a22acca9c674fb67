"""What is told to this machine's event log: by a full run, by the service, and by a program that crashes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType

from ddns import host
from ddns.address import Family
from ddns.detection import Detected, Unknown
from ddns.errors import DdnsError, Exit, SettingsError, StateUnwritable
from ddns.host import eventlog
from ddns.model import Outcome
from ddns.moves import Move
from ddns.report import situation
from ddns.report.eventids import Event
from ddns.report.eventids import page as page
from ddns.wording import span

#: Writes one event: id, level, text.
Report = Callable[[int, str, str], None]
#: Bytes of a status.json that are read.
_LIMIT = 4 << 20


class Events:
    """The events of one full run. Make it before the run replaces status.json, which says what was told before."""

    def __init__(self, places: host.Places, trace_id: str, mask: Callable[[str], str], report: Report) -> None:
        self._trace_id = trace_id
        self._mask = mask
        self._report = report
        self._known = known(places)

    def _tell(self, told: Iterable[situation.Told]) -> None:
        for item in told:
            self._report(item.event.value, item.event.level.value, self._mask(item.text))

    def ended(self, outcomes: Sequence[Outcome], detected: Mapping[Family, Detected], code: int) -> None:
        """The run went all the way."""
        disagree = any(
            isinstance(found.detection, Unknown) and any(answer.address for answer in found.answers)
            for found in detected.values()
        )
        self._tell(situation.news(self._known, outcomes, code, disagree=disagree, trace_id=self._trace_id))

    def settings_wrong(self, error: SettingsError) -> None:
        """The run ended with the settings; told when the run before did not."""
        if self._known.last != Exit.SETTINGS:
            text = f"{'; '.join(error.problems) or error.message}. {error.advice}"
            self._tell([situation.trouble(Event.SETTINGS, text, self._trace_id)])

    def moved(self, move: Move) -> None:
        """The public address is in another network than what was published."""
        self._tell([situation.trouble(Event.MOVED, str(move), self._trace_id)])

    def rebuilt(self, notes: Sequence[str]) -> None:
        """The state is new, and says why."""
        if notes:
            self._tell([situation.trouble(Event.STATE_REBUILT, "; ".join(notes), self._trace_id)])


def known(places: host.Places) -> situation.Before:
    """What the last status.json told."""
    try:
        with open(places.status_file, "rb") as file:
            return situation.before(host.read_at_most(file, _LIMIT))
    except OSError:
        return situation.Before()


def state_unusable(places: host.Places, error: DdnsError, trace_id: str, report: Report = eventlog.report) -> None:
    """A run ended with the state; told when the run before did not."""
    if known(places).last == Exit.STATE:
        return
    event = Event.STATE_UNWRITABLE if isinstance(error, StateUnwritable) else Event.STATE_UNUSABLE
    told = situation.trouble(event, f"{error.message}. {error.advice}", trace_id)
    report(event.value, event.level.value, told.text)


def crashed(kind: type[BaseException], trace: TracebackType | None, report: Report = eventlog.report) -> None:
    """The program ends by an error of its own. What the error says may be a secret: only where it arose is told."""
    place = ""
    while trace is not None:
        place = f" in {os.path.basename(trace.tb_frame.f_code.co_filename)}, line {trace.tb_lineno}"
        trace = trace.tb_next
    told = situation.trouble(Event.CRASH, f"the program crashed: {kind.__name__}{place}", "")
    report(Event.CRASH.value, Event.CRASH.level.value, told.text)


def service_started(every: float, report: Report = eventlog.report) -> None:
    """The service is at work."""
    report(Event.SERVICE_STARTED.value, Event.SERVICE_STARTED.level.value, f"the service runs every {span(every)}")


def service_stopped(report: Report = eventlog.report) -> None:
    """The service ends because it was told to."""
    report(Event.SERVICE_STOPPED.value, Event.SERVICE_STOPPED.level.value, "the service was stopped")


def run_failed(output: str, seconds: float, report: Report = eventlog.report) -> None:
    """A run of the service took too long, or could not be started."""
    text = f"a run of the service was ended after {span(seconds)}" if seconds >= 1 else output
    told = situation.trouble(Event.RUN_FAILED, text, "")
    report(Event.RUN_FAILED.value, Event.RUN_FAILED.level.value, told.text)
