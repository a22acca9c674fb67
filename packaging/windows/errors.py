"""What ends a build: an error, with what to do about it."""

from __future__ import annotations


class BuildError(Exception):
    """The build can't go on. The message names the thing and its value; `advice` says what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.args[0]}\n{self.advice}" if self.advice else str(self.args[0])


class Lacking(BuildError):
    """This machine lacks a part that the build needs, and it can't be fetched."""
