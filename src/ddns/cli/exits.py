"""The exit codes as people read them: what each means, and what to do. The reference page is made from this."""

from __future__ import annotations

from ddns.cli.value import Value
from ddns.errors import Exit


class Meaning(Value):
    """One code: what it means as a page says it, what is wrong as `status` says it, and what to do."""

    means: str
    wrong: str
    advice: str


MEANINGS = {
    Exit.FINE: Meaning(
        "Fine: every record is right, whether it was changed or not; or runs are paused, or this machine is retired.",
        "",
        "Nothing.",
    ),
    Exit.CRASH: Meaning(
        "The program was cut off, or it crashed.",
        "the last run was cut off or crashed",
        "Run it by hand and report what it prints: ddns run --full",
    ),
    Exit.USAGE: Meaning(
        "The command line asks for something that can't be done.",
        "the last run was given a wrong command line",
        "Read the message, and the command's help: ddns COMMAND --help",
    ),
    Exit.SETTINGS: Meaning(
        "The settings are wrong, or `config init` can't write them; nothing was asked and nothing was changed.",
        "the settings are wrong",
        "See every problem with its line: ddns config validate",
    ),
    Exit.ADDRESS: Meaning(
        "The public address is not known: no source answers, or they disagree. Records stay as they are.",
        "the public address is not known",
        "See what each source answers: ddns detect",
    ),
    Exit.REFUSED: Meaning(
        "A provider refuses, or a record has another owner; a person must act.",
        "a provider refuses, or a record has another owner",
        "Act on the advice that `ddns status` shows, then: ddns run --now",
    ),
    Exit.UNREACHABLE: Meaning(
        "A provider can't be reached, or asks to wait; a later run tries again by itself.",
        "a provider can't be reached, or asks to wait",
        "Nothing, unless it lasts: then check the network and the provider's status page.",
    ),
    Exit.BUSY: Meaning(
        "Another run is at work on this machine.",
        "another run was at work",
        "Wait for it to end; it has a time limit of its own. Where it comes often, something starts two at once.",
    ),
    Exit.STATE: Meaning(
        "The state can't be written, or a newer version wrote it; nothing was changed.",
        "the state can't be used",
        "Give the account that runs ddns write access to the state folder, and free space.",
    ),
    Exit.DEGRADED: Meaning(
        "`ddns status` or `ddns doctor` found something wrong, or there is no status that can be read.",
        "something is wrong",
        "Do what the command says.",
    ),
}

#: What the console launcher of Windows ends with by itself (packaging/windows/launcher): no program ran.
LAUNCHER = {
    30: Meaning(
        "The file `bin\\current` can't be read, or holds something other than a version.",
        "the launcher does not know which version to start",
        "Run Deploy-DDNS.ps1 again; it writes the file anew.",
    ),
    31: Meaning(
        "The program is not where the launcher looks for it.",
        "the program is missing",
        "Run Deploy-DDNS.ps1 again, or repair the installation in Programs and Features.",
    ),
    32: Meaning(
        "Windows does not start the program: a file is missing or damaged, or a policy forbids it.",
        "the program does not start",
        "Look up the number in the message; then as for 31.",
    ),
}

#: Of any command but `run`, which ends with the code of its work.
_UNREAD = Meaning(
    "The output could not be written: whoever read it went away (`ddns history \\| head -1`), or the disk that it goes"
    " to is full. What the command did is done.",
    "the output could not be written",
    "Nothing for a pipe; else free space, or let the output go elsewhere.",
)


def meaning(code: int) -> Meaning:
    """What a code means; one that is not ours is a crash."""
    known = code in Exit.__members__.values()
    return MEANINGS[Exit(code)] if known else MEANINGS[Exit.CRASH]


def _link(code: int) -> str:
    """The code, which leads to its page of the runbook."""
    return f"[{code}](../runbook/exit-{code}.md)"


def page() -> str:
    """docs/reference/exit-codes.md."""
    rows, launcher = (
        [f"| {_link(int(code))} | {text.means} | {text.advice} |" for code, text in table.items()]
        for table in (MEANINGS, LAUNCHER)
    )
    return "\n".join(
        [
            "# Exit codes",
            "",
            "Every command ends with one of these. Of several results of one run, the first of 15, 10, 12, 13, 11, 0",
            "counts. This page is made from the program: `python -m ddns.cli.pages docs/reference`.",
            "",
            "| code | meaning | what to do |",
            "| ---: | --- | --- |",
            *rows,
            f"| {_link(130)} | Interrupted with Ctrl-C. | Nothing; the next run goes on from where this one was. |",
            f"| {_link(141)} | {_UNREAD.means} | {_UNREAD.advice} |",
            "",
            "On Windows `ddns` is a launcher that hands on the code of the program. These are its own; no program ran:",
            "",
            "| code | meaning | what to do |",
            "| ---: | --- | --- |",
            *launcher,
            "",
        ]
    )
