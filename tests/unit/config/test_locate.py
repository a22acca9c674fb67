"""Positions agree with what tomllib reads, in every style of writing."""

from __future__ import annotations

import random
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ddns.config import toml_text
from ddns.config.locate import Path, line_of, locate

KEYS = st.one_of(st.sampled_from(["a", "b", "c-d", "1"]), st.text(max_size=4))
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["]", "}", '"x""', "x'", '"', "'", "#", "\\", "\n", '"""', "'''", "a\nb", "= [", ",", "[[x]]"]
)
SCALARS = st.one_of(st.integers(-9, 9), st.booleans(), TEXTS)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
        max_leaves=8,
    ),
    max_size=4,
)


class Writer:
    """Writes a tree in styles chosen at random, and notes the line on which each thing begins."""

    def __init__(self, rnd: random.Random) -> None:
        self.rnd = rnd
        self.text = ""
        self.lines: dict[Path, int] = {}

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def noise(self) -> None:
        self.text += self.rnd.choice(["", "", "\n", "  # [x] = \"'\n", "\t \n"])

    def key(self, name: str) -> str:
        bare = toml_text.key(name)
        literal = f"'{name}'" if name.isprintable() and "'" not in name else bare
        return self.rnd.choice([bare, toml_text.text(name), literal])

    def table(self, tree: dict[str, Any], path: Path, header: list[str]) -> None:
        later = []
        for name, value in tree.items():
            if header_worthy(value) and self.rnd.random() < 0.6:
                later.append((name, value))
            else:
                self.noise()
                self.pair(path, name, value)
                self.text += self.rnd.choice(["\n", " # end\n", "\r\n"])
        for name, value in later:
            deeper = [*header, self.key(name)]
            if isinstance(value, dict):
                self.head("[", deeper, "]", (*path, name))
                self.table(value, (*path, name), deeper)
            else:
                self.lines[(*path, name)] = -1
                for index, item in enumerate(value):
                    self.head("[[", deeper, "]]", (*path, name, index))
                    self.table(item, (*path, name, index), deeper)

    def head(self, opening: str, keys: list[str], closing: str, path: Path) -> None:
        self.noise()
        self.lines[path] = self.line
        dot = self.rnd.choice([".", " . "])
        self.text += opening + dot.join(keys) + closing + self.rnd.choice(["\n", "  # head\n"])

    def pair(self, path: Path, name: str, value: Any) -> None:
        self.lines[(*path, name)] = self.line
        self.text += self.key(name)
        while isinstance(value, dict) and len(value) == 1 and self.rnd.random() < 0.5:
            inner, value = next(iter(value.items()))
            path, name = (*path, name), inner
            self.lines[(*path, name)] = self.line
            self.text += "." + self.key(name)
        self.text += self.rnd.choice(["=", " = "])
        self.value(value, (*path, name))

    def value(self, value: Any, path: Path) -> None:
        if isinstance(value, list):
            self.text += "["
            for index, item in enumerate(value):
                self.noise()
                self.lines[(*path, index)] = self.line
                self.value(item, (*path, index))
                last = index == len(value) - 1
                self.text += self.rnd.choice(["", ","]) if last else self.rnd.choice([",", " , "])
            self.noise()
            self.text += "]"
        elif isinstance(value, dict):
            self.text += "{"
            for index, (name, item) in enumerate(value.items()):
                self.text += ", " if index else " "
                self.pair(path, name, item)
            self.text += "}"
        elif isinstance(value, str):
            self.text += self.string(value)
        else:
            self.text += toml_text.value(value)

    def string(self, value: str) -> str:
        forms = [toml_text.text(value)]
        if all(c.isprintable() for c in value) and "'" not in value:
            forms += [f"'{value}'"]
        if all(c.isprintable() or c == "\n" for c in value):
            if "'''" not in value:
                forms += ["'''\n" + value + "'''"]
            if "\\" not in value and '"""' not in value:
                forms += ['"""\n' + value + '"""', '"""\\\n   ' + value.lstrip() + '"""']
        return self.rnd.choice(forms)


def header_worthy(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) for item in value)
    return isinstance(value, dict)


def paths(value: Any, path: Path = ()) -> set[Path]:
    found = {path} if path else set()
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found |= paths(item, (*path, key))
    return found


@given(TREES, st.randoms(use_true_random=False))
def test_every_path_of_tomllib_is_found_on_its_line(tree: dict[str, Any], rnd: random.Random) -> None:
    writer = Writer(rnd)
    writer.table(tree, (), [])
    found = locate(writer.text)
    assert set(found) == paths(tomllib.loads(writer.text))
    assert {path: line for path, line in found.items() if writer.lines[path] > 0} == {
        path: line for path, line in writer.lines.items() if line > 0
    }


TEXT = '''\
schema = 1
[[record]] # first
name = "a"
types = [
  "A",  # ]
  "MX",
]
[[record]]
"na me" = """
x
[not.a.header]
"""
sub.key = { x = 1, y.z = [1, { w = 2 }] }
[record.more]
k = 2020-01-01T00:00:00Z
[provider.'my dns']
token = 1
'''


def test_a_file_in_many_styles() -> None:
    assert locate(TEXT) == {
        ("schema",): 1,
        ("record",): 2,
        ("record", 0): 2,
        ("record", 0, "name"): 3,
        ("record", 0, "types"): 4,
        ("record", 0, "types", 0): 5,
        ("record", 0, "types", 1): 6,
        ("record", 1): 8,
        ("record", 1, "na me"): 9,
        ("record", 1, "sub"): 13,
        ("record", 1, "sub", "key"): 13,
        ("record", 1, "sub", "key", "x"): 13,
        ("record", 1, "sub", "key", "y"): 13,
        ("record", 1, "sub", "key", "y", "z"): 13,
        ("record", 1, "sub", "key", "y", "z", 0): 13,
        ("record", 1, "sub", "key", "y", "z", 1): 13,
        ("record", 1, "sub", "key", "y", "z", 1, "w"): 13,
        ("record", 1, "more"): 14,
        ("record", 1, "more", "k"): 15,
        ("provider",): 16,
        ("provider", "my dns"): 16,
        ("provider", "my dns", "token"): 17,
    }


def test_a_key_that_is_missing_is_looked_for_around_it() -> None:
    lines = locate(TEXT)
    assert line_of(lines, ("record", 1, "name")) == 8
    assert line_of(lines, ("gateway", "url")) == 1
