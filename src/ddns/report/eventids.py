"""The events that an administrator may filter on: ids that never change their meaning. The reference page is from here.

Ids are those of a message file that has 1 to 1000: 1xx information, 2xx warning, 3xx error.
"""

from __future__ import annotations

import enum

import msgspec


class Level(enum.StrEnum):
    """The three levels of a system's event log."""

    INFORMATION = "information"
    WARNING = "warning"
    ERROR = "error"


class Event(enum.IntEnum):
    """Each situation that is told."""

    UPDATED = 100
    REPAIRED = 101
    REMOVED = 102
    ACCEPTED = 103
    RECOVERED = 110
    SERVICE_STARTED = 120
    SERVICE_STOPPED = 121
    NO_ADDRESS = 200
    DISAGREE = 201
    UNREACHABLE = 202
    BREAKER_OPEN = 203
    HELD = 204
    STATE_REBUILT = 205
    UNTRUSTED = 206
    MOVED = 207
    SETTINGS = 300
    BAD_CREDENTIALS = 301
    NOT_PERMITTED = 302
    NO_SUCH_ZONE = 303
    BANNED = 304
    CLOCK_SKEW = 305
    REJECTED = 306
    CONTENDED = 307
    BLOCKED = 309
    STATE_UNWRITABLE = 310
    STATE_UNUSABLE = 311
    RUN_FAILED = 320
    CRASH = 390

    @property
    def level(self) -> Level:
        """By the hundred."""
        return (Level.INFORMATION, Level.WARNING, Level.ERROR)[self // 100 - 1]


class Meaning(msgspec.Struct, frozen=True):
    """When an event is told, and what to do."""

    when: str
    advice: str


_NOTHING = "Nothing."
_STATUS = "Do what `ddns status` says, then: ddns run --now"
MEANINGS = {
    Event.UPDATED: Meaning("A record was made, or set to this machine's new address.", _NOTHING),
    Event.REPAIRED: Meaning(
        "Somebody else had changed a record; it was set back.", "Find the other writer if it comes again."
    ),
    Event.REMOVED: Meaning("A record was removed.", _NOTHING),
    Event.ACCEPTED: Meaning("A write was acknowledged and is not in DNS yet; the next run looks.", _NOTHING),
    Event.RECOVERED: Meaning("What was told as wrong before is right again.", _NOTHING),
    Event.SERVICE_STARTED: Meaning("The service started.", _NOTHING),
    Event.SERVICE_STOPPED: Meaning("The service was stopped, or the machine goes down.", _NOTHING),
    Event.NO_ADDRESS: Meaning(
        "In two runs in a row no source told the public address. Records stay as they are.",
        "If it lasts: ddns detect",
    ),
    Event.DISAGREE: Meaning(
        "In two runs in a row sources told different addresses. Records stay as they are.",
        "See who says what: ddns detect",
    ),
    Event.UNREACHABLE: Meaning(
        "In two runs in a row a provider could not be reached, or answered with an error.",
        "If it lasts, check the network and the provider's status page.",
    ),
    Event.BREAKER_OPEN: Meaning(
        "In two runs in a row a provider was left alone, because most of the last calls failed.",
        "Nothing; it is tried again by itself. At once: ddns run --now",
    ),
    Event.HELD: Meaning(
        "The gateway keeps an update until its operator releases it.", "At the gateway: ddns gateway thaw HOST"
    ),
    Event.STATE_REBUILT: Meaning(
        "The state was damaged: it was set aside, and a new one was made.", "Check the disk if it comes again."
    ),
    Event.UNTRUSTED: Meaning(
        "In two runs in a row a provider's certificate was not trusted.",
        "Name the authority with `ca_file`, or find what answers in the provider's place.",
    ),
    Event.MOVED: Meaning(
        "The public address moved to another network (the first 16 bits changed; of IPv6 the first 32).",
        "Nothing if the line or the place was changed; else see who says what: ddns detect",
    ),
    Event.SETTINGS: Meaning("The settings are wrong; nothing was done.", "See each problem: ddns config validate"),
    Event.BAD_CREDENTIALS: Meaning(
        "A provider does not accept the credentials.", "Store valid ones with `ddns secret set`, then: ddns run --now"
    ),
    Event.NOT_PERMITTED: Meaning("The credentials lack a right.", _STATUS),
    Event.NO_SUCH_ZONE: Meaning("No zone of the account holds the name.", _STATUS),
    Event.BANNED: Meaning("A provider shuts this client, account or machine out.", _STATUS),
    Event.CLOCK_SKEW: Meaning("This machine's clock is wrong.", "Set the clock (w32tm /resync), then: ddns run --now"),
    Event.REJECTED: Meaning("A record is refused, or holds values that others wrote.", _STATUS),
    Event.CONTENDED: Meaning(
        "Somebody else keeps changing a record; it is left alone.",
        "Find the other writer, give the name to one of the two, then: ddns run --now",
    ),
    Event.BLOCKED: Meaning("A provider refuses for another reason, and is left alone.", _STATUS),
    Event.STATE_UNWRITABLE: Meaning(
        "The state can't be written; nothing was done.",
        "Give the account that runs ddns the right to write to the state folder, and free space.",
    ),
    Event.STATE_UNUSABLE: Meaning("The state can't be used, or a newer version wrote it.", "Do what the event says."),
    Event.RUN_FAILED: Meaning(
        "A run of the service took longer than five minutes and was ended, or could not be started.",
        "Restart the service if it lasts: ddns service stop, ddns service start",
    ),
    Event.CRASH: Meaning(
        "The program ended by an error of its own.", "Run it by hand and report what it prints: ddns run --full"
    ),
}


def page() -> str:
    """docs/reference/events.md."""
    rows = [
        f"| [{event.value}](../runbook/event-{event.value}.md) | {event.level} | {MEANINGS[event].when} |"
        f" {MEANINGS[event].advice} |"
        for event in Event
    ]
    return "\n".join(
        [
            "# Events",
            "",
            'On Windows: log "Application", source "DDNS". The ids never change their meaning. An event is written',
            "when a situation begins or ends, not by each run: where all is well and the address stays there is none.",
            "What may pass by itself (200 to 203, 206) is told when it lasts for two runs. Runs on the short way write",
            "none; the JSON log has every run, under the `trace_id` that an event ends with.",
            "This page is made from the program: `python -m ddns.cli.pages docs/reference`.",
            "",
            "| id | level | when | what to do |",
            "| ---: | --- | --- | --- |",
            *rows,
            "",
        ]
    )
