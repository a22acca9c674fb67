"""How the demonstration talks: numbered steps, what was typed, what came out, what DNS says, how long it took."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text


class Narrator:
    """Draws on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step = 0

    def title(self, text: str, body: str) -> None:
        """What this is."""
        self._console.print(Panel(body, title=f"[bold]{escape(text)}", title_align="left", border_style="cyan"))

    def step(self, text: str) -> None:
        """A new step."""
        self._step += 1
        self._console.print()
        self._console.rule(f"[bold cyan]{self._step}[/]  {escape(text)}", align="left", style="cyan")

    def say(self, text: str) -> None:
        """A plain sentence."""
        self._console.print(Padding(Text(text), (0, 0, 0, 3)))

    def ran(self, command: str, output: str, exit_code: int, seconds: float) -> None:
        """A command, what it printed, its exit code and time."""
        self._console.print(f"   [bold green]$[/] [bold]{escape(command)}[/]")
        for line in output.rstrip().splitlines():
            self._console.print(Text.from_ansi("     " + line), soft_wrap=True)
        colour = "green" if exit_code == 0 else "yellow"
        self._console.print(f"   [{colour}]exit {exit_code}[/] [dim]after {seconds * 1000:.0f} ms[/]")

    def decided(self, decision: str, detail: str) -> None:
        """A line of the gateway's audit log."""
        self._console.print(f"   [magenta]gateway: {escape(decision)}[/] [dim]{escape(detail)}[/]")

    def proof(self, name: str, address: str, *, good: bool) -> None:
        """What DNS says now."""
        mark = "[green]✔[/]" if good else "[red]✘[/]"
        self._console.print(f"   {mark} DNS says: [bold]{escape(name)}[/] A [bold]{escape(address or 'none')}[/]")

    def summary(self, rows: list[tuple[str, str, str, float]]) -> None:
        """All steps at a glance: what happened, DNS afterwards, exit code, seconds."""
        table = Table(title="What happened", title_justify="left", border_style="cyan")
        for heading in ("run", "DNS afterwards", "exit"):
            table.add_column(heading)
        table.add_column("time", justify="right")
        for what, address, code, seconds in rows:
            table.add_row(escape(what), escape(address), code, f"{seconds * 1000:.0f} ms")
        self._console.print()
        self._console.print(table)

    def end(self, text: str) -> None:
        """The last word."""
        self._console.print(f"[bold green]✔[/] {escape(text)}")
