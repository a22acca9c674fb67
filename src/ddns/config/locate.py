"""The line of a key in TOML text.

`tomllib` gives values without positions. This reads the *shape* of a text that `tomllib` has accepted: keys, headers,
and where values end; it is used only when there is something to say about a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Keys and indexes from the root: ``("record", 0, "name")``.
Path = tuple[str | int, ...]

# Compiled at first use (and kept by `re`): a run without an error doesn't pay for them.
_SPACE = r"[ \t]*"
_BLANK = r"(?:[ \t\r\n]|#[^\n]*)*"
_BARE = r"[A-Za-z0-9_-]+"
_SCALAR = r"[^,\]}#\n]*"
_STRINGS = (
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"{3,5}',
    r"'''(?:[^']|'(?!''))*'{3,5}",
    r'"(?:[^"\\\n]|\\.)*"',
    r"'[^'\n]*'",
)
_ESCAPE = r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)"
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def locate(text: str) -> dict[Path, int]:
    """The line (from 1) of every table, key and list item of a valid TOML text."""
    return _Scanner(text).run()


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of a path, or of the nearest thing around it; 1 when there is none."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._counted = (0, 1)
        self._lines: dict[Path, int] = {}
        self._arrays: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        table: Path = ()
        while self._skip(_BLANK) < len(self._text):
            line = self._line()
            if self._text[self._at] == "[":
                table = self._header(line)
            else:
                self._pair(table)
        return self._lines

    def _skip(self, pattern: str) -> int:
        match = re.compile(pattern).match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at

    def _line(self) -> int:
        at, line = self._counted
        line += self._text.count("\n", at, self._at)
        self._counted = (self._at, line)
        return line

    def _header(self, line: int) -> Path:
        array = self._text.startswith("[[", self._at)
        self._at += 2 if array else 1
        keys = self._keys()
        self._at += 2 if array else 1
        path = self._through(keys[:-1], line)
        path += (keys[-1],)
        if array:
            self._lines.setdefault(path, line)
            count = self._arrays.get(path, 0)
            self._arrays[path] = count + 1
            path += (count,)
        self._lines[path] = line
        return path

    def _through(self, keys: list[str], line: int) -> Path:
        path: Path = ()
        for key in keys:
            path += (key,)
            self._lines.setdefault(path, line)
            if path in self._arrays:
                path += (self._arrays[path] - 1,)
        return path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for key in self._keys():
            path += (key,)
            self._lines.setdefault(path, line)
        self._at += 1
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> list[str]:
        """A dotted key; stops at what follows it."""
        keys = []
        while True:
            self._skip(_SPACE)
            start = self._at
            if self._text[start] in "\"'":
                pattern = _STRINGS[2 if self._text[start] == '"' else 3]
                raw = self._text[start + 1 : self._skip(pattern) - 1]
                keys.append(_unescape(raw) if self._text[start] == '"' else raw)
            else:
                keys.append(self._text[start : self._skip(_BARE)])
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._items(path)
        elif opening == "{":
            self._at += 1
            while self._text[self._skip(_BLANK)] != "}":
                self._pair(path)
                self._comma()
            self._at += 1
        elif opening in "\"'":
            before = self._at
            for pattern in _STRINGS:
                if self._skip(pattern) > before:
                    return
        else:
            self._skip(_SCALAR)

    def _items(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._text[self._skip(_BLANK)] != "]":
            item = (*path, index)
            self._lines[item] = self._line()
            self._value(item)
            self._comma()
            index += 1
        self._at += 1

    def _comma(self) -> None:
        if self._text[self._skip(_BLANK)] == ",":
            self._at += 1


def _unescape(raw: str) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match[1]
        if len(code) > 1:
            return chr(int(code[1:], 16))
        return _ESCAPES.get(code, code)

    return re.sub(_ESCAPE, replace, raw)
