"""A pytest plugin: the secrets that tests keep are searched in everything that the program under test lets out.

Helpers tell which texts are secret (`secret`), what was printed (`hear`) and which folders were worked in (`watch`;
`tmp_path` is). After each test all of that is searched, with what pytest captured: a test that let one out fails, and
says where. A secret belongs into a folder of secrets and into the settings files that a test writes, nowhere else.
"""

from __future__ import annotations

import base64
import io
import urllib.parse
import zipfile
from collections.abc import Generator, Iterator
from functools import lru_cache
from pathlib import Path

import pytest

#: Shorter ones are words that may stand anywhere.
SHORTEST = 8
#: Larger files are the tests' own tools and servers.
_LARGEST = 8 << 20
#: Where tests keep secrets on purpose: folders by that name, the files of settings, keys and servers.
_KEPT_IN = "secrets"
_KEPT_BY = {"ddns.toml", "gateway.toml", "gateway.json", "named.conf"}
_ENDINGS = {".key", ".pem", ".dpapi"}

_secrets: set[str] = set()
_heard: list[tuple[str, str]] = []
_folders: set[Path] = set()


def secret(text: str) -> str:
    """From now on this must not be let out; returns it."""
    if len(text.strip()) >= SHORTEST:
        _secrets.add(text.strip())
    return text


def hear(where: str, *texts: str) -> None:
    """The program printed this."""
    _heard.extend((where, text) for text in texts)


def watch(folder: Path) -> None:
    """The program works in this folder until the end of the test."""
    _folders.add(folder)


@lru_cache(maxsize=4096)
def forms(text: str) -> tuple[bytes, ...]:
    """A secret as it is, in URLs, in hex, and in base64 wherever it stands in what was encoded."""
    raw = text.encode()
    coded = []
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw)
        first, last = (8 * shift + 5) // 6, (8 * (shift + len(raw))) // 6
        coded.append(whole[first:last])  # the characters that come from the secret alone
    urlsafe = [part.translate(bytes.maketrans(b"+/", b"-_")) for part in coded]
    quoted = urllib.parse.quote(text, safe="").encode()
    wide = text.encode("utf-16-le")
    return tuple(dict.fromkeys([raw, quoted, raw.hex().encode(), wide, *coded, *urlsafe]))


def found_in(content: bytes) -> bool:
    """Whether a secret is in there. What is packed (zip) is looked into."""
    if content.startswith(b"PK\x03\x04") and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return any(found_in(archive.read(name)) for name in archive.namelist())
    return any(form in content for text in _secrets for form in forms(text))


def files(folder: Path) -> Iterator[Path]:
    """The files of a folder in which no secret may be."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        kept = _KEPT_IN in inside.parts[:-1] or path.name in _KEPT_BY or path.suffix in _ENDINGS
        if not kept and path.is_file() and not path.is_symlink() and path.stat().st_size <= _LARGEST:
            yield path


def leaks(item: pytest.Item, report: pytest.TestReport) -> list[str]:
    """Where secrets were let out by a test. What was heard is forgotten."""
    told = [*_heard, *report.sections]
    folders = {*_folders, *filter(None, [getattr(item, "funcargs", {}).get("tmp_path")])}
    _heard.clear()
    _folders.clear()
    places = [where for where, text in told if found_in(text.encode(errors="surrogateescape"))]
    for folder in sorted(folders):
        if not item.get_closest_marker("plants_secrets"):
            places += [str(path) for path in files(folder) if found_in(_content(path))]
    return places


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # a test took the rights away
        return b""


def pytest_configure(config: pytest.Config) -> None:
    """Tell of the marker."""
    config.addinivalue_line(
        "markers", "plants_secrets(reason): the test itself puts secrets into files that are searched"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that passed and let a secret out."""
    report = yield
    if report.when == "call":
        places = leaks(item, report)
        if places and report.passed:
            report.outcome = "failed"
            report.longrepr = "a secret of the test was let out: " + ", ".join(places)
    return report
