"""Drawing: what stands on the screen, in any width and encoding."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddns.render import Cell, Screen, sign, spark


class Terminal(io.TextIOWrapper):
    """A colour terminal in memory."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        self.seek(0)
        return self.read()


def drawn(screen: Screen, file: io.StringIO) -> list[str]:
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_long_line_goes_on_further_in() -> None:
    file = io.StringIO()
    Screen(file, width=24).line("→ ", "one two three four five six seven", indent=2, hang=2)

    assert file.getvalue() == "  → one two three four\n    five six seven\n"


def test_markup_is_text() -> None:
    file = io.StringIO()
    Screen(file, width=60).line("[bold]x[/bold] [/] :smile:", ("[red]", "failed"))

    assert file.getvalue() == "[bold]x[/bold] [/] :smile:[red]\n"


def test_items_are_kept_whole_where_they_fit() -> None:
    file = io.StringIO()
    Screen(file, width=20).flow(["one two", ("three", "dim"), "four five"], indent=2)

    assert file.getvalue() == "  one two · three\n  four five\n"


def test_a_table_folds_and_never_cuts() -> None:
    file = io.StringIO()
    screen = Screen(file, width=30)
    screen.table([["a", ("b" * 40, "strong"), [("1", "dim"), "2"]]], head=("", "name", "n"), right=("n",))

    text = "".join(drawn(screen, file))
    assert text.count("b") == 40
    assert max(map(len, file.getvalue().splitlines())) <= 30


def test_a_long_word_is_broken_at_the_end_of_the_line() -> None:
    file = io.StringIO()
    Screen(file, width=24).folded("x" * 25, lead=["● "], role="strong")

    assert file.getvalue() == f"● {'x' * 20}\n  {'x' * 5}\n"


def test_colour_in_a_terminal_unless_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    colour = Terminal()
    Screen(colour, width=40).line(sign("failed"))
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    Screen(plain, width=40).line(sign("failed"))

    assert "\x1b[1;31m✗" in colour.text()
    assert "31m" not in plain.text()
    assert "✗" in plain.text()


def test_what_is_no_terminal_gets_no_colour_and_long_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    file = io.StringIO()
    screen = Screen(file)
    screen.line(("x " * 100, "failed"))

    assert screen.width == 240
    assert file.getvalue() == ("x " * 100).rstrip() + "\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "latin-1"])
def test_signs_that_the_encoding_lacks_are_drawn_in_ascii(encoding: str) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    screen = Screen(terminal, width=60)
    screen.line(sign("fine"), sign("waiting"), sign("failed"), sign("new"), " → ü ", spark([0, 1, 2]))

    terminal.seek(0)
    umlaut = r"\xfc" if encoding == "ascii" else "ü"
    assert terminal.read() == f"o~x- -> {umlaut} _-=\n"


@pytest.mark.parametrize(
    ("names", "ascii_only"),
    [
        ({"LC_ALL": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, True),
        ({"LC_ALL": "", "LC_CTYPE": "C"}, True),
        ({"LANG": "C"}, True),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_the_locale_c_is_a_terminal_of_ascii(
    names: dict[str, str], ascii_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    file = io.StringIO()
    Screen(file, width=40).line(sign("fine"))

    assert file.getvalue() == ("o\n" if ascii_only else "●\n")


def test_a_table_is_folded_between_words_and_stacked_where_they_do_not_fit() -> None:
    rows: list[list[Cell]] = [["●", ("a.very-long-name.example.com", "strong"), "some words that are long"]]
    drawn_in = {}
    for width in (60, 44, 30):
        file = io.StringIO()
        Screen(file, width=width).table(rows, head=("", "name", "answer"))
        drawn_in[width] = drawn(Screen(file, width=width), file)

    assert drawn_in == {
        60: ["   name                          answer", "●  a.very-long-name.example.com  some words that are long"],
        44: [
            "   name                          answer",
            "●  a.very-long-name.example.com  some words",
            "                                 that are",
            "                                 long",
        ],
        30: ["● a.very-long-name.example.com", "    answer some words that are", "    long"],
    }


@given(st.text(), st.sampled_from(["utf-8", "ascii", "cp1252"]), st.integers(20, 200))
def test_any_text_in_any_console(text: str, encoding: str, width: int) -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    screen = Screen(file, width=width)
    screen.line(text, hang=2)
    screen.table([[text, (text, "strong")]], head=("a", "b"))
    screen.flow([text, text])
    screen.folded(text, lead=["● "], role="strong")
    file.flush()
    file.seek(0)

    assert all(line.isprintable() for line in file.read().split("\n"))


@pytest.mark.parametrize(
    ("counts", "bars"), [([], ""), ([0, 0], "▁▁"), ([0, 1, 7], "▁▃█"), ([3, 3], "██"), ([1, 0, 1000], "▂▁█")]
)
def test_spark(counts: list[int], bars: str) -> None:
    assert spark(counts) == bars


def test_a_picture() -> None:
    screen = Screen(io.StringIO(), width=40, record=True)
    screen.line(sign("fine"), " <all> is well")

    picture = screen.svg("ddns status")
    assert picture.startswith("<svg")
    assert "&lt;all&gt;" in picture


def test_a_terminal_that_is_none_of_the_standard_streams_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is with a windowless program in the console that started it."""
    monkeypatch.delenv("COLUMNS", raising=False)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 57, 0, 0))
    with open(theirs, "w", encoding="utf-8") as file:
        assert Screen(file).width == 57
    os.close(ours)


def test_a_command_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(width=40)
    screen.line("→ ", "Set it right, look at it, and then: ddns run --now", indent=2, hang=2)
    screen.line(
        "→ ", "See `ddns status --data /a/folder/with/a/name/longer/than/the/line`, then wait.", indent=2, hang=2
    )
    assert capsys.readouterr().out.splitlines() == [
        "  → Set it right, look at it, and",
        "    then: ddns run --now",
        "  → See",
        "    `ddns status --data /a/folder/with/a/name/longer/than/the/line`, then wait.",
    ]
