"""A TOML text, and the problems that are found in it, with file and line."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from ddns.config.layers import Layer, strongest
from ddns.config.locate import Path, line_of, locate
from ddns.config.words import dotted, escaped
from ddns.errors import SettingsError

#: Bytes; a larger file is not a settings file.
LARGEST = 1 << 20
#: A problem as it is collected: the rank of its layer, its line, its text.
Problem = tuple[int, int, str]


class Text:
    """A TOML text with the name that messages give it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self._text = text

    @functools.cached_property
    def _lines(self) -> Mapping[Path, int]:
        return locate(self._text)

    def line(self, path: Path) -> int:
        """The line of a path, or of the nearest thing around it."""
        return line_of(self._lines, path)

    def place(self, path: Path) -> str:
        """File and line of a path."""
        return f"{self.name}:{self.line(path)}"


def parse(data: bytes, path: str) -> tuple[Text, dict[str, Any]]:
    """Decode and parse TOML. Raises SettingsError for what is not TOML, naming file and line."""
    if len(data) > LARGEST:
        raise _single(path, f"{path}: larger than {LARGEST >> 20} MiB; this is not a settings file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _single(path, f"{path}:{line}: not UTF-8; save the file as UTF-8") from None
    try:
        return Text(path, text), tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _single(path, _not_toml(path, text, str(error))) from None
    except (ValueError, RecursionError):  # a number of thousands of digits; hundreds of nested lists
        raise _single(path, f"{path}: too long a number, or too deep a list, for a settings file") from None


class Problems:
    """Collects problems, and words them with their place."""

    def __init__(self, layers: Sequence[Layer], text: Text) -> None:
        self._layers = layers
        self._text = text
        self._found: list[Problem] = []

    def add(self, path: Path, message: str) -> None:
        """Note what is wrong at a path, wherever its value comes from."""
        layer, _ = strongest(self._layers, path)
        if layer is None or layer.name == "file":
            line = self._text.line(path)
            what = f"{dotted(path)}: " if path else ""
            self._note(0, line, f"{self._text.name}:{line}: {what}{message}")
        elif path in layer.places:
            self._note(1, 0, f"environment {layer.places[path]}: {message}")
        else:
            self._note(2, 0, f"{layer.name}: {dotted(path)}: {message}")

    def add_environment(self, path: Path, message: str) -> None:
        """Note what is wrong with a variable that did not become a value."""
        variable = "DDNS_" + "_".join(map(str, path)).upper()
        self._note(1, 0, f"environment {variable}: {message}")

    def _note(self, layer: int, line: int, text: str) -> None:
        self._found.append((layer, line, escaped(text)))

    def raise_if_any(self) -> None:
        """Raise SettingsError when something was noted."""
        if self._found:
            lines = tuple(text for _, _, text in sorted(self._found, key=lambda found: found[:2]))
            count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
            raise SettingsError(f"{self._text.name} has {count}", lines)


def _single(path: str, problem: str) -> SettingsError:
    return SettingsError(f"{path} has 1 problem", (escaped(problem),))


def _not_toml(path: str, text: str, error: str) -> str:
    """Word the message of tomllib with its place where ours have it."""
    message, _, place = error.rpartition(" (at ")
    if place.startswith("line "):
        line = place.removeprefix("line ").partition(",")[0]
    else:
        line = str(text.rstrip("\n").count("\n") + 1)
    return f"{path}:{line}: not TOML: {message[:1].lower()}{message[1:]}"
