"""Drawing for people; the only module that imports rich.

Text is never read as markup, control characters are shown as escapes, and where the stream's encoding lacks our signs
they are drawn in ASCII. Colour is never the only bearer of a meaning, and NO_COLOR is honoured.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Literal

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from ddns.wording import visible

#: What is drawn: plain text, or text in a role of `_ROLES`.
Part = str | tuple[str, str]
#: A cell of a table: a part, or several.
Cell = Part | list[Part]

_ROLES = {
    "fine": "green",
    "waiting": "yellow",
    "failed": "bold red",
    "new": "dim",
    "strong": "bold",
    "dim": "dim",
    "address": "cyan",
    "old": "red",
    "step": "bold cyan",
    "good": "bold green",
    "other": "magenta",
}
_FRAME = "cyan"
#: The sign of each standing; their shapes differ, too.
_SIGNS = {"fine": "●", "waiting": "◐", "failed": "✗", "new": "○", "note": "·"}
_BARS = "▁▂▃▄▅▆▇█"
_ASCII = str.maketrans(
    {
        "●": "o",
        "◐": "~",
        "✗": "x",
        "○": "-",
        "·": "-",
        "→": "->",
        "…": "...",
        "±": "+-",
        "—": "-",
        "─": "=",
        "’": "'",
        "✔": "+",
        "✘": "x",
    }
    | dict(zip(_BARS, "__..--==", strict=True))
)
#: Columns between those of a table, and before what goes on below.
_GAP = 2
_INDENT = 4
#: A cell of at most so many columns is not broken.
_SHORT = 16
#: Commands to paste, in backticks or behind a colon, and what stands for their blanks while lines are broken.
_COMMAND = re.compile(r"`ddns [^`]*`|(?<=: )ddns [^,;()`]*[^,;()`. ]")
_GLUE = "\ue000"
#: Columns where the stream is no terminal: lines are not broken for a program or a file.
_UNBOUNDED = 240


def sign(standing: str) -> Part:
    """The sign of ``fine``, ``waiting``, ``failed``, ``new`` or ``note``, in its colour."""
    return (_SIGNS[standing], standing if standing in _ROLES else "dim")


def spark(counts: Sequence[int]) -> str:
    """A line of bars; the lowest one stands for none."""
    top = max(counts, default=0)
    return "".join(_BARS[0 if not n else 1 + round((n / top) * (len(_BARS) - 2))] for n in counts)


class Screen:
    """Where a command draws. `width` is in columns; `record` keeps what is drawn, for `svg`."""

    def __init__(self, file: IO[str] | None = None, *, width: int | None = None, record: bool = False) -> None:
        self._file = file or sys.stdout
        self._encoding = getattr(self._file, "encoding", None) or "utf-8"
        # Python may write UTF-8 all the same (PEP 540); who asks for the C locale has a terminal of ASCII.
        asks_for_ascii = not record and _locale() in ("C", "POSIX")
        self._plain = asks_for_ascii or not _encodes(self._encoding, "".join(_SIGNS.values()) + _BARS + "→·…")
        self._console = Console(
            file=self._file,
            width=width or self._own_width(),
            record=record,
            markup=False,
            emoji=False,
            highlight=False,
            theme=Theme({f"ddns.{role}": style for role, style in _ROLES.items()}),
            force_terminal=True if record else None,
        )

    def _own_width(self) -> int | None:
        columns = os.environ.get("COLUMNS", "")
        if columns.isdecimal() and int(columns) == 0:
            return 80  # rich would believe it, and draw nothing
        if columns:
            return None  # rich knows
        return self._terminal_width() if self._file.isatty() else _UNBOUNDED

    def _terminal_width(self) -> int | None:
        """None where rich finds it: it asks the three standard streams, which a windowless program opened anew."""
        try:
            number = self._file.fileno()
            return None if number <= 2 else os.get_terminal_size(number).columns or None
        except (OSError, ValueError):
            return None

    @property
    def width(self) -> int:
        """Columns."""
        return self._console.width

    @contextmanager
    def working(self, *, shown: bool = True) -> Iterator[Callable[[str], None]]:
        """What is being worked at, on one line that is gone afterwards; on a terminal, and when it is to be `shown`."""
        if not (shown and self._file.isatty()):
            yield lambda _what: None
            return
        with self._console.status("", spinner="line" if self._plain else "dots") as status:
            yield lambda what: status.update(self._text([f"looking at {what}"]))

    def line(self, *parts: Part, indent: int = 0, hang: int = 0) -> None:
        """One line; a longer one goes on below, `hang` columns further in. A command of ours is not broken."""
        if not parts:
            self._console.print()
            return
        for number, piece in enumerate(self._broken(self._text(parts), max(self.width - indent - hang, 20))):
            self._console.print(Text(" " * (indent + (hang if number else 0))) + piece, soft_wrap=True)

    def _broken(self, text: Text, room: int) -> Iterator[Text]:
        """The text in lines. A command that is longer than one is left to the terminal, which copies it whole."""
        commands = list(_COMMAND.finditer(text.plain))
        first = next((match.start() for match in commands if cell_len(match[0]) > room), len(text))
        text.plain = _COMMAND.sub(lambda match: match[0].replace(" ", _GLUE), text.plain)
        lead, rest = text[:first], text[first:]
        for piece in [*(lead.wrap(self._console, room) if lead else []), *([rest] if rest else [])]:
            piece.rstrip()
            piece.plain = piece.plain.replace(_GLUE, " ")
            yield piece

    def flow(self, items: Sequence[Part], *, indent: int = 0) -> None:
        """Items in a row with dots between, each kept on one line where it fits."""
        row: list[Part] = []
        used = indent
        for item in items:
            width = width_of(item if isinstance(item, str) else item[0])
            if row and used + 3 + width > self.width:
                self.line(*row, indent=indent)
                row, used = [], indent
            row += [(" · ", "dim"), item] if row else [item]
            used += width + 3 * (len(row) > 1)
        if row:
            self.line(*row, indent=indent)

    def folded(self, text: str, *, lead: Sequence[Part], role: str) -> None:
        """A long word after `lead`, broken wherever a line ends."""
        pieces = chop_cells(self._fit(text), max(self.width - 4, 20))
        for number, piece in enumerate(pieces):
            self.line(*(lead if number == 0 else ["  "]), (piece, role))

    def table(self, rows: Iterable[Sequence[Cell]], *, head: Sequence[str] = (), right: Sequence[str] = ()) -> None:
        """Aligned columns without lines; nothing is cut. `right`: heads of numbers.

        Cells are broken between words. Where the words don't fit beside each other, each row is a line of its own,
        and goes on below.
        """
        texts = [[self._cell(cell) for cell in row] for row in rows]
        widths = _widths([*texts, [Text(name) for name in head]], self.width)
        if widths is None:
            for row in texts:
                self._stacked(row, head)
            return
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=bool(head), header_style="dim")
        for number, width in enumerate(widths):
            name = head[number] if number < len(head) else ""
            justify: Literal["left", "right"] = "right" if name in right and name else "left"
            table.add_column(name, overflow="fold", width=width, justify=justify)
        for row in texts:
            table.add_row(*row)
        self._console.print(table)

    def _stacked(self, row: Sequence[Text], head: Sequence[str]) -> None:
        """A row whose cells stand one after the other, those behind the first text with the name of their column."""
        lead, line = Text(), Text()
        for number, cell in enumerate(row):
            if not cell.plain:
                continue
            if number == 0 and cell_len(cell.plain) == 1:
                lead = cell + Text(" ")
                continue
            name = head[number] if number < len(head) and (line or lead.plain.isspace()) else ""
            piece = Text.assemble((f"{name} ", "dim"), cell) if name else cell
            if not line:
                line = piece
            elif cell_len(lead.plain + line.plain + piece.plain) + _GAP <= self.width:
                line += Text(" " * _GAP) + piece
            else:
                self._wrapped(lead, line)
                lead, line = Text(" " * _INDENT), piece
        self._wrapped(lead, line)

    def _wrapped(self, lead: Text, line: Text) -> None:
        """A line behind its `lead`; what doesn't fit goes on below, further in."""
        fits = cell_len(lead.plain + line.plain) <= self.width
        for piece in [line] if fits else line.wrap(self._console, max(self.width - _INDENT, 16)):
            piece.rstrip()
            self._console.print(lead + piece, soft_wrap=True)
            lead = Text(" " * _INDENT)

    def whole(self, *parts: Part) -> None:
        """A line that is never broken here: what is in it is there to be copied."""
        self._console.print(self._text(parts), soft_wrap=True)

    def panel(self, title: str, *lines: Sequence[Part]) -> None:
        """Lines in a frame."""
        body = Text("\n").join(map(self._text, lines))
        self._console.print(Panel(body, title=self._cell((title, "strong")), title_align="left", border_style=_FRAME))

    def rule(self, *parts: Part) -> None:
        """A line across the screen that begins with a heading, which is folded where it is longer."""
        pieces = self._text(parts).wrap(self._console, max(self.width - _INDENT, 20))
        for number, piece in enumerate(pieces):
            piece.rstrip()
            drawn = Text(" " * 3) + piece if number else piece
            if number == len(pieces) - 1:
                rest = self.width - cell_len(drawn.plain) - 1
                drawn = drawn + Text(" " + ("-" if self._plain else "─") * rest, style=_FRAME) if rest > 0 else drawn
            self._console.print(drawn, soft_wrap=True)

    def quote(self, output: str, *, indent: int) -> None:
        """What another program of ours drew, in its colours; a line that is too long goes on below, further in."""
        for line in output.rstrip().splitlines():
            plain = line.translate(_ASCII) if self._plain else line
            fit = plain.encode(self._encoding, "backslashreplace").decode(self._encoding)
            text = Text.from_ansi(fit)
            text.rstrip()
            own = len(text.plain) - len(text.plain.lstrip(" "))
            for number, piece in enumerate(text.wrap(self._console, max(self.width - indent - own - 2, 20))):
                piece.rstrip()
                inner = indent + (own + 2 if number else 0)
                self._console.print(Text(" " * inner) + piece if piece.plain else "", soft_wrap=True)

    def framed(self, title: str, rows: Iterable[Sequence[Cell]], *, head: Sequence[str], right: Sequence[str]) -> None:
        """A table with lines. `right`: heads of numbers."""
        self.line((title, "strong"))
        table = Table(border_style=_FRAME)
        for name in head:
            table.add_column(name, justify="right" if name in right else "left")
        for row in rows:
            table.add_row(*map(self._cell, row))
        self._console.print(table)

    def svg(self, title: str) -> str:
        """What was drawn, as an SVG picture. Only of a screen that records."""
        return self._console.export_svg(title=title)

    def _cell(self, cell: Cell) -> Text:
        return self._text(cell if isinstance(cell, list) else [cell])

    def _text(self, parts: Iterable[Part]) -> Text:
        text = Text()
        for part in parts:
            words, role = (part, "") if isinstance(part, str) else part
            text.append(self._fit(words), style=f"ddns.{role}" if role else None)
        return text

    def _fit(self, words: str) -> str:
        words = visible(words)
        if self._plain:
            words = words.translate(_ASCII)
        return words.encode(self._encoding, "backslashreplace").decode(self._encoding)


def _widths(rows: Sequence[Sequence[Text]], room: int) -> list[int] | None:
    """The width of each column, so that words stay whole; None when there is no room for that."""
    columns = [[row[n].plain for row in rows if n < len(row)] for n in range(max(map(len, rows), default=0))]
    whole = [max((cell_len(line) for text in texts for line in text.split("\n")), default=0) for texts in columns]
    least = [
        full if full <= _SHORT else max(cell_len(word) for text in texts for word in text.split() or [""])
        for full, texts in zip(whole, columns, strict=True)
    ]
    spare = room - sum(least) - _GAP * (len(columns) - 1)
    if spare < 0:
        return None
    widths = least[:]
    for number in sorted(range(len(columns)), key=lambda n: whole[n] - least[n]):  # the rest goes to the longest
        widths[number] += min(whole[number] - least[number], spare)
        spare -= widths[number] - least[number]
    return [max(width, 1) for width in widths]


def _locale() -> str:
    """The locale of characters as the environment names it, "" when it doesn't."""
    return next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "")


def _encodes(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def width_of(text: str) -> int:
    """The columns that a text takes."""
    return cell_len(visible(text))
