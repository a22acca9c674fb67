"""The ledger as `publish` sees it: the part of the port `State` that the publisher needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ddns.errors import Rejected
from ddns.gateway.audit import Audit
from ddns.gateway.ledger import Entry, Intent, Ledger, Values
from ddns.memory import BlockNote, BreakerNote, Memory
from ddns.model import Change, Outcome, RecordKey, Resolution, RRset, Run
from ddns.ports import Clock


def stored_values(rrset: RRset | None) -> Values | None:
    """Values as the ledger keeps them."""
    return None if rrset is None else tuple(rrset.texts())


class LedgerState:
    """Keeps intents and outcomes of one pass; `wanted` are the entries that the pass carries.

    Memory, blocks and breakers are the client's; the publisher has its own pauses, so those methods do nothing.
    """

    def __init__(self, ledger: Ledger, audit: Audit, wanted: Mapping[RecordKey, Entry], clock: Clock) -> None:
        self._ledger = ledger
        self._audit = audit
        self._wanted = wanted
        self._clock = clock

    def recall(self) -> Memory:
        """Nothing: each pass reads the records afresh."""
        return Memory()

    def begin(self, run: Run) -> None:
        """Nothing to keep."""

    def intend(self, _run: Run, changes: Sequence[Change], at: float | None = None) -> list[Change]:
        """Make the writes known before they are sent."""
        now = self._clock.now() if at is None else at
        self._ledger.intend(
            [
                Intent(
                    change.id,
                    change.key.name,
                    change.key.type,
                    self._wanted[change.key].revision,
                    stored_values(change.before),
                    now,
                )
                for change in changes
            ]
        )
        return list(changes)

    def resolve(self, run: Run, resolution: Resolution) -> None:
        """Never called: the publisher's plans resolve nothing."""

    def settle(self, _run: Run, outcome: Outcome) -> None:
        """Keep what DNS took, or refused for good; whatever else stays queued."""
        if outcome.change is not None and outcome.kind.wrote:
            self.confirm(outcome.key, outcome.change)
        elif isinstance(outcome.cause, Rejected):
            entry = self._wanted[outcome.key]
            self._audit.write("failed", reason=outcome.cause.message, **_who(entry))
            self._ledger.fail(entry, outcome.cause.message)

    def confirm(self, key: RecordKey, change: Change | None) -> None:
        """Keep that DNS holds what is wanted. `change` None: it was found so.

        The audit line comes first: a kill between the two leaves a line twice rather than none. Where an intent is
        open, a publisher that was killed had sent the write, and its line is made up for.
        """
        entry = self._wanted[key]
        intent = self._ledger.intent(entry.name, entry.type)
        new = entry.values or ()
        if change is None and intent is None:
            self._audit.write("confirmed", new=new, **_who(entry))
        else:
            old = stored_values(change.before) if change is not None else intent.before if intent is not None else None
            self._audit.write("published", old=old or (), new=new, **_who(entry))
        self._ledger.confirm(entry, self._clock.now())

    def note_breaker(self, name: str, note: BreakerNote) -> None:
        """Not kept."""

    def note_block(self, name: str, note: BlockNote | None) -> None:
        """Not kept."""


def _who(entry: Entry) -> dict[str, object]:
    return {
        "trace_id": entry.trace_id,
        "host": entry.host,
        "name": entry.name,
        "type": entry.type.value,
        "revision": entry.revision,
    }
