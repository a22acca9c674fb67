"""The shape of a URL, a request's body or header, and a command's arguments: what stands between the words of its own.

Services give people URLs and bodies with a token inside, where no key says that it is secret. What is known to be no
token stays: schemes, hosts, placeholders, names of fields, and words that many interfaces have.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable, Sequence

#: What stands in the place of what is taken out.
GONE = "***"
#: Shorter texts are in every other word, and no secret.
_SHORTEST = 4
#: From so many characters on a word without a digit is in no sentence by chance.
_RARE = 12
_WORDS = frozenset(
    (
        *("api", "client", "zone", "zones", "domain", "domains", "record", "records", "dns_records", "rrset", "rrsets"),
        *("update", "updates", "nic", "dyndns", "servers", "localhost", "address", "status", "health", "whoami"),
        *("json", "text", "plain", "html", "form", "xml", "application", "utf-8", "charset", "x-www-form-urlencoded"),
        *("trace", "cdn-cgi", "dns-query", "bearer", "basic", "token", "digest", "true", "false", "null"),
    )
)
_VERSION = re.compile(r"v?\d{1,3}(?:\.\d{1,3})*")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_PLACEHOLDER = re.compile(r"(\{[a-z]+\})")
#: A word of a body or header; what follows tells whether it is the name of a field.
_WORD = re.compile(r"""[^\s"'{}\[\]()<>:,;=&?|]+""")
_FIELD = re.compile(r"""["']?\s*[:=](?!=)""")
#: What stands before a value: such a word names no field, though base64 ends it with an equals sign.
_GIVEN = re.compile(r"""[:=]\s*["']?\Z""")
#: An option of one letter with its value right behind it, as in -uNAME:PASSWORD; a word of letters is an option itself.
_GLUED = re.compile(r"(-[A-Za-z])(?![A-Za-z-]+\Z)(.+)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z][A-Za-z_-]{0,23}")


def harmless(word: str) -> bool:
    """Whether it is known to be no token."""
    return len(word) < _SHORTEST or word.lower() in _WORDS or _VERSION.fullmatch(word) is not None


def rare(word: str) -> bool:
    """Whether it may be taken out wherever it stands: it is long, or has digits, and so in no sentence by chance."""
    return len(word) >= _RARE or (len(word) >= _SHORTEST + 2 and any(map(str.isdigit, word)))


def url(text: str) -> str:
    """A URL without its user, and without what its path and query carry."""
    try:
        parts = urllib.parse.urlsplit(text)
    except ValueError:
        return f"{text.partition('://')[0]}://{GONE}"
    place = parts.netloc.rpartition("@")[2]
    taken = place != parts.netloc or parts.query or parts.fragment
    path = parts.path if parts.scheme == "dns" else "/".join(map(_segment, parts.path.split("/")))
    return f"{parts.scheme}://{place}{path}{f'?{GONE}' if taken else ''}"


def url_tokens(text: str) -> list[str]:
    """What `url` takes out, word for word, as it is written and as it is meant."""
    try:
        parts = urllib.parse.urlsplit(text)
    except ValueError:
        return [text]
    user = parts.netloc.rpartition("@")[0].split(":")
    values = [pair.partition("=")[2] or pair for pair in (*parts.query.split("&"), parts.fragment)]
    pieces = [*(() if parts.scheme == "dns" else parts.path.split("/")), *user, *values]
    words = [word for piece in pieces for word in _PLACEHOLDER.split(piece) if not _PLACEHOLDER.fullmatch(word)]
    return list({form for word in words if not harmless(word) for form in (word, urllib.parse.unquote(word))})


def paths(text: str) -> list[str]:
    """What a URL's path has between its placeholders, to the last token: a log may have it without the URL."""
    try:
        path = urllib.parse.urlsplit(text).path
    except ValueError:
        return []
    cut = [_to_the_last_token(piece.split("/")) for piece in _PLACEHOLDER.split(path)]
    return [piece for piece in cut if piece.count("/") > 1]


def _to_the_last_token(segments: list[str]) -> str:
    while segments and harmless(segments[-1]):
        segments = segments[:-1]
    return "/".join(segments)


def _segment(segment: str) -> str:
    return _around(segment, lambda word: word if harmless(word) else GONE)


def _around(text: str, act: Callable[[str], str]) -> str:
    """The text with `act` done to what stands between its placeholders."""
    return "".join(piece if _PLACEHOLDER.fullmatch(piece) else act(piece) for piece in _PLACEHOLDER.split(text))


def words(text: str) -> str:
    """A body or a header: fields and punctuation stay, and values go."""
    return _around(text, lambda piece: _WORD.sub(lambda match: _kept(match) or GONE, piece))


def word_tokens(text: str) -> list[str]:
    """What `words` takes out."""
    pieces = [piece for piece in _PLACEHOLDER.split(text) if not _PLACEHOLDER.fullmatch(piece)]
    return [match[0] for piece in pieces for match in _WORD.finditer(piece) if not _kept(match)]


def _kept(match: re.Match[str]) -> str:
    word = match[0]
    if all(map(harmless, re.split("[/.]", word))):
        return word
    if _GIVEN.search(match.string, 0, match.start()) or not _NAME.fullmatch(word):
        return ""
    return word if _FIELD.match(match.string, match.end()) else ""


def arguments(command: Sequence[str]) -> list[str]:
    """A program and its arguments: options stay, and what they are given goes."""
    return [*command[:1], *(_argument(text)[0] for text in command[1:])]


def argument_tokens(command: Sequence[str]) -> list[str]:
    """What `arguments` takes out."""
    return [token for text in command[1:] if (token := _argument(text)[1])]


def _argument(text: str) -> tuple[str, str]:
    option, equals, value = text.partition("=")
    if not text.startswith("-"):
        if text.startswith("/") or _DRIVE.match(text):
            return text, ""
        return (text, "") if harmless(text) else (GONE, text)
    if equals and _GLUED.fullmatch(option) is None:
        return (text, "") if harmless(value) else (f"{option}={GONE}", value)
    glued = _GLUED.fullmatch(text)
    return (text, "") if glued is None or harmless(glued[2]) else (f"{glued[1]}{GONE}", glued[2])
