"""How the demonstration talks: numbered steps, what was typed, what came out, what DNS says, how long it took."""

from __future__ import annotations

from collections.abc import Sequence

from ddns.render import Part, Screen

#: Columns before what a command printed.
_QUOTED = 5


class Narrator:
    """Draws on a screen."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._step = 0

    @property
    def room(self) -> int:
        """Columns that a command's output has."""
        return self._screen.width - _QUOTED

    def title(self, text: str, *lines: Sequence[Part]) -> None:
        """What this is."""
        self._screen.panel(text, *lines)

    def step(self, text: str) -> None:
        """A new step."""
        self._step += 1
        self._screen.line()
        self._screen.rule((str(self._step), "step"), f"  {text}")

    def say(self, text: str) -> None:
        """A plain sentence."""
        self._screen.line(text, indent=3, hang=2)

    def ran(self, command: str, output: str, exit_code: int, seconds: float) -> None:
        """A command, what it printed, its exit code and time."""
        self._screen.line(("$", "good"), " ", (command, "strong"), indent=3, hang=2)
        self._screen.quote(output, indent=_QUOTED)
        took = (f"after {seconds * 1000:.0f} ms", "dim")
        self._screen.line((f"exit {exit_code}", "fine" if exit_code == 0 else "waiting"), " ", took, indent=3)

    def decided(self, decision: str, detail: str) -> None:
        """A line of the gateway's audit log."""
        self._screen.line((f"gateway: {decision}", "other"), " ", (detail, "dim"), indent=3, hang=2)

    def proof(self, name: str, address: str, *, good: bool) -> None:
        """What DNS says now."""
        mark: Part = ("✔", "fine") if good else ("✘", "old")
        self._screen.line(mark, " DNS says: ", (name, "strong"), " A ", (address or "none", "strong"), indent=3, hang=2)

    def summary(self, rows: list[tuple[str, str, str, float]]) -> None:
        """All steps at a glance: what happened, DNS afterwards, exit code, seconds."""
        told = [(what, address, code, f"{seconds * 1000:.0f} ms") for what, address, code, seconds in rows]
        self._screen.line()
        self._screen.framed("What happened", told, head=("run", "DNS afterwards", "exit", "time"), right=("time",))

    def end(self, text: str) -> None:
        """The last word."""
        self._screen.line(("✔", "good"), f" {text}", hang=2)
