"""The runbook: every exit code and every event has its page, no page is for another, and each says its part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ddns.cli.exits import LAUNCHER, MEANINGS
from ddns.cli.main import INTERRUPTED
from ddns.errors import Exit
from ddns.report.eventids import Event
from ddns.unread import UNREAD
from unit.terminal import ROOT

FOLDER = ROOT / "docs" / "runbook"
CODES = sorted({*map(int, Exit), *LAUNCHER, INTERRUPTED, UNREAD})
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
SECTIONS = ("## Likely causes\n", "## What to do\n", "## What shows more\n")
#: What a page may call an exit code or an event.
_NAMED = re.compile(r"\[(\d+)\]\((exit|event)-(\d+)\.md\)")


def name(page: Path) -> str:
    return page.name


def test_every_code_and_every_event_has_a_page_and_no_other_has() -> None:
    wanted = {f"exit-{code}.md" for code in CODES} | {f"event-{event.value}.md" for event in Event}
    assert {page.name for page in PAGES} == wanted
    assert set(MEANINGS) == set(Exit)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_says_what_why_what_to_do_and_what_shows_more(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    kind, _, number = page.stem.partition("-")
    title, _, rest = text.partition("\n\n")
    assert re.fullmatch(rf"# {'Exit code' if kind == 'exit' else 'Event'} {number}: \S.*", title)
    assert re.match(r"[A-Z][^\n#]{20,}", rest), "it begins with what it means"
    before = 0
    for section in SECTIONS:
        place = text.index(section)
        assert place > before
        assert re.match(r"\n- \S", text[place + len(section) :])
        before = place


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=name)
def test_a_page_names_no_unknown_code_and_no_unknown_event(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    known = {"exit": set(CODES), "event": {event.value for event in Event}}
    for shown, kind, number in _NAMED.findall(text):
        assert shown == number
        assert int(number) in known[kind]
    for number in re.findall(r"[Ee]xit code \[?(\d+)", text):
        assert int(number) in known["exit"]
    for number in re.findall(r"[Ee]vents? \[?(\d+)", text):
        assert int(number) in known["event"]


def test_the_index_has_every_page() -> None:
    listed = re.findall(
        r"^- \[(\d+)\]\(((?:exit|event)-\d+)\.md\): \S", (FOLDER / "README.md").read_text(), re.MULTILINE
    )
    assert sorted(page for _, page in listed) == sorted(page.stem for page in PAGES)
    assert all(page.endswith(f"-{number}") for number, page in listed)


@pytest.mark.parametrize("page", ["exit-codes.md", "events.md"])
def test_the_reference_leads_to_the_runbook(page: str) -> None:
    text = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    kind = "exit" if page == "exit-codes.md" else "event"
    numbers = [str(code) for code in CODES] if kind == "exit" else [str(event.value) for event in Event]
    led = re.findall(rf"^\| \[(\d+)\]\(\.\./runbook/{kind}-\1\.md\) \|", text, re.MULTILINE)
    assert sorted(led) == sorted(numbers)
